"""`wherry apps …`: the apps as a whole."""

from __future__ import annotations

from typing import Any

from wherry.errors import Conflict, InvalidInput
from wherry.faces.cli import follow
from wherry.faces.cli.render import ago, counted, disk, facts, printable, quoted
from wherry.faces.cli.session import Session

NOWHERE = "none: add a domain with wherry domains:add {app} shop.example.org"


def every(session: Session) -> int:
    document = session.api.get("/api/apps", label=session.given.option("--label"))
    rows = [[app["name"], app["release"] or "-", state_of(app), app["url"] or "-"] for app in document["apps"]]
    empty = "no app yet; make one: git push wherry main, or wherry apps:create shop"
    if label := session.given.option("--label"):
        empty = f"no app has the label {quoted(label)}; put it on one: wherry labels:set APP {printable(label)}"
    return session.show(document, session.table(rows, ("APP", "RELEASE", "RUNS", "URL")) if rows else empty)


def create(session: Session) -> int:
    app = session.api.send("POST", "/api/apps", {"name": session.given.word("NAME")})
    steps = [f"{app['name']} is ready for its first push:", f"  git remote add wherry {app['git_url']}", "  git push wherry main"]
    return session.show(app, "\n".join(steps))


def info(session: Session) -> int:
    app = session.api.get(session.app_path())
    pairs = [
        ("app", app["name"]),
        ("url", app["url"] or session.own(NOWHERE.format(app=app["name"]))),
        ("git", app["git_url"]),
        ("release", app["release"] or "none yet; push first: git push wherry main"),
        ("runs", state_of(app)),
        ("labels", ", ".join(f"{key}={value}" for key, value in app["labels"].items())),
        ("locked", _locked(app)),
        ("made", f"{ago(app['created_at'])} by {app['created_by']}"),
    ]
    return session.show(app, facts(pairs, session.terminal.width), given=True)


def destroy(session: Session) -> int:
    name = session.given.app
    confirm = session.given.option("--confirm")
    if confirm is None:
        confirm = "" if session.given.json else _ask(session, name)
    return follow.settle(session, session.api.send("DELETE", session.app_path(), query={"confirm": confirm}))


def rename(session: Session) -> int:
    return follow.settle(session, session.api.send("POST", session.app_path("/actions/rename"), {"name": session.given.word("NEW")}))


def clone(session: Session) -> int:
    body = {"name": session.given.word("NEW"), "deploy": "--no-deploy" not in session.given.options}
    return follow.settle(session, session.api.send("POST", session.app_path("/actions/clone"), body))


def lock(session: Session) -> int:
    answer = session.api.send("PUT", session.app_path("/lock"), {"why": " ".join(session.given.many("WHY"))})
    app = printable(session.given.app)
    words = f"{app} is locked: pushes and changes are refused. Unlock it: wherry apps:unlock {app}"
    return session.show(answer, printable(str(answer.get("message", words))))


def unlock(session: Session) -> int:
    answer = session.api.send("DELETE", session.app_path("/lock"))
    return session.show(answer, printable(str(answer.get("message", f"{session.given.app} can be changed again"))))


def open_app(session: Session) -> int:
    app = session.api.get(session.app_path())
    if not app["url"]:
        hint = f"Add one: wherry domains:add {session.given.app} shop.example.org"
        raise Conflict(f"{session.given.app} answers nowhere", hint=hint, code="no_address")
    _open_browser(session, app["url"])
    return session.show(app, printable(app["url"]))


def state_of(app: dict[str, Any]) -> str:
    """`stopped`, or what is wished: `2 web, 1 worker`; and whether visitors are kept out."""
    running = ", ".join(f"{quantity} {name}" for name, quantity in app["formation"].items() if quantity)
    wish = "stopped" if app["stopped"] else running or ("scaled to 0" if app["formation"] else "-")
    return f"{wish}, in maintenance" if app["maintenance"] else wish


def _locked(app: dict[str, Any]) -> str:
    lock = app["lock"]
    if lock is None:
        return ""
    return f"{ago(lock['at'])} by {lock['by']}{': ' + lock['why'] if lock['why'] else ''}"


def _ask(session: Session, name: str) -> str:
    """What a person types when asked for the name; says first what would be lost. Raises InvalidInput when nobody answers."""
    session.terminal.complain(f"This deletes {printable(name)}{losses(session)}")
    answer = session.terminal.ask(f"Type {printable(name)} to go on, or pass --confirm {printable(name)}: ")
    if answer != name:
        raise InvalidInput(f"{printable(name)} stays: its name was not typed", field="confirm", code="not_confirmed")
    return answer


def losses(session: Session) -> str:
    """`, its 3 instances, 12 releases and the volume "uploads" (1.2 GB). Nothing brings them back.` Raises NotFound."""
    releases = session.api.get(session.app_path("/releases"), limit="1")["releases"]
    instances = session.api.get(session.app_path("/instances"))["instances"]
    volumes = session.api.get(session.app_path("/volumes"))["volumes"]
    number = releases[0]["number"] if releases else 0
    parts = [counted(count, noun) for count, noun in ((len(instances), "instance"), (number, "release")) if count]
    parts += [_with_size(volume) for volume in volumes]
    if not parts:
        return ". Nothing brings it back."
    listed = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    return f", its {listed}. Nothing brings them back."


def _with_size(volume: dict[str, Any]) -> str:
    held = f" ({disk(volume['size'])})" if volume["size"] else ""
    return f'the volume "{volume["name"]}"{held}'


def _open_browser(session: Session, url: str) -> None:
    """Where a person sits at a desktop; never over SSH or in a pipe."""
    browser = session.terminal.find_program("xdg-open")
    desktop = session.terminal.environ.get("DISPLAY") or session.terminal.environ.get("WAYLAND_DISPLAY")
    if session.terminal.interactive and browser and desktop and not session.given.json and url.startswith(("http://", "https://")):
        from wherry.command import spawn

        spawn([browser, url], env={key: value for key, value in session.terminal.environ.items() if key in DESKTOP})


DESKTOP = ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "HOME", "USER", "BROWSER")
