"""Decides which files a `.slugignore` keeps out of a build by classic buildpacks.

Source of the rules: devcenter.heroku.com, "Slug Compiler": patterns like those of `.gitignore`, without `!`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

FILE = ".slugignore"


def parse(text: str) -> Callable[[str], bool]:
    """Says of a path (relative, with `/`) whether it is left out; what is in a folder goes with it."""
    lines = (line.strip() for line in text.splitlines())
    forms = [_form(line) for line in lines if line and not line.startswith(("#", "!"))]
    whole = re.compile("|".join(f"(?:{form})" for form in forms)) if forms else None
    return lambda path: whole is not None and whole.fullmatch(path) is not None


def _form(pattern: str) -> str:
    """A pattern with a slash in front or inside starts at the root; others hold in every folder."""
    name = pattern.strip("/")
    anywhere = "" if "/" in pattern.rstrip("/") else "(?:.*/)?"
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", name)
    forms = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return anywhere + "".join(forms.get(part, re.escape(part)) for part in parts) + ("/.*" if pattern.endswith("/") else "(?:/.*)?")
