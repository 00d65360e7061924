FROM {{base}} AS run
{{ground}}
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends ruby ruby-bundler libffi8 libpq5 libsqlite3-0 libyaml-0-2 tzdata >/dev/null && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*.log && install -d /gems
# Bundler finds the distribution's gems too. What an app's own .bundle/config says of folders does not hold here.
ENV GEM_HOME=/gems BUNDLE_APP_CONFIG=/gems BUNDLE_WITHOUT=development:test BUNDLE_FROZEN=1 BUNDLE_SILENCE_ROOT_WARNING=1 PATH=/gems/bin:/usr/local/bin:/usr/bin:/bin

FROM run AS build
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends build-essential git libffi-dev libpq-dev libsqlite3-dev libssl-dev libyaml-dev pkg-config ruby-dev zlib1g-dev >/dev/null && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
