FROM {{base}} AS run
USER root
{{ground}}

FROM {{base}}-build AS build
USER root
{{ground}}
