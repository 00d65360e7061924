"""Which Wherry this is; the same as in pyproject.toml, which an installed copy may not have beside it."""

VERSION = "0.1.0"
