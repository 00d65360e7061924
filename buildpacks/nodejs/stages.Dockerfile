FROM {{tools}}-build AS deps
WORKDIR /app
COPY deps/ ./
{{#sources}}
COPY app/ ./
{{/sources}}
{{#build}}
RUN --mount=type=bind,source=buildpack,target=/buildpack --mount=type=cache,id={{cache}},target=/root/.cache,sharing=locked --mount=type=bind,source=config-install,target=/config sh /buildpack/with_config sh /buildpack/install {{plan}} all

FROM deps AS build
COPY app/ ./
RUN --mount=type=bind,source=buildpack,target=/buildpack --mount=type=cache,id={{cache}},target=/root/.cache,sharing=locked --mount=type=bind,source=config,target=/config sh /buildpack/with_config sh /buildpack/build {{plan}}

FROM deps AS prune
{{#little}}
# Not at the same time as the build, which needs all the memory.
COPY --from=build /opt/pm/installed /opt/pm/
{{/little}}
RUN --mount=type=bind,source=buildpack,target=/buildpack --mount=type=cache,id={{cache}},target=/root/.cache,sharing=locked --mount=type=bind,source=config-install,target=/config sh /buildpack/with_config sh /buildpack/prune {{plan}}
{{/build}}
{{^build}}
RUN --mount=type=bind,source=buildpack,target=/buildpack --mount=type=cache,id={{cache}},target=/root/.cache,sharing=locked --mount=type=bind,source=config-install,target=/config sh /buildpack/with_config sh /buildpack/install {{plan}} production
{{/build}}
