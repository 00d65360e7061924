FROM {{base}} AS tools
{{ground}}
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends curl jq >/dev/null
RUN --mount=type=bind,source=stack/fetch,target=/fetch case "$(uname -m)" in aarch64) processor=arm64 ;; *) processor=x64 ;; esac \
 && sh /fetch "node-linux-$processor" {{version}} /opt/node bin/node
RUN --mount=type=bind,source=stack/fetch,target=/fetch case {{version}} in 18) npm=10 ;; *) npm=11 ;; esac \
 && sh /fetch npm "$npm" /opt/node/lib/node_modules/npm \
 && ln -s ../lib/node_modules/npm/bin/npm-cli.js /opt/node/bin/npm && ln -s ../lib/node_modules/npm/bin/npx-cli.js /opt/node/bin/npx

FROM {{base}} AS run
{{ground}}
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends libstdc++6 libatomic1 >/dev/null && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*.log
COPY --from=tools /opt/node /opt/node
ENV PATH=/opt/node/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin NPM_CONFIG_UPDATE_NOTIFIER=false NPM_CONFIG_FUND=false NPM_CONFIG_AUDIT=false
RUN node --version && npm --version

FROM run AS build
