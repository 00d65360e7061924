FROM {{base}} AS tools
{{ground}}
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends golang-go >/dev/null && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
RUN --mount=type=bind,source=stack/toolchain,target=/toolchain sh /toolchain {{version}}

{{include small/Dockerfile}}

FROM {{base}} AS build
{{ground}}
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends gcc libc6-dev >/dev/null && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
COPY --from=tools /usr/local/go /usr/local/go
