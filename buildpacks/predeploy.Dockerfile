FROM {{image}} AS predeploy
RUN --mount=type=bind,source=buildpack,target=/buildpack --mount=type=bind,source=config,target=/config /bin/sh /buildpack/with_config {{start}} /buildpack/predeploy

FROM predeploy
