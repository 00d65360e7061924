"""`wherry config …`: config vars, of an app or of all apps. Values go through byte for byte, and are stars where people only look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wherry.errors import InvalidInput, NotFound
from wherry.faces.cli import follow
from wherry.faces.cli.files import content, text
from wherry.faces.cli.render import as_json, printable, quoted
from wherry.faces.cli.session import Session

LARGEST = 4 * 1024 * 1024
STARS = "******"
FORMATS = ("envfile", "shell", "json")


def show(session: Session) -> int:
    document = session.api.get(_path(session))
    found, shared = document["config_vars"], document.get("global_keys", ())
    rows = [[key, _shown(session, value), "global" if key in shared else ""] for key, value in sorted(found.items())]
    lines = [session.table(rows) if rows else f"{_owner(session)} no config vars"]
    if rows and session.terminal.interactive and not _revealed(session):
        lines.append(f"values are hidden: --reveal shows them, config:get {_words(session)} KEY prints one")
    if waiting := document.get("waiting"):
        lines.append(f"not in the instances yet: {', '.join(waiting)} ({session.terminal.name} ps:restart {printable(session.given.app)})")
    return session.show(document, "\n".join(lines), given=True)


def get(session: Session) -> int:
    key = session.given.word("KEY")
    found = session.api.get(_path(session))["config_vars"]
    if key not in found:
        raise NotFound(f"{_owner(session)} no config var {quoted(key)}", code="no_such_config_var", hint=_names(found))
    if session.given.json:
        whose = {} if _is_global(session) else {"app": session.given.app}
        session.terminal.say(as_json({**whose, "key": key, "value": found[key]}))
        return 0
    session.terminal.say(printable(found[key]) if session.terminal.interactive else found[key].removesuffix("\n"))
    return 0


def keys(session: Session) -> int:
    document = session.api.get(_path(session))
    found = sorted(document["config_vars"])
    return session.show(found, "\n".join(found) if found else f"{_owner(session)} no config vars")


def export(session: Session) -> int:
    """Prints nothing but the config vars, so that the output is a file that `config:import` reads."""
    document = session.api.get(_path(session))
    shared = () if session.given.option("--merged") is not None else document.get("global_keys", ())
    found = {key: value for key, value in document["config_vars"].items() if key not in shared}
    form = "json" if session.given.json else session.given.option("--format") or "envfile"
    if form not in FORMATS:
        raise InvalidInput(f"--format {quoted(form)}: give envfile, shell or json", field="--format")
    if shown := _written(found, form):
        session.terminal.say(shown)
    return 0


def import_vars(session: Session) -> int:
    path = session.given.maybe("FILE")
    where = quoted(path) if path and path != "-" else "standard input"
    raw = content(session, path, LARGEST, "give a file, or the config vars on standard input: wherry config:import APP < .env")
    if len(raw) > LARGEST:
        raise InvalidInput(f"{where}: more than {LARGEST // 1024**2} MB", field="config")
    found = _read(text(raw, where), session.given.option("--format"))
    if not found:
        raise InvalidInput(f"{where} holds no config var; a line is KEY=value", field="config")
    return _change(session, found)


def set_vars(session: Session) -> int:
    return _change(session, wished(session.given.many("KEY=VALUE"), lambda key: _from_input(session, key)))


def unset(session: Session) -> int:
    keys = session.given.many("KEY")
    for key in keys:
        if "=" in key:
            raise InvalidInput(f"{quoted(key)}: give the key only, e.g. {key.partition('=')[0] or 'DEBUG'}", field="config")
    return _change(session, dict.fromkeys(keys))


def clear(session: Session) -> int:
    return _settle(session, session.api.send("DELETE", _path(session), query=_restart(session)))


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


def _change(session: Session, changes: dict[str, Any]) -> int:
    return _settle(session, session.api.send("PATCH", _path(session), changes, query=_restart(session)))


def _settle(session: Session, answer: dict[str, Any]) -> int:
    """A change of all apps waits for each of them in turn; the worst exit status of theirs is ours."""
    if not _is_global(session) or "operations" not in answer:
        return follow.settle(session, answer)
    status = session.show(answer, str(answer["message"]))
    if session.given.json or not session.given.wait:
        return status
    for operation in answer["operations"]:
        session.terminal.say(f"{operation['app']}:")
        status = max(status, follow.watch(session, operation["id"]))
    return status


def _is_global(session: Session) -> bool:
    return session.given.option("--global") is not None


def _path(session: Session) -> str:
    return "/api/config-vars" if _is_global(session) else session.app_path("/config-vars")


def _restart(session: Session) -> dict[str, str | None]:
    return {"restart": "false"} if session.given.option("--no-restart") is not None else {}


def _words(session: Session) -> str:
    return "--global" if _is_global(session) else printable(session.given.app)


def _owner(session: Session) -> str:
    return "there are" if _is_global(session) else f"{printable(session.given.app)} has"


def _revealed(session: Session) -> bool:
    return session.given.option("--reveal") is not None


def _shown(session: Session, value: str) -> str:
    return value if _revealed(session) else STARS if value else "(empty)"


def _written(config: dict[str, str], form: str) -> str:
    if form == "json":
        return as_json(dict(sorted(config.items())))
    from wherry.model.envfile import write

    return write(config, "export " if form == "shell" else "").removesuffix("\n")


def _read(given: str, form: str | None) -> dict[str, Any]:
    """By the format, or by what it looks like: JSON begins with a brace."""
    if form not in (None, *FORMATS):
        raise InvalidInput(f"--format {quoted(str(form))}: give envfile, shell or json", field="--format")
    if form == "json" or (form is None and given.lstrip().startswith("{")):
        return _json(given)
    from wherry.model.envfile import read

    return dict(read(given))


def _json(given: str) -> dict[str, Any]:
    import json

    try:
        found = json.loads(given, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"not JSON: {error}"[:200], field="config") from error
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise InvalidInput('give one JSON object with text values, e.g. {"GREETING": "hello"}', field="config")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key is there twice")
    return dict(pairs)


def _from_input(session: Session, key: str) -> str:
    if session.terminal.asked_by_person:
        raise InvalidInput(f"{quoted(key)}: give KEY=value, or the value on standard input: wherry config:set APP {printable(key)} < file")
    value = session.terminal.stdin.read(LARGEST).decode("utf-8", "surrogateescape")
    if not value:
        raise InvalidInput(f"{quoted(key)}: nothing came on standard input; give KEY=value, or {printable(key)}= for an empty one")
    return value


def _text(key: str, value: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{quoted(key)}: the value is not UTF-8 text; encode it, e.g. with base64", field="config") from error
    return value


def _names(found: dict[str, str]) -> str:
    return "It has: " + ", ".join(sorted(found)) if found else "It has none."
