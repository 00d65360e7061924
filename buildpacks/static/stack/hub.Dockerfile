{{include static/stack/other.Dockerfile}}
