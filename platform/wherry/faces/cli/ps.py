"""`wherry ps …`: process types and instances."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from wherry.errors import InvalidInput
from wherry.faces.cli import follow
from wherry.faces.cli.client import segment
from wherry.faces.cli.render import ago, elapsed, facts, megabytes, printable, quoted, seconds_until, size, table
from wherry.faces.cli.session import Session

HEADER = ("INSTANCE", "STATE", "SINCE", "MEMORY", "CPU", "RESTARTS")
MOST = 50


def show(session: Session) -> int:
    if session.given.maybe("APP") is None:
        return _show_all(session)
    view = session.api.get(session.app_path("/instances"))
    rows = [_row(instance) for instance in view["instances"]]  # never cut: why an instance crashed stands at the end
    parts = [session.fitted(_headline(view)), table(rows, HEADER, colour=session.terminal.colour) if rows else _why_empty(view)]
    return session.show(view, "\n".join(parts))


def report(session: Session) -> int:
    """What Dokku's ps:report tells, as one page."""
    view = session.api.get(session.app_path("/report"))
    pairs = [
        ("app", view["app"]),
        ("release", f"{view['release']}, {ago(view['released_at'])} by {view['released_by']}" if view["release"] else "none yet"),
        ("runs", f"{view['state']} ({view['running']} of {view['wished']} instances)"),
        ("restart", _policy_words(view["restart_policy"])),
        ("locked", f"by {view['locked_by']}" if view["locked_by"] else ""),
    ]
    header = ("TYPE", "RUNS", "SIZE", "MEMORY", "CPU", "PIDS", "RESTARTS", "COMMAND")
    rows = [_report_row(name, process) for name, process in view["processes"].items()]
    parts = [facts(pairs, session.terminal.width), *([session.table(rows, header)] if rows else [])]
    return session.show(view, "\n".join(parts))


def _policy_words(policy: str) -> str:
    """`on-failure:3: what fails is started again, up to 3 times in a row`."""
    most = policy.partition(":")[2]
    told = {
        "always": "what ends by itself is started again",
        "on-failure": "what fails is started again",
        "no": "what ends by itself stays down",
    }
    return f"{policy}: {told.get(policy) or f'what fails is started again, up to {most} times in a row'}"


def _report_row(name: str, process: dict[str, Any]) -> list[str]:
    cpu = "all" if process["cpu"] is None else f"{process['cpu']:g}"
    size_name = process["size"] or ("custom" if process["set"] else "default")
    runs = f"{process['running']}/{process['quantity']}"
    return [name, runs, size_name, size(process["memory"]), cpu, str(process["pids"]), str(process["restarts"]), process["command"] or "-"]


def put(session: Session) -> int:
    """`restart=on-failure:5`, or in Dokku's words `restart-policy on-failure:5`; its `procfile-path` is a build setting."""
    words = session.given.many("SETTING")
    if words[0] == "procfile-path":
        from wherry.faces.cli import build

        return build.set_fields(session, [f"procfile={' '.join(words[1:])}"])
    answer = session.api.send("PUT", session.app_path("/restart-policy"), {"policy": _policy(words)})
    if "message" in answer:
        return session.show(answer, printable(str(answer["message"])))
    policy = printable(_policy_words(answer["restart_policy"]))
    return session.show(answer, f"restart policy of {printable(session.given.app)} is {policy}")


def _policy(words: list[str]) -> str:
    name, sign, value = words[0].partition("=")
    given = value if sign and len(words) == 1 else words[1] if not sign and len(words) == 2 else None
    if name not in ("restart", "restart-policy") or given is None:
        raise InvalidInput(f"{quoted(' '.join(words))}: give restart=POLICY, e.g. restart=on-failure:5", field="restart")
    return given


def scale(session: Session) -> int:
    pairs = session.given.many("TYPE=N")
    path = session.app_path("/formation")
    if not pairs:
        document = session.api.get(path)
        shown = [[name, str(quantity)] for name, quantity in document["formation"].items()]
        return session.show(document, session.table(shown) if shown else "no process type yet; push first: git push wherry main")
    return follow.settle(session, session.api.send("PATCH", path, formation_of(pairs, lambda: session.api.get(path)["formation"])))


def restart(session: Session) -> int:
    return _act(session, "restart")


def stop(session: Session) -> int:
    return _act(session, "stop")


def start(session: Session) -> int:
    return _act(session, "start")


def _act(session: Session, verb: str) -> int:
    """`verb` for the whole app, or for the process type or instance that is named."""
    instance = session.given.maybe("INSTANCE")
    scope = "" if instance is None else f"/instances/{segment(_in_path(instance))}"
    return follow.settle(session, session.api.send("POST", session.app_path(f"{scope}/actions/{verb}")))


def formation_of(pairs: list[str], present: Callable[[], dict[str, int]] = dict) -> dict[str, int]:
    """Reads `["web=2", "worker+1"]`, the second as Heroku has it, on top of what is `present`. Raises InvalidInput for what JSON
    could not say; the rest is the API's to judge."""
    wished: dict[str, int] = {}
    for pair in pairs:
        if step := re.fullmatch("([0-9A-Za-z_-]+)([+-][0-9]{1,2})", pair):
            pair = f"{step[1]}={max(0, present().get(step[1], 0) + int(step[2]))}"
        name, sign, quantity = pair.partition("=")
        if not sign or not name:
            raise InvalidInput(f"{quoted(pair)}: give process=quantity, e.g. web=2", field="scale")
        if name in wished:
            raise InvalidInput(f"{quoted(name)} is named twice; give each process once, e.g. web=2", field="scale")
        wished[name] = _quantity(name, quantity)
    return wished


def _quantity(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= MOST):
        shown = quoted(f"{name}={text}")[1:-1]
        raise InvalidInput(f"{shown}: give a whole number from 0 to {MOST}, e.g. web=2", field="scale")
    return int(text)


def _in_path(instance: str) -> str:
    if instance in ("", ".", "..") or "/" in instance or "\0" in instance or len(instance) > 100:
        raise InvalidInput(f"{quoted(instance)}: give a process type or an instance, e.g. web or web.1", field="instance")
    return instance


def _show_all(session: Session) -> int:
    document = session.api.get("/api/instances")
    rows = [[instance["app"], *_row(instance)] for instance in document["instances"]]
    return session.show(document, session.table(rows, ("APP", *HEADER)) if rows else "nothing runs; see: wherry apps")


def _headline(view: dict[str, Any]) -> str:
    """`shop  v7  http://shop.example.org    256 MB x 2 web, 1 worker`"""
    wish = "stopped" if view["stopped"] else _sized(view) or "scaled to 0"
    wish = f"{wish}, in maintenance" if view["maintenance"] else wish
    left = f"{view['app']}  {view['release'] or 'no release'}  {view['url'] or 'no address'}"
    return f"{left:<55}  {wish}" if view["release"] else left


def _sized(view: dict[str, Any]) -> str:
    """`256 MB x 2 web, 1 worker`; each its own where they differ: `512 MB x 2 web, 256 MB x 1 worker`."""
    parts: list[str] = []
    last = None
    for name, quantity in view["formation"].items():
        if quantity:
            memory = view["limits"].get(name, view["memory_limit"])
            parts.append(f"{quantity} {name}" if memory == last else f"{size(memory)} x {quantity} {name}")
            last = memory
    return ", ".join(parts)


def _why_empty(view: dict[str, Any]) -> str:
    if view["release"] is None:
        return "nothing runs yet; push first: git push wherry main"
    return (
        f"nothing runs; start it: wherry ps:start {view['app']}"
        if view["stopped"]
        else f"nothing runs; wherry ps:scale {view['app']} web=1"
    )


def _row(instance: dict[str, Any]) -> list[str]:
    memory = "-" if instance["memory"] is None else f"{megabytes(instance['memory'])} / {megabytes(instance['memory_limit'])} M"
    cpu = "-" if instance["cpu"] is None else f"{instance['cpu']:.0f} %"
    restarts = [*([] if instance["type"] == "run" else [str(instance["restarts"])]), *filter(None, [_why(instance)])]
    return [instance["name"], instance["state"], elapsed(instance["since"]), memory, cpu, ", ".join(restarts)]


def _why(instance: dict[str, Any]) -> str:
    """`next try in 12 s (exit 1: …)` while it waits, else why it is as it is."""
    seconds = seconds_until(instance["next_try"]) if instance["next_try"] else 0
    return f"next try in {seconds:.0f} s ({instance['detail']})" if seconds >= 1 else str(instance["detail"])
