FROM {{base}} AS run
{{ground}}
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends python3 >/dev/null && ln -s python3 /usr/bin/python && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*.log

FROM run AS build
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends python3-venv >/dev/null && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin && python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir --disable-pip-version-check uv==0.13.8 && ln -s /opt/uv/bin/uv /opt/uv/bin/uvx /usr/local/bin/
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
