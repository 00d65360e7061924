"""`wherry ps …`: process types and instances."""

from __future__ import annotations

from typing import Any

from wherry.errors import InvalidInput
from wherry.faces.cli import follow
from wherry.faces.cli.client import segment
from wherry.faces.cli.render import elapsed, megabytes, quoted, size, table
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


def scale(session: Session) -> int:
    pairs = session.given.many("TYPE=N")
    path = session.app_path("/formation")
    if not pairs:
        document = session.api.get(path)
        shown = [[name, str(quantity)] for name, quantity in document["formation"].items()]
        return session.show(document, session.table(shown) if shown else "no process type yet; push first: git push wherry main")
    return follow.settle(session, session.api.send("PATCH", path, formation_of(pairs)))


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


def formation_of(pairs: list[str]) -> dict[str, int]:
    """Reads `["web=2", "worker=1"]`. Raises InvalidInput for what JSON could not say; the rest is the API's to judge."""
    wished: dict[str, int] = {}
    for pair in pairs:
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
    left = f"{view['app']}  {view['release'] or 'no release'}  {view['url']}"
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
    restarts = ", ".join([*([] if instance["type"] == "run" else [str(instance["restarts"])]), *filter(None, [instance["detail"]])])
    return [instance["name"], instance["state"], elapsed(instance["since"]), memory, cpu, restarts]
