"""Root's commands around the database and the base images, as steps and as `wherry stack`."""

from __future__ import annotations

from wherry import clock
from wherry.building import logins
from wherry.building.buildkit import BuildKit
from wherry.building.limits import limits_of
from wherry.building.stack import Stacks
from wherry.model.user import Actor
from wherry.settings import Settings
from wherry.setup import machine
from wherry.setup.console import Console
from wherry.store import key_change
from wherry.store.database import Database


def migrate(settings: Settings) -> str:
    """Brings the database up to date; the copy from before is kept beside it."""
    database = Database(settings.database)
    try:
        ran = database.migrate()
    finally:
        database.close()
    return f"database: {len(ran)} migration{'s' if len(ran) > 1 else ''}" if ran else ""


def forget_secrets(settings: Settings) -> str:
    """For who lost the key of the database: what was sealed with it is emptied."""
    database = Database(settings.database)
    try:
        database.forget_secrets()
        database.migrate()
    finally:
        database.close()
    return "config vars, build settings, deploy keys and drains are emptied, and a new key begins: set them again, then push"


def rotate_key(settings: Settings, console: Console, person: str) -> int:
    """Seals all secrets with a fresh key, while the platform works. Raises Conflict for whoever is not root."""
    machine.check_root(f"{settings.name} secrets:rotate")
    database = Database(settings.database)
    try:
        database.migrate()
        count = key_change.change(database, Actor(person, "admin", "local"), clock.now())
    finally:
        database.close()
    console.detail(f"{count} values are sealed with a new key. Back up {database.key.path} now.")
    console.detail("Copies of the database from before open with the key of their time alone: keep that beside them.")
    console.detail("A value that somebody may have seen is not safe again by this: set another one.")
    return 0


def ensure(settings: Settings, console: Console) -> str:
    """Makes the base images that the first push would otherwise wait for."""
    _of(settings).ensure(lambda line: console.detail(line.removeprefix("-----> ").strip()))
    return ""


def show(settings: Settings, console: Console) -> int:
    stacks = _of(settings)
    stack = stacks.current()
    if stack is None:
        console.detail("no base image yet; the first push makes one, or: wherry stack:refresh")
        return 0
    source = "official slim images" if stack.kind == "hub" else f"made from {stack.base} packages"
    console.heading(f"{stack.kind}: {source}{', as asked' if stack.asked else ''}")
    for image in stacks.show():
        console.detail(f"{image.name}  {image.size / 1e6:.0f} MB  {image.id.removeprefix('sha256:')[:12]}")
    return 0


def switch(settings: Settings, console: Console, kind: str) -> int:
    _of(settings).switch(kind, console.detail)
    return show(settings, console)


def refresh(settings: Settings, console: Console) -> int:
    _of(settings).refresh(console.detail)
    return show(settings, console)


def _of(settings: Settings) -> Stacks:
    return Stacks(settings, BuildKit(limits=limits_of(settings), logins=logins.by(settings)))
