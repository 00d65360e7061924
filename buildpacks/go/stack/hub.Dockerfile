{{include small/Dockerfile}}

FROM {{base}} AS build
{{ground}}
