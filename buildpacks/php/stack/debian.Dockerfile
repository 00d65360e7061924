FROM {{base}} AS run
{{ground}}
# Perl is wanted by Apache's package for tools that are not used here, and is larger than Apache and PHP together.
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends apache2-bin libapache2-mod-php media-types php-bcmath php-cli php-curl php-gd php-intl php-mbstring php-mysql php-pgsql php-sqlite3 php-xml php-zip >/dev/null 2>&1 && dpkg --purge --force-depends perl $(dpkg-query -W -f '${Package}\n' 'perl-modules-*' 'libperl5*') >/dev/null 2>&1 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*.log
RUN --mount=type=bind,source=stack/serve,target=/from/serve --mount=type=bind,source=stack/apache.conf,target=/from/apache.conf install -D -m 644 /from/apache.conf /etc/wherry/apache.conf && install -m 755 /from/serve /usr/local/bin/heroku-php-apache2 && ln -s heroku-php-apache2 /usr/local/bin/heroku-php-nginx

FROM run AS build
RUN apt-get update -qq && export DEBIAN_FRONTEND=noninteractive && { apt-get install -qq -y --fix-broken --no-install-recommends && apt-get install -qq -y --no-install-recommends composer git unzip; } >/dev/null 2>&1 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
