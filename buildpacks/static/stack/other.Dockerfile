FROM {{base}} AS run
{{ground}}
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends nginx >/dev/null && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*.log /var/www /etc/nginx/sites-enabled /etc/nginx/modules-enabled
RUN --mount=type=bind,source=stack/serve,target=/tmp/serve --mount=type=bind,source=stack/missing,target=/tmp/missing install -m 755 /tmp/serve /usr/local/bin/serve-site && install -m 644 /tmp/missing /etc/missing.html

FROM run AS build
