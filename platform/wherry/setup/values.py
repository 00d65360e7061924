"""The settings of an installation: what a person gave, what was given before, what the machine suggests. Kept in a file
that every later command reads."""

from __future__ import annotations

import re
from pathlib import Path

from wherry import settings as settings_module
from wherry.errors import InvalidInput
from wherry.settings import Settings
from wherry.setup import machine

DEFAULT_HOME, DEFAULT_NAME = "/var/lib/wherry", "wherry"
HEAD = "# Settings of this platform; docs/configure.md explains them. scripts/up keeps them, and adds what its environment gives.\n"


def decide(given: dict[str, str]) -> dict[str, str]:
    """The values to keep, by name: `given` over the file over what follows from the home and the machine."""
    home = Path(given.get("WHERRY_HOME", DEFAULT_HOME))
    kept = {**settings_module.read_file(home / "settings.env"), **given, "WHERRY_HOME": str(home)}
    name = kept.setdefault("WHERRY_NAME", _name_of(home))
    kept.setdefault("WHERRY_DOMAIN", machine.default_domain())
    if name != DEFAULT_NAME:
        kept.setdefault("WHERRY_USER", name)
        kept.setdefault("WHERRY_API_USER", f"{name[:11]}-api")
    return kept


def settings_of(values: dict[str, str]) -> Settings:
    """Raises InvalidInput naming the value that is off."""
    found = settings_module.load(values)
    if not re.fullmatch(r"/[0-9A-Za-z/._+-]{1,69}", str(found.home)) or found.home.resolve() in (Path("/"), Path("/usr"), Path("/etc")):
        raise InvalidInput(
            f"WHERRY_HOME={str(found.home)!a}: give a folder of its own, at most 70 letters, digits and ./_+-, e.g. {DEFAULT_HOME}",
            field="WHERRY_HOME",
        )
    return found


def keep(settings: Settings, values: dict[str, str]) -> str:
    """Writes the file when it differs, in one step."""
    path = settings.home / "settings.env"
    text = HEAD + "".join(f"{key}={value}\n" for key, value in sorted(values.items()) if key != "WHERRY_HOME")
    if path.exists() and path.read_text("utf-8") == text:
        return ""
    fresh = path.with_name(".settings.env.new")
    fresh.write_text(text, "utf-8")
    fresh.chmod(0o644)
    fresh.replace(path)
    return ""


def _name_of(home: Path) -> str:
    """The folder's name makes the platform's: /srv/wherry-two gives wherry-two."""
    if str(home) == DEFAULT_HOME:
        return DEFAULT_NAME
    name = re.sub(r"[^0-9a-z-]", "-", home.name.lower()).lstrip("-0123456789")[:15].rstrip("-")
    return name or DEFAULT_NAME
