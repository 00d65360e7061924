{{include small/Dockerfile}}

FROM {{base}} AS build
{{ground}}
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends gcc libc6-dev libssl-dev pkg-config >/dev/null && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
