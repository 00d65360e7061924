FROM {{base}} AS run
{{ground}}
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends curl libffi8 libpq5 libsqlite3-0 libxml2 libyaml-0-2 openssl procps tzdata unzip xz-utils >/dev/null && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*.log

FROM run AS build
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends build-essential bzip2 file git jq libbz2-dev libcurl4-openssl-dev libffi-dev libicu-dev liblzma-dev libpq-dev libreadline-dev libsqlite3-dev libssl-dev libxml2-dev libxslt1-dev libyaml-dev pkg-config python3 rsync zip zlib1g-dev zstd >/dev/null && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
