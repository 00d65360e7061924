FROM {{base}} AS tools
{{ground}}
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends curl jq >/dev/null
RUN --mount=type=bind,source=stack/fetch,target=/fetch sh /fetch npm 10 /opt/npm

FROM {{base}} AS run
{{ground}}
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends nodejs >/dev/null && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*.log
COPY --from=tools /opt/npm /opt/node/lib/node_modules/npm
RUN mkdir -p /opt/node/bin && ln -s ../lib/node_modules/npm/bin/npm-cli.js /opt/node/bin/npm && ln -s ../lib/node_modules/npm/bin/npx-cli.js /opt/node/bin/npx
ENV PATH=/opt/node/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin NPM_CONFIG_UPDATE_NOTIFIER=false NPM_CONFIG_FUND=false NPM_CONFIG_AUDIT=false

FROM run AS build
