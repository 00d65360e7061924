FROM {{stack}} AS build
ENV HOME=/app LANG=C.UTF-8
WORKDIR /app
USER app
COPY --chown=app:app app/ /app/
