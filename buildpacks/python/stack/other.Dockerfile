FROM {{base}} AS tools
{{ground}}
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends python3-venv >/dev/null && python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir --disable-pip-version-check uv==0.13.8
RUN UV_PYTHON_INSTALL_DIR=/opt/python /opt/uv/bin/uv python install {{version}} && ln -s /opt/python/*/bin /opt/python/bin

FROM {{base}} AS run
{{ground}}
COPY --from=tools /opt/python /opt/python
RUN ln -s /opt/python/bin/python3 /usr/local/bin/python3 && ln -s python3 /usr/local/bin/python

FROM run AS build
COPY --from=tools /opt/uv/bin/uv /opt/uv/bin/uvx /usr/local/bin/
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
