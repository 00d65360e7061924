{{^again}}
FROM {{tools}}-build AS deps
WORKDIR /app
COPY deps/ ./
RUN --mount=type=bind,source=buildpack,target=/buildpack --mount=type=cache,id={{cache}},target=/root/.cache,sharing=locked --mount=type=bind,source=config-install,target=/config sh /buildpack/with_config sh /buildpack/install {{plan}} production

FROM {{stack}} AS dependencies
ENV NODE_ENV=production HOME=/app PATH=/app/node_modules/.bin:/opt/pm/bin:/opt/node/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WORKDIR /app
USER app
COPY --from=deps /opt/pm /opt/pm
COPY --from=deps /app/ ./
{{/again}}
{{#again}}
FROM {{before}} AS deps
USER root
RUN --mount=type=bind,source=buildpack,target=/buildpack --mount=type=cache,id={{cache}},target=/root/.cache,sharing=locked --mount=type=bind,source=config-install,target=/config --mount=type=bind,source=deps,target=/deps sh /buildpack/with_config sh /buildpack/install {{plan}} over {{held}}

FROM deps AS dependencies
USER app
{{/again}}
