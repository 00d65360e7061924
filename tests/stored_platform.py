"""A platform of database and folders only, for tests of what is wished and told: nothing works off its operations."""

from __future__ import annotations

import base64
import struct
from pathlib import Path

from migrated import migrate
from wherry import clock, settings
from wherry.model.app import App
from wherry.model.build import Build
from wherry.model.instance import Instance
from wherry.model.user import Actor
from wherry.services import platform
from wherry.services.platform import Platform
from wherry.store import apps, builds, events, instances, operations, releases

ADMIN = Actor("alice", "admin", "local")
DEPLOYER = Actor("dora", "deploy", "token")
READER = Actor("rita", "read", "token")


def new_platform(home: Path, **words: str) -> Platform:
    """An empty platform over `home`, with the folders that setup makes."""
    made = platform.of(settings.load({"WHERRY_HOME": str(home), **words}))
    for folder in (made.settings.operation_logs, made.settings.app_logs, made.settings.run, made.settings.spool):
        folder.mkdir(parents=True, exist_ok=True)
    migrate(made.database)
    return made


def deployed(made: Platform, name: str = "shop", config: dict[str, str] | None = None, outcome: str = "live", **processes: str) -> App:
    """One more release of `name`, as a deploy would leave it; makes the app when there is none."""
    with made.database.write() as connection:
        app = apps.find(connection, name) or apps.create(connection, name, "alice", clock.now())
        shape = Build(
            0, app.id, "c" * 40, "t" * 40, "python", "sha256:aa", 84, processes or {"web": "run web", "worker": "run worker"}, clock.now()
        )
        build = builds.add(connection, shape)
        release = releases.add(connection, app, build, app.config if config is None else config, "Deploy ccccccc", "alice", clock.now())
        releases.record_outcome(connection, release, outcome, "" if outcome == "live" else "R10", clock.now())
        if outcome != "live":
            return app
        return apps.change(connection, app, release=release.number, running=release.number, config=release.config)


def running(made: Platform, name: str = "shop", process: str = "web", index: int = 1, **facts: object) -> None:
    """An instance as the engine last saw it."""
    with made.database.write() as connection:
        instances.put(connection, Instance(name, process, index, 1, "running", clock.now(), **facts))  # type: ignore[arg-type]


def finished(made: Platform, operation_id: int, state: str = "succeeded", **result: str) -> None:
    """Ends an operation, as the engine would."""
    with made.database.write() as connection:
        operations.finish(connection, operations.get(connection, operation_id), state, clock.now(), result)


def event_types(made: Platform) -> list[str]:
    """What happened, oldest first."""
    with made.database.read() as connection:
        return [event.type for event in events.since(connection, 0)]


def public_key(letter: str = "A", comment: str = "me@laptop") -> str:
    """A well-formed ed25519 key; another letter is another key."""
    kind = b"ssh-ed25519"
    raw = struct.pack(">I", len(kind)) + kind + struct.pack(">I", 32) + letter.encode() * 32
    return f"ssh-ed25519 {base64.b64encode(raw).decode()} {comment}".strip()
