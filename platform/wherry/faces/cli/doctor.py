"""`wherry doctor`: what is wrong and what mends it, as the engine sees it. Root on the machine itself looks without the engine."""

from __future__ import annotations

import os
import time
from typing import Any

from wherry.errors import InvalidInput
from wherry.faces.cli import follow
from wherry.faces.cli.render import as_json, printable, quoted
from wherry.faces.cli.session import Session


def show(session: Session) -> int:
    """1 when something is broken, so that a script can ask."""
    bundle = "--bundle" in session.given.options
    output = session.given.option("--output") or ""
    piped = bundle and not output and not session.terminal.interactive
    say = session.terminal.complain if piped else session.terminal.say
    operation = session.api.send("POST", "/api/doctor", {"bundle": bundle})
    for event in follow.follow(session.api, operation["id"]):
        if event.name == "done":
            operation = follow.parsed(event.data)
        elif not session.given.json:
            say(printable(event.data))
    if operation["state"] != "succeeded":
        raise follow.failure_of(operation)
    result = operation["result"]
    say(as_json({"findings": result["findings"], "ok": result["ok"]}) if session.given.json else _summary(result["findings"]))
    if bundle:
        _fetch(session, operation["id"], output, piped)
    return 0 if result["ok"] else 1


def _summary(findings: list[dict[str, Any]]) -> str:
    ok, warn, fail = (sum(finding["level"] == level for finding in findings) for level in ("ok", "warn", "fail"))
    return f"{ok} ok, {warn or 'no'} warning{'s' if warn > 1 else ''}, {fail or 'no'} failure{'s' if fail > 1 else ''}"


def _fetch(session: Session, number: int, output: str, piped: bool) -> None:
    body = b"".join(session.api.open("GET", f"/api/doctor/{number}/bundle").pieces())
    if piped:
        session.terminal.stdout.flush()
        os.write(session.terminal.stdout.fileno(), body)
        return
    path = output or time.strftime("wherry-doctor-%Y%m%d-%H%M%S.tar.gz", time.gmtime())
    try:
        with open(path, "wb") as file:  # noqa: PTH123 - pathlib costs 5 ms at every start
            file.write(body)
    except OSError as error:
        raise InvalidInput(f"{quoted(path)}: {(error.strerror or 'can not be written').lower()}", field="output") from error
    if not session.given.json:
        session.terminal.say(f"{path}: {len(body) / 1000:.0f} KB, without config vars, keys and tokens. Look at it before you send it.")
