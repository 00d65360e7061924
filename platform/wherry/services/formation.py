"""What a person can do with process types and instances: scale, restart, look."""

from __future__ import annotations

from wherry.access.require import require
from wherry.errors import Conflict, InvalidInput, NothingToDo
from wherry.model.app import EVERYTHING, App
from wherry.model.instance import Instance, parse_scope
from wherry.model.operation import Operation
from wherry.model.process import check_types
from wherry.model.release import Release, wished_quantities
from wherry.model.run import TYPE as ONE_OFF
from wherry.model.user import Actor
from wherry.model.volume import check_writers, mounts_from_json
from wherry.services import apps as app_services
from wherry.services.platform import Platform
from wherry.store import instances, operations, releases


def of_app(platform: Platform, actor: Actor, name: str) -> dict[str, int]:
    """The wished quantity per process type; empty before the first deploy."""
    app = app_services.get(platform, actor, name)
    release = _release(platform, app)
    return wished_quantities(app, release) if release else dict(app.formation)


def scale(platform: Platform, actor: Actor, name: str, wished: dict[str, int]) -> Operation:
    """Queues new quantities. Raises NothingToDo when they are as wished, InvalidInput for an unknown process type,
    Conflict when a volume of one writer would get a second one."""
    require(actor, "deploy", f"scale {name}")
    if not wished:
        raise InvalidInput("nothing to scale: give process=quantity, e.g. web=2", field="scale")
    app = app_services.get(platform, actor, name)
    release = _release(platform, app)
    if release:
        check_types(wished, release.build.processes)
        shared = {volume.name for volume in app.volumes if volume.shared}
        check_writers(name, mounts_from_json(app.mounts), shared, {**wished_quantities(app, release), **wished})
    present = wished_quantities(app, release) if release else app.formation
    if not _busy(platform, name) and all(present.get(process) == quantity for process, quantity in wished.items()):
        what = ", ".join(f"{process}={quantity}" for process, quantity in wished.items())
        raise NothingToDo(f"{name} has {what} already; nothing to do")
    return platform.wish(actor, name, "scale", {"formation": wished})


def restart(platform: Platform, actor: Actor, name: str, scope: str = EVERYTHING) -> Operation:
    """Queues fresh instances: all (`*`), of one type (`web`), or one (`web.1`)."""
    require(actor, "deploy", f"restart {name}")
    app = app_services.get(platform, actor, name)
    release = _release(platform, app)
    if release is None:
        raise Conflict(f"{name} has no release yet", hint="Push first: git push wherry main", code="no_release")
    if app.stopped:
        raise Conflict(f"{name} is stopped", hint=f"Start it: wherry ps:start {name}", code="app_stopped")
    _check_wished(platform, app, scope)
    return platform.wish(actor, name, "restart", {"scope": scope})


def stop(platform: Platform, actor: Actor, name: str, scope: str = EVERYTHING) -> Operation:
    """Queues: the instances of `scope` (all, `web`, `web.1`) end and stay down until they are started, over reboots too."""
    require(actor, "deploy", f"stop {name}")
    app = app_services.get(platform, actor, name)
    _check_wished(platform, app, scope)
    if not _busy(platform, name) and (app.stopped or scope in app.held):
        raise NothingToDo(f"{_named(name, scope)} is stopped already; nothing to do")
    return platform.wish(actor, name, "stop", {"scope": scope})


def start(platform: Platform, actor: Actor, name: str, scope: str = EVERYTHING) -> Operation:
    """Queues: what was stopped runs again; without a scope everything that was. Raises Conflict before the first deploy."""
    require(actor, "deploy", f"start {name}")
    app = app_services.get(platform, actor, name)
    if app.release is None:
        raise Conflict(f"{name} has no release yet", hint="Push first: git push wherry main", code="no_release")
    _check_wished(platform, app, scope)
    if scope != EVERYTHING and app.stopped:
        raise Conflict(f"{name} is stopped as a whole", hint=f"Start it: wherry ps:start {name}", code="app_stopped")
    if not _busy(platform, name) and not (app.held if scope == EVERYTHING else scope in app.held):
        raise NothingToDo(f"{_named(name, scope)} is started already; nothing to do")
    return platform.wish(actor, name, "start", {"scope": scope})


def seen(platform: Platform, actor: Actor, name: str) -> list[Instance]:
    """The app's instances as the engine last saw them."""
    app_services.get(platform, actor, name)
    with platform.database.read() as connection:
        return instances.of_app(connection, name)


def _named(name: str, scope: str) -> str:
    return name if scope == EVERYTHING else f"{scope} of {name}"


def _check_wished(platform: Platform, app: App, scope: str) -> None:
    release = _release(platform, app)
    if scope != EVERYTHING:
        _check_scope(parse_scope(scope), wished_quantities(app, release) if release else {})


def _check_scope(scope: str, formation: dict[str, int]) -> None:
    process, _, index = scope.partition(".")
    if process == ONE_OFF:
        raise InvalidInput(f"{scope} is a one-off: end it with wherry run:stop", field="instance")
    if process not in formation:
        raise InvalidInput(f'no process "{process}"; this release has: {", ".join(formation)}', field="instance")
    if index and int(index) > formation[process]:
        raise InvalidInput(f"no instance {scope}; {process} has {formation[process]}", field="instance")


def _release(platform: Platform, app: App) -> Release | None:
    with platform.database.read() as connection:
        return releases.current(connection, app)


def _busy(platform: Platform, name: str) -> bool:
    with platform.database.read() as connection:
        return bool(operations.open_of_app(connection, name))
