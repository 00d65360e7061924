FROM {{base}} AS tools
{{ground}}
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends npm >/dev/null
RUN case "$(uname -m)" in aarch64) processor=arm64 ;; *) processor=x64 ;; esac \
 && case {{version}} in 18) npm=10 ;; *) npm=11 ;; esac \
 && npm install --silent --no-save --prefix /opt/fetched "node-linux-$processor@{{version}}" "npm@$npm" \
 && mkdir -p /opt/node/bin /opt/node/lib/node_modules \
 && mv "/opt/fetched/node_modules/node-linux-$processor/bin/node" /opt/node/bin/ \
 && mv /opt/fetched/node_modules/npm /opt/node/lib/node_modules/ \
 && ln -s ../lib/node_modules/npm/bin/npm-cli.js /opt/node/bin/npm && ln -s ../lib/node_modules/npm/bin/npx-cli.js /opt/node/bin/npx

FROM {{base}} AS run
{{ground}}
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends libstdc++6 libatomic1 >/dev/null && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*.log
COPY --from=tools /opt/node /opt/node
ENV PATH=/opt/node/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin NPM_CONFIG_UPDATE_NOTIFIER=false NPM_CONFIG_FUND=false NPM_CONFIG_AUDIT=false
RUN node --version && npm --version

FROM run AS build
