"""A Docker engine that answers: found running, or started. One that runs is left as it is."""

from __future__ import annotations

from collections.abc import Callable

from wherry import clock, command
from wherry.errors import Unavailable
from wherry.settings import Settings
from wherry.setup import engine_api, machine

START_LIMIT = 90.0


def ensure(settings: Settings, doing: Callable[[str], None]) -> str:
    """Raises Unavailable when no engine can be started, or one that is too old runs."""
    if engine_api.answers():
        return f"Docker {engine_api.version()}: running"
    doing("starting Docker")
    if machine.has_systemd():
        command.run(["systemctl", "enable", "--now", "docker"], timeout=120, check=False)
    else:
        _start(settings)
    _wait(settings)
    return f"Docker {engine_api.version()}: started"


def _start(settings: Settings) -> None:
    log = settings.home / "logs" / "dockerd.log"
    with log.open("ab") as out:
        started = command.spawn(["dockerd"], stdout=out, stderr=out)
    (settings.run / "dockerd.pid").write_text(f"{started.pid}\n")


def _wait(settings: Settings) -> None:
    deadline = clock.monotonic() + START_LIMIT
    while not engine_api.answers():
        if clock.monotonic() > deadline:
            where = "journalctl -u docker" if machine.has_systemd() else f"tail {settings.home / 'logs' / 'dockerd.log'}"
            raise Unavailable(f"the Docker engine did not answer within {START_LIMIT:g} s", hint=f"See why: {where}", code="no_engine")
        clock.sleep(0.2)
