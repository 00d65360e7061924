FROM {{base}} AS run
{{ground}}
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends libfreetype-dev libicu-dev libjpeg62-turbo-dev libpng-dev libpq-dev libzip-dev >/dev/null && docker-php-ext-configure gd --with-freetype --with-jpeg >/dev/null && docker-php-ext-install -j "$(nproc)" bcmath exif gd intl mysqli pcntl pdo_mysql pdo_pgsql zip >/dev/null && { php -m | grep -q OPcache || docker-php-ext-enable opcache; } && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /tmp/pear
RUN --mount=type=bind,source=stack/serve,target=/from/serve --mount=type=bind,source=stack/apache.conf,target=/from/apache.conf install -D -m 644 /from/apache.conf /etc/wherry/apache.conf && install -m 755 /from/serve /usr/local/bin/heroku-php-apache2 && ln -s heroku-php-apache2 /usr/local/bin/heroku-php-nginx
ENTRYPOINT []
STOPSIGNAL SIGTERM

FROM {{registry}}composer:2 AS composer

FROM run AS build
COPY --from=composer /usr/bin/composer /usr/local/bin/composer
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends git unzip >/dev/null && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
