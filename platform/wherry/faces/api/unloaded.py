"""What Flask would load for pages from templates and a command line of its own: the API has neither, and the two libraries take
2.5 MB of a process that idles. Names that Flask wants to see while it is imported are there, and do nothing."""

from __future__ import annotations

import sys
from types import ModuleType

TEMPLATES = ("BaseLoader", "Environment", "FileSystemLoader", "Template", "TemplateNotFound")


class AppGroup:
    """The commands of a Flask application: none."""

    name: str | None = None
    commands: dict[str, object] = {}  # noqa: RUF012 (nobody puts any in)


def leave_out() -> None:
    """Before `flask` is imported, in the process that serves; a test client of Flask's needs the real ones."""
    _stand_in("jinja2", **{name: type(name, (), {}) for name in TEMPLATES})
    _stand_in("click")
    _stand_in("flask.cli", AppGroup=AppGroup)


def _stand_in(name: str, **names: object) -> None:
    module = ModuleType(name, "Stands in for a library that is not loaded.")
    vars(module).update(names)
    sys.modules[name] = module
