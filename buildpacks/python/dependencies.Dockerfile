FROM {{stack}}-build AS deps
WORKDIR /app
COPY deps/ ./
{{^again}}
RUN --mount=type=bind,source=buildpack,target=/buildpack --mount=type=bind,source=config-install,target=/config --mount=type=cache,id={{cache}},target=/root/.cache,sharing=locked sh /buildpack/with_config sh /buildpack/install {{plan}} {{list}}
{{#sources}}
COPY app/ ./
RUN --mount=type=bind,source=buildpack,target=/buildpack --mount=type=bind,source=config-install,target=/config --mount=type=cache,id={{cache}},target=/root/.cache,sharing=locked sh /buildpack/with_config sh /buildpack/install {{plan}} sources
{{/sources}}

FROM {{stack}} AS dependencies
ENV PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin VIRTUAL_ENV=/venv PYTHONUNBUFFERED=1 PYTHONFAULTHANDLER=1 PYTHONPATH=/app HOME=/app GUNICORN_CMD_ARGS="--worker-tmp-dir=/dev/shm"
WORKDIR /app
USER app
COPY --from=deps /venv /venv
{{/again}}
{{#again}}
RUN --mount=type=bind,source=buildpack,target=/buildpack --mount=type=bind,source=config-install,target=/config --mount=type=cache,id={{cache}},target=/root/.cache,sharing=locked --mount=type=bind,from={{before}},source=/venv/.wherry/files,target=/before sh /buildpack/with_config sh /buildpack/install {{plan}} over {{held}}

FROM {{before}} AS dependencies
{{^removes}}
COPY --from=deps /difference/added/ /venv/
{{/removes}}
{{#removes}}
USER root
RUN --mount=type=bind,source=buildpack,target=/buildpack --mount=type=bind,from=deps,source=/difference,target=/difference sh /buildpack/apply /difference /venv
USER app
{{/removes}}
{{/again}}
