"""What `ps:report` tells of an app's processes, and the restart policy that it names."""

from __future__ import annotations

from dataclasses import dataclass

from wherry import clock
from wherry.access.require import require
from wherry.errors import NothingToDo
from wherry.model.app import App
from wherry.model.instance import Instance
from wherry.model.release import Release, wished_quantities
from wherry.model.restart_policy import check
from wherry.model.user import Actor
from wherry.services import limits as limit_services
from wherry.services.platform import Platform
from wherry.store import apps, events, instances, releases


@dataclass(frozen=True)
class Report:
    """`release` is the one that the instances carry, `current` may be a later one that left them alone. `wishes` are the
    limits as they were wished, `seen` the instances as the engine last saw them, one-offs left out."""

    app: App
    current: Release | None
    release: Release | None
    quantities: dict[str, int]
    wishes: dict[str, dict[str, object]]
    seen: list[Instance]

    @property
    def state(self) -> str:
        """In a word: `running`, `partly`, `down`, `stopped`, or `not deployed`."""
        if self.release is None:
            return "not deployed"
        if self.app.stopped:
            return "stopped"
        wished, running = sum(self.quantities.values()), sum(one.state == "running" for one in self.seen)
        return "running" if running >= wished else "partly" if running else "down"


def of_app(platform: Platform, actor: Actor, name: str) -> Report:
    """Raises NotFound."""
    wishes = limit_services.of_app(platform, actor, name)
    with platform.database.read() as connection:
        app = apps.get(connection, name)
        release = releases.running(connection, app)
        quantities = wished_quantities(app, release) if release else {}
        seen = [one for one in instances.of_app(connection, name) if one.type in quantities]
        return Report(app, releases.current(connection, app), release, quantities, wishes, seen)


def set_restart_policy(platform: Platform, actor: Actor, name: str, policy: str) -> App:
    """Holds from the next crash on; `always` takes up again what was given up. Raises InvalidInput, NothingToDo."""
    require(actor, "deploy", f"set the restart policy of {name}")
    wished = check(policy)
    with platform.database.write() as connection:
        app = apps.get(connection, name)
        if app.restart_policy == wished:
            raise NothingToDo(f"{name} has the restart policy {wished} already; nothing to do")
        events.add(connection, actor, "app.changed", name, clock.now(), restart_policy=wished)
        app = apps.change(connection, app, restart_policy=wished)
    platform.wake()
    return app
