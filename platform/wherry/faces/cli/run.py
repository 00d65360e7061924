"""`wherry run …` and `wherry enter`: a command of the person's own, in a container of its own or inside an instance."""

from __future__ import annotations

import time
from typing import Any

from wherry.errors import DeployFailed
from wherry.faces.cli.client import segment
from wherry.faces.cli.render import ago, elapsed, printable, quoted, took
from wherry.faces.cli.session import Session

STARTS_WITHIN, ENDS_WITHIN = 60.0, 90.0
MEGABYTE = 2**20


def attached(session: Session) -> int:
    return converse(session, {"command": session.given.many("CMD"), **_limits(session)})


def enter(session: Session) -> int:
    return converse(session, {"instance": session.given.maybe("INSTANCE") or "web.1", "command": session.given.many("CMD")})


def detached(session: Session) -> int:
    body = {"command": session.given.many("CMD"), "attached": False, **_limits(session)}
    run = session.api.send("POST", session.app_path("/runs"), body)
    run = _wait(session, run, lambda now: now["state"] in ("running", "ended"), STARTS_WITHIN)
    if run["state"] == "ended" and run["started_at"] is None:
        raise DeployFailed(f"{run['name']} did not start: {run['reason']}", code="start_refused")
    if run["state"] == "ended":
        return session.show(run, f"{run['name']} is over already ({_end(run)}). Its output: wherry logs {run['app']} -p {run['name']}")
    from wherry.model.run import duration

    told = f"{run['name']} runs, for {duration(run['time_limit'])} at most. Its output: wherry logs {run['app']} -p {run['name']} -t"
    return session.show(run, told)


def every(session: Session) -> int:
    ended = "--all" in session.given.options
    document = session.api.get(session.app_path("/runs"), ended="true" if ended else None)
    rows = [_row(run) for run in document["runs"]]
    none = "no run yet" if ended else "no run is open; those that are over: --all"
    told = session.table(rows, ("RUN", "STATE", "SINCE", "BY", "COMMAND")) if rows else none
    return session.show(document, told, given=bool(rows))


def stop(session: Session) -> int:
    run = session.api.send("POST", session.app_path(f"/runs/{segment(_in_path(session.given.word('RUN')))}/actions/stop"))
    if "name" not in run:
        return session.show(run, printable(str(run.get("message", "done"))))
    run = _wait(session, run, lambda now: now["state"] == "ended", ENDS_WITHIN)
    if run["state"] != "ended":
        return session.show(run, f"{run['name']} is still ending; look again: wherry run:list {run['app']}")
    return session.show(run, f"{run['name']} ended: {_end(run)}")


def converse(session: Session, body: dict[str, Any], terminal: bool = True) -> int:
    """Runs what `body` asks for with the streams of this command, on a terminal when there is one and it may have it; the
    exit status of the program."""
    from wherry.faces.cli.keyboard import Keyboard
    from wherry.faces.cli.line import Line, connect

    keyboard = Keyboard(session.terminal, wanted=terminal and "--no-tty" not in session.given.options)
    if keyboard.is_terminal:
        rows, columns = keyboard.size()
        body["terminal"] = {"rows": rows, "columns": columns, "term": session.terminal.environ.get("TERM") or "xterm"}
    run = session.api.send("POST", session.app_path("/runs"), body)
    with keyboard, connect(session, run) as line:
        return Line(session.terminal, keyboard, line, run["name"]).run()


def _limits(session: Session) -> dict[str, int]:
    """What the options allow this run."""
    from wherry.model.run import parse_duration, parse_memory

    memory, limit = session.given.option("--memory"), session.given.option("--time-limit")
    found = {"memory": parse_memory(memory) * MEGABYTE} if memory is not None else {}
    return {**found, **({"time_limit": parse_duration(limit)} if limit is not None else {})}


def _wait(session: Session, run: dict[str, Any], true: Any, seconds: float) -> dict[str, Any]:
    """The run as it is when `true` of it, or after `seconds`, or at once with --no-wait."""
    end = time.monotonic() + seconds
    while session.given.wait and not true(run) and time.monotonic() < end:
        time.sleep(0.1)
        run = session.api.get(session.app_path(f"/runs/{run['name']}"))
    return run


def _in_path(name: str) -> str:
    from wherry.model.run import parse_name

    return f"run.{parse_name(name)}"


def _row(run: dict[str, Any]) -> list[str]:
    from wherry.faces.cli.render import fitted

    command = run["command"][0] if len(run["command"]) == 1 else " ".join(_worded(word) for word in run["command"])
    where = f"in {run['instance']}: " if run["instance"] else ""
    since = ago(run["finished_at"]) if run["finished_at"] else elapsed(run["started_at"] or run["created_at"])
    state = f"ended, {_end(run)}" if run["state"] == "ended" else run["state"]
    return [run["name"], state, since, run["actor"], fitted(f"{where}{command}", 60)]


def _worded(word: str) -> str:
    return word if word and not set(word) & set(" \"'\\$&|;<>()*?\n\t") else quoted(word)


def _end(run: dict[str, Any]) -> str:
    """How it ended, and after how long: `exit 0 after 1.2 s`."""
    code = "" if run["exit_code"] is None else f"exit {run['exit_code']}"
    how = f"{run['reason']} ({code})" if run["reason"] and code else run["reason"] or code or "nobody can tell how"
    lived = f" after {took(run['started_at'], run['finished_at'])}" if run["started_at"] and run["finished_at"] else ""
    return how + lived
