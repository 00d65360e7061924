FROM {{base}} AS build
{{ground}}
RUN apt-get update -qq && mkdir -p /usr/share/man/man1 && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends maven openjdk-{{version}}-jdk-headless >/dev/null && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
RUN --mount=type=bind,source=stack/Trust.java,target=/Trust.java java /Trust.java /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/java/cacerts
# Distributions lag behind on Maven, whose version decides that of every plugin a pom does not pin.
RUN mvn --quiet --batch-mode org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -Dartifact=org.apache.maven:apache-maven:3.9.11:zip:bin -DoutputDirectory=/opt && cd /opt && jar xf apache-maven-3.9.11-bin.zip && chmod +x apache-maven-3.9.11/bin/mvn && ln -s /opt/apache-maven-3.9.11/bin/mvn /usr/local/bin/mvn && rm -rf /root/.m2 /opt/*.zip
# What an app needs of Java, without the compiler and other tools: half as large as the distribution's package.
RUN --mount=type=bind,source=stack/runtime,target=/runtime sh /runtime /opt/java && cp /etc/ssl/certs/java/cacerts /opt/java/lib/security/cacerts

FROM {{base}} AS run
{{ground}}
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends fontconfig libfreetype6 libharfbuzz0b liblcms2-2 zlib1g $(apt-cache pkgnames | grep -xE 'libjpeg62-turbo|libjpeg-turbo8') >/dev/null && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*.log
COPY --from=build /opt/java /opt/java
ENV JAVA_HOME=/opt/java PATH=/opt/java/bin:/usr/local/bin:/usr/bin:/bin
