{{include nodejs/stages.Dockerfile}}
FROM {{stack}}
WORKDIR /site
USER app
COPY buildpack/site.conf /etc/
COPY --from=build /out/ /site/
