{{include small/Dockerfile}}

FROM {{base}} AS build
{{ground}}
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends gcc libc6-dev libssl-dev pkg-config >/dev/null && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
# Where the distribution's Rust is old, it has a newer one under another name, for what is built from today's crates.
RUN apt-get update -qq && { apt-cache show cargo-web >/dev/null 2>&1 && cargo=cargo-web || cargo=cargo; } && apt-get install -qq -y --no-install-recommends $cargo >/dev/null && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
