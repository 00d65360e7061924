FROM {{base}} AS run
{{ground}}
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends libpq5 libsqlite3-0 libyaml-0-2 tzdata >/dev/null && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*.log && install -d /gems
# What an app's own .bundle/config says of folders does not hold here.
ENV GEM_HOME=/gems BUNDLE_APP_CONFIG=/gems BUNDLE_WITHOUT=development:test BUNDLE_FROZEN=1 BUNDLE_SILENCE_ROOT_WARNING=1 PATH=/gems/bin:/usr/local/bin:/usr/bin:/bin
ENTRYPOINT []

FROM run AS build
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends build-essential git libffi-dev libpq-dev libsqlite3-dev libssl-dev libyaml-dev pkg-config zlib1g-dev >/dev/null && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
