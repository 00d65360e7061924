"""`wherry config …`: config vars. Values go through byte for byte."""

from __future__ import annotations

from collections.abc import Callable

from wherry.errors import InvalidInput, NotFound
from wherry.faces.cli import follow
from wherry.faces.cli.render import as_json, printable, quoted
from wherry.faces.cli.session import Session

LARGEST = 4 * 1024 * 1024


def show(session: Session) -> int:
    document = session.api.get(session.app_path("/config-vars"))
    rows = [[key, value] for key, value in sorted(document["config_vars"].items())]
    return session.show(document, session.table(rows) if rows else f"{session.given.app} has no config vars")


def get(session: Session) -> int:
    key = session.given.word("KEY")
    found = session.api.get(session.app_path("/config-vars"))["config_vars"]
    if key not in found:
        raise NotFound(f"{session.given.app} has no config var {quoted(key)}", code="no_such_config_var", hint=_names(found))
    if session.given.json:
        session.terminal.say(as_json({"app": session.given.app, "key": key, "value": found[key]}))
        return 0
    session.terminal.say(printable(found[key]) if session.terminal.interactive else found[key].removesuffix("\n"))
    return 0


def set_vars(session: Session) -> int:
    changes = wished(session.given.many("KEY=VALUE"), lambda key: _from_input(session, key))
    return follow.settle(session, session.api.send("PATCH", session.app_path("/config-vars"), changes))


def unset(session: Session) -> int:
    keys = session.given.many("KEY")
    for key in keys:
        if "=" in key:
            raise InvalidInput(f"{quoted(key)}: give the key only, e.g. {key.partition('=')[0] or 'DEBUG'}", field="config")
    return follow.settle(session, session.api.send("PATCH", session.app_path("/config-vars"), dict.fromkeys(keys)))


def wished(words: list[str], read_input: Callable[[str], str]) -> dict[str, str]:
    """Reads `["A=1", "B=x=y"]`; a word without `=` takes its value from `read_input`, at most one may.

    Raises InvalidInput for a key that is given twice and for a value that is not UTF-8.
    """
    changes: dict[str, str] = {}
    piped = [word for word in words if "=" not in word]
    if len(piped) > 1:
        raise InvalidInput(f"{quoted(piped[1])}: give KEY=value; only one KEY can take its value from standard input", field="config")
    for word in words:
        key, sign, value = word.partition("=")
        if key in changes:
            raise InvalidInput(f"{quoted(key)} is given twice; give each key once", field="config")
        changes[key] = _text(key, value if sign else read_input(key))
    return changes


def _from_input(session: Session, key: str) -> str:
    if session.terminal.asked_by_person:
        raise InvalidInput(f"{quoted(key)}: give KEY=value, or the value on standard input: wherry config:set APP {printable(key)} < file")
    return session.terminal.stdin.read(LARGEST).decode("utf-8", "surrogateescape")


def _text(key: str, value: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{quoted(key)}: the value is not UTF-8 text; encode it, e.g. with base64", field="config") from error
    return value


def _names(found: dict[str, str]) -> str:
    return "It has: " + ", ".join(sorted(found)) if found else "It has none."
