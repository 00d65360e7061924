"""The one form of a host name: IDNA, lower case, no trailing dot, letters, digits and "-" in labels."""

from __future__ import annotations

import re

from wherry.errors import InvalidInput

LABEL = r"[0-9a-z]([0-9a-z-]{0,61}[0-9a-z])?"
FORM = rf"(?=.{{1,253}}\Z){LABEL}(\.{LABEL})*"


def normalise(text: str) -> str:
    """Returns the host name as routes and maps hold it. Raises InvalidInput with the allowed form and an example."""
    name = _ascii(text)
    if name is None or not is_host(name):
        raise InvalidInput(f'domain "{ascii(text[:80])[1:-1]}": give the host name only: {_meant(text)}', field="domain")
    return name


def normalise_domain(text: str) -> str:
    """Like `normalise`, and also takes a wildcard for one label, `*.shop.example.org`, above at least two labels."""
    if not text.startswith("*."):
        return normalise(text)
    name = _ascii(text[2:])
    if name is None or not is_domain(f"*.{name}"):
        raise InvalidInput(f'domain "{ascii(text[:80])[1:-1]}": give a wildcard as *.shop.example.org', field="domain")
    return f"*.{name}"


def readable(name: str) -> str:
    """The host name or wildcard in its own script, `bücher.de` for `xn--bcher-kva.de`; as it is when it has no other spelling that
    leads back to it, or one that a terminal would not show."""
    if "xn--" not in name:
        return name
    try:
        spelt = name.encode("ascii").decode("idna")
        return spelt if spelt.isprintable() and normalise_domain(spelt) == name else name
    except (UnicodeError, InvalidInput):
        return name


def is_domain(name: str) -> bool:
    """Whether `name` is a host name or a wildcard in the strict form."""
    rest = name.removeprefix("*.")
    return is_host(rest) and (rest == name or ("." in rest and len(name) <= 253))


def covers(pattern: str, host: str) -> bool:
    """Whether `pattern`, a host name or a wildcard for one label, stands for `host` (which may be the same wildcard)."""
    return pattern == host or (pattern.startswith("*.") and not host.startswith("*.") and host.partition(".")[2] == pattern[2:])


def is_host(name: str) -> bool:
    """Whether `name` is already in the strict form. Addresses are not names: their last label is a number."""
    return bool(re.fullmatch(FORM, name)) and not name.rpartition(".")[2].isdigit()


def _ascii(text: str) -> str | None:
    name = text.removesuffix(".")
    if name.isascii():
        return name.lower()
    try:
        return name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None


def _meant(text: str) -> str:
    """The host name inside a URL, or an example when there is none."""
    found = re.match(r"\s*(?:[a-z][a-z+.-]*://)?(?:[^/@]*@)?([^/:?#\s]*)", text, re.IGNORECASE)
    name = _ascii(found[1]) if found else None
    return name if name and name != text and is_host(name) else "shop.example.org"
