"""The story of `scripts/down` and of `wherry uninstall --purge`: stop everything and keep the data, or leave no trace."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from wherry import command
from wherry.building.limits import limits_of
from wherry.errors import CommandFailed, Conflict, InvalidInput, NotFound, Unavailable, WherryError
from wherry.settings import Settings
from wherry.setup import accounts, code, engine_api, launcher, machine, service, unit
from wherry.setup.console import Console

MARKS = ("settings.env", "state")
"""What only set-up makes: a folder without them is not ours to remove."""


def down(settings: Settings, console: Console) -> int:
    """Stops the platform and its apps. Data, images and settings stay; `scripts/up` brings all of it back."""
    _refuse_beside_a_running_container(settings, "docker compose down")
    console.heading(f"Stopping {settings.name}; data stays in {settings.home}")
    console.step("platform", lambda: "platform: stopped" if service.stop(settings) else "platform: was not running")
    console.step("apps", lambda: _stop_apps(settings))
    console.detail("Start again with: sudo scripts/up")
    return 0


def uninstall(settings: Settings, console: Console, confirm: str | None, ask: Callable[[str], str]) -> int:
    """Removes all that was made for this platform, and nothing else. Raises InvalidInput without the platform's name."""
    if not all((settings.home / mark).exists() for mark in MARKS):
        raise NotFound(f"no platform in {settings.home}", hint="WHERRY_HOME says which one.", code="no_platform")
    _refuse_beside_a_running_container(settings, "docker compose down, then docker compose run --rm wherry uninstall --purge")
    _agree(settings, console, confirm, ask)
    console.step("platform", lambda: "platform: stopped" if service.stop(settings) else "")
    console.step("containers, networks, images", lambda: _remove_at_engine(settings))
    console.step("firewall", lambda: _open_firewall(settings))
    limits_of(settings).forget()
    console.step("unit", lambda: _remove_unit(settings))
    console.step("command", lambda: f"{', '.join(gone)}: removed" if (gone := launcher.remove(settings)) else "")
    console.step("service users", lambda: _remove_accounts(settings))
    console.step("state", lambda: _remove_home(settings))
    console.heading(f"{settings.name} is gone. Docker and the installed packages stay.")
    return 0


def _refuse_beside_a_running_container(settings: Settings, way: str) -> None:
    """There the platform is what the container runs: who ends it from inside ends with it, and Docker starts it again."""
    if code.is_an_image_s(settings) and service.is_running(settings):
        told = f"{settings.name} runs in a container, which Docker would start again"
        raise Conflict(told, hint=f"On the machine, beside docker-compose.yml: {way}", code="in_container")


def _agree(settings: Settings, console: Console, confirm: str | None, ask: Callable[[str], str]) -> None:
    console.warning(f"This deletes the platform {settings.name}: its apps with their containers, images and volumes, the command, the")
    console.detail(f"service, the service users, and {settings.home} with database, repositories and logs. Nothing brings them back.")
    answer = confirm if confirm is not None else _answer(settings, console, ask)
    if answer.strip() != settings.name:
        raise InvalidInput(f'nothing was removed: the name is "{settings.name}"', field="confirm")


def _answer(settings: Settings, console: Console, ask: Callable[[str], str]) -> str:
    """What the person types; nothing where nobody can, as behind `docker run` without `-i`."""
    try:
        return ask(f"       Type {settings.name} to go on, or pass --confirm {settings.name}: ")
    except EOFError:
        console.blank()
        return ""


def _stop_apps(settings: Settings) -> str:
    try:
        running = [found for found in _ours(settings, "containers") if found["State"] == "running"]
    except Unavailable:
        return "apps: no Docker engine runs"
    limit = settings.stop_timeout
    _each(running, lambda found: engine_api.call("POST", f"/containers/{found['Id']}/stop?t={limit}", limit + 30.0))
    return f"apps: {len(running)} instance{'' if len(running) == 1 else 's'} stopped"


def _remove_at_engine(settings: Settings) -> str:
    try:
        containers, images = _ours(settings, "containers"), _ours(settings, "images")
    except Unavailable:
        return "no Docker engine runs: containers and images, if any, stay"
    _each(containers, lambda found: engine_api.call("DELETE", f"/containers/{found['Id']}?force=1&v=1", 60.0))
    networks, volumes = _ours(settings, "networks"), _ours(settings, "volumes")
    _each(networks, lambda found: engine_api.call("DELETE", f"/networks/{found['Id']}"))
    _each(volumes, lambda found: engine_api.call("DELETE", f"/volumes/{found['Name']}"))
    _remove_images(images)
    return f"{len(containers)} containers, {len(networks)} networks, {len(volumes)} volumes, {len(images)} images: removed"


def _remove_images(images: list[dict[str, Any]]) -> None:
    """Again and again while any goes: one that was built upon goes after the last that was built upon it, as by a `docker build` from
    ours. Raises CommandFailed when one has to stay."""
    waiting, refused = images, list[tuple[dict[str, Any], CommandFailed]]()

    def remove(found: dict[str, Any]) -> None:
        try:
            engine_api.call("DELETE", f"/images/{found['Id']}?force=1", 60.0)
        except CommandFailed as error:
            refused.append((found, error))

    while waiting:
        refused.clear()
        _each(waiting, remove)
        if len(refused) == len(waiting):
            raise refused[0][1]
        waiting = [found for found, _ in refused]


def _ours(settings: Settings, kind: str) -> list[dict[str, Any]]:
    return engine_api.labelled(kind, f"wherry.platform={settings.name}")


def _each(found: list[dict[str, Any]], work: Callable[[dict[str, Any]], object]) -> None:
    """All at once; what is gone already, or goes with another one, is fine."""

    def one(thing: dict[str, Any]) -> None:
        with suppress(NotFound):
            work(thing)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, found))


def _open_firewall(settings: Settings) -> str:
    from wherry.running import firewall
    from wherry.running.docker_networks import bridge_prefix

    with suppress(WherryError):
        firewall.clear(settings.name, bridge_prefix(settings.name))
    return ""


def _remove_unit(settings: Settings) -> str:
    if not unit.path(settings).exists():
        return ""
    unit.path(settings).unlink()
    command.run(["systemctl", "daemon-reload"], check=False)
    return f"{unit.path(settings)}: removed"


def _remove_accounts(settings: Settings) -> str:
    names = accounts.ours(settings)
    accounts.remove(names)
    return f"service users {' and '.join(names)}: removed" if names else ""


def _remove_home(settings: Settings) -> str:
    """In a container the folder itself is a mount, and stays empty."""
    machine.drop_swap(settings.home / "swap")
    for path in settings.home.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    with suppress(OSError):
        settings.home.rmdir()
    return f"{settings.home}: removed"
