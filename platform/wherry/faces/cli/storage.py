"""`wherry storage:…`: volumes, and where they are mounted."""

from __future__ import annotations

from typing import Any

from wherry.errors import Conflict, InvalidInput
from wherry.faces.cli import follow
from wherry.faces.cli.client import segment
from wherry.faces.cli.render import ago, disk, facts, printable, quoted
from wherry.faces.cli.run import converse
from wherry.faces.cli.session import Session


def every(session: Session) -> int:
    document = session.api.get(session.app_path("/volumes"))
    rows = [[volume["name"], disk(volume["size"]), _writers(volume), mounted(volume)] for volume in document["volumes"]]
    app = printable(session.given.app)
    empty = f"{app} has no volume; make one: wherry storage:create {app} uploads"
    return session.show(document, session.table(rows, ("VOLUME", "SIZE", "WRITTEN BY", "MOUNTED AT")) if rows else empty)


def info(session: Session) -> int:
    volume = session.api.get(_volume_path(session, session.given.word("VOLUME")))
    measured = f" ({ago(volume['measured_at'])})" if volume["measured_at"] else " (not measured yet)"
    pairs = [
        ("volume", volume["name"]),
        ("app", volume["app"]),
        ("size", disk(volume["size"]) + measured),
        ("written by", _writers(volume)),
        ("mounted at", mounted(volume)),
        ("in Docker", volume["source"]),
        ("made", f"{ago(volume['created_at'])} by {volume['created_by']}"),
    ]
    return session.show(volume, facts(pairs, session.terminal.width))


def create(session: Session) -> int:
    name = session.given.word("VOLUME")
    volume = session.api.send("POST", session.app_path("/volumes"), {"name": name, "shared": "--shared" in session.given.options})
    app = volume["app"]
    return session.show(
        volume, f"{app} has the volume {volume['name']}. Mount it: wherry storage:mount {app} {volume['name']}:/app/{volume['name']}"
    )


def mount(session: Session) -> int:
    from wherry.model.volume import parse_mount

    volume, path = parse_mount(session.given.word("VOLUME:PATH"))
    types = session.given.option("--types")
    body = {"volume": volume, "path": path, "read_only": "--read-only" in session.given.options, "types": types.split(",") if types else []}
    return follow.settle(session, session.api.send("POST", session.app_path("/mounts"), body))


def unmount(session: Session) -> int:
    volume, _, path = session.given.word("VOLUME").partition(":")
    return follow.settle(session, session.api.send("DELETE", session.app_path("/mounts"), query={"volume": volume, "path": path or None}))


def share(session: Session) -> int:
    return _share(session, True)


def unshare(session: Session) -> int:
    return _share(session, False)


def destroy(session: Session) -> int:
    name = session.given.word("VOLUME")
    confirm = session.given.option("--confirm")
    if confirm is None:
        confirm = "" if session.given.json else _ask(session, name)
    return follow.settle(session, session.api.send("DELETE", _volume_path(session, name), query={"confirm": confirm}))


def export(session: Session) -> int:
    """By `tar` in a one-off of the app's image, so that it is the image's user who reads."""
    volume = session.api.get(_volume_path(session, session.given.word("VOLUME")))
    path = _path_of(volume, writable=False)
    if session.terminal.interactive:
        raise InvalidInput(
            f"this is an archive: send it to a file, e.g. wherry storage:export {volume['app']} {volume['name']} > {volume['name']}.tar.gz"
        )
    return converse(session, {"command": ["tar", "-czf", "-", "-C", path, "."]}, terminal=False)


def restore(session: Session) -> int:
    volume = session.api.get(_volume_path(session, session.given.word("VOLUME")))
    path, app = _path_of(volume, writable=True), volume["app"]
    if not volume["shared"] and not session.api.get(session.app_path())["stopped"]:
        raise Conflict(f"{app} runs and may write to {volume['name']}", hint=f"Stop it first: wherry ps:stop {app}", code="app_runs")
    status = converse(session, {"command": ["tar", "-xzf", "-", "-C", path]}, terminal=False)
    if status == 0:
        session.terminal.complain(f"{volume['name']} of {app} holds what was sent, over what was there")
    return status


def _path_of(volume: dict[str, Any], writable: bool) -> str:
    """Where a one-off sees the volume. Raises Conflict when it does not."""
    for mount in volume["mounts"]:
        if not (writable and mount["read_only"]):
            return str(mount["path"])
    app, name = volume["app"], volume["name"]
    where = "mounted nowhere to write to" if writable and volume["mounts"] else "not mounted"
    raise Conflict(f"{name} is {where}", hint=f"Mount it first: wherry storage:mount {app} {name}:/app/{name}", code="not_mounted")


def mounted(volume: dict[str, Any]) -> str:
    """`/app/uploads`, `/data in web, /data in worker (read-only)`, or `-`."""
    return ", ".join(map(_place, volume["mounts"])) or "-"


def _place(mount: dict[str, Any]) -> str:
    where = f" in {', '.join(mount['types'])}" if mount["types"] else ""
    return f"{mount['path']}{where}{' (read-only)' if mount['read_only'] else ''}"


def _writers(volume: dict[str, Any]) -> str:
    return "several" if volume["shared"] else "one at a time"


def _share(session: Session, shared: bool) -> int:
    volume = session.api.send("PATCH", _volume_path(session, session.given.word("VOLUME")), {"shared": shared})
    if "message" in volume:
        return session.show(volume, printable(str(volume["message"])))
    words = "may be written to by several instances" if shared else "is written to by one instance at a time"
    return session.show(volume, f"{volume['name']} of {volume['app']} {words}")


def _ask(session: Session, name: str) -> str:
    """What a person types when asked for the name; says first what would be lost. Nobody is asked about a mounted one, which
    is refused anyhow. Raises InvalidInput when nobody answers."""
    volume = session.api.get(_volume_path(session, name))
    if volume["mounts"]:
        return ""
    held = f" with {disk(volume['size'])}" if volume["size"] else ""
    session.terminal.complain(f'This deletes the volume "{printable(name)}" of {volume["app"]}{held}. Nothing brings it back.')
    answer = session.terminal.ask(f"Type {printable(name)} to go on, or pass --confirm {printable(name)}: ")
    if answer != name:
        raise InvalidInput(f"{printable(name)} stays: its name was not typed", field="confirm", code="not_confirmed")
    return answer


def _volume_path(session: Session, name: str) -> str:
    if name in ("", ".", "..") or "/" in name or "\0" in name or len(name) > 100:
        raise InvalidInput(f"{quoted(name)}: give the name of a volume (see: wherry storage:list APP)", field="volume")
    return session.app_path(f"/volumes/{segment(name)}")
