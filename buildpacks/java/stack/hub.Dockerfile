FROM {{registry}}maven:3.9-eclipse-temurin-{{version}} AS build
{{ground}}
RUN --mount=type=bind,source=stack/Trust.java,target=/Trust.java java /Trust.java /etc/ssl/certs/ca-certificates.crt /cacerts && cp /cacerts "$JAVA_HOME/lib/security/cacerts"

FROM {{base}} AS run
{{ground}}
COPY --from=build /cacerts /opt/java/openjdk/lib/security/cacerts
# The official image's own entry point would make a key store at each start.
ENTRYPOINT []
