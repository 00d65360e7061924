"""The bundle that a person sends with a report: findings, versions, settings, the platform's log, operations, the proxy's
configuration. Never config vars, keys, tokens or what apps printed; all of it goes through the masker."""

from __future__ import annotations

import io
import json
import platform
import tarfile
import time
from collections.abc import Callable
from typing import Any

from wherry import command
from wherry.errors import WherryError
from wherry.routing.haproxy_config import Files
from wherry.settings import DECLARED, Settings
from wherry.setup import engine_api, identity, machine, service
from wherry.setup.doctor import masking
from wherry.setup.doctor.finding import Finding, lines_of, summary, to_json
from wherry.store import apps, events, operations
from wherry.store.database import Database
from wherry.version import VERSION

LOG_LINES, OPERATIONS, EVENTS = 3000, 300, 300
DOCKER_FACTS = (
    *("ServerVersion", "Driver", "CgroupVersion", "CgroupDriver", "MemoryLimit", "SwapLimit", "PidsLimit", "KernelVersion"),
    *("OperatingSystem", "Architecture", "NCPU", "MemTotal", "Containers", "ContainersRunning", "Images", "DockerRootDir"),
    *("SecurityOptions", "DefaultRuntime", "LiveRestoreEnabled", "LoggingDriver", "Warnings"),
)
"""What is told of `docker info`: a list of what may leave, so that nothing else does."""


def make(settings: Settings, findings: list[Finding]) -> bytes:
    """A tar.gz with one folder. A part that can not be had says so in its place."""
    masked = masking.of(settings)
    parts: dict[str, Callable[[], str]] = {
        "doctor.txt": lambda: "\n".join([*(line for finding in findings for line in lines_of(finding)), summary(findings)]),
        "doctor.json": lambda: _json(to_json(findings)),
        "versions.txt": lambda: _versions(settings),
        "settings.txt": lambda: "\n".join(f"{one.key}={getattr(settings, one.key.removeprefix('WHERRY_').lower())}" for one in DECLARED),
        "docker.json": _docker,
        "platform.log": lambda: "\n".join(service.last_words(settings, LOG_LINES)),
        "haproxy.cfg": lambda: Files(settings).config.read_text("utf-8"),
        "apps.json": lambda: _json(_apps(settings)),
        "operations.json": lambda: _json(_operations(settings)),
        "events.json": lambda: _json(_events(settings)),
        "processes.txt": lambda: _processes(settings),
        "listening.txt": lambda: _run("ss", "-ltn"),
        "disk.txt": lambda: _run("df", "-h") + _run("df", "-i"),
        "memory.txt": lambda: _run("free", "-m"),
    }
    folder = time.strftime("wherry-doctor-%Y%m%d-%H%M%S", time.gmtime())
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz") as archive:
        for name, part in parts.items():
            _add(archive, f"{folder}/{name}", masked(_told(part)))
    return body.getvalue()


def _told(part: Callable[[], str]) -> str:
    try:
        return part()
    except (WherryError, OSError, ValueError, KeyError) as error:
        return f"not to be had: {error}"


def _add(archive: tarfile.TarFile, name: str, text: str) -> None:
    data = text.encode("utf-8", "replace")
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(data), 0o600, int(time.time())
    archive.addfile(entry, io.BytesIO(data))


def _json(document: Any) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False)


def _versions(settings: Settings) -> str:
    lines = [f"wherry {VERSION}", f"python {platform.python_version()}", machine.describe(), f"kernel {platform.release()}"]
    lines += [f"installed {identity.of(settings)}, running {identity.running(settings) or 'nothing'}"]
    return "\n".join([*lines, _run("haproxy", "-v").splitlines()[0], _run("git", "--version").strip()])


def _docker() -> str:
    facts = engine_api.call("GET", "/info")
    return _json({name: facts.get(name) for name in DOCKER_FACTS})


def _apps(settings: Settings) -> list[dict[str, Any]]:
    with Database(settings.database).read() as connection:
        return [
            {"name": app.name, "release": app.release, "formation": app.formation, "held": app.held, "domains": len(app.domains)}
            | {"config_keys": len(app.config), "limits": app.limits, "locked": app.lock is not None}
            for app in apps.every(connection)
        ]


def _operations(settings: Settings) -> list[dict[str, Any]]:
    """How they went, without what they were given: a payload holds config."""
    told = ("id", "app", "kind", "actor", "state", "attempts", "created_at", "started_at", "finished_at", "error")
    with Database(settings.database).read() as connection:
        return [{name: getattr(one, name) for name in told} for one in operations.recent(connection, limit=OPERATIONS)]


def _events(settings: Settings) -> list[dict[str, Any]]:
    """The newest, without their details."""
    with Database(settings.database).read() as connection:
        found = events.recent(connection, events.EVERY, EVENTS)
    return [{"id": one.id, "at": one.at, "actor": one.actor, "via": one.via, "app": one.app, "type": one.type} for one in found]


def _processes(settings: Settings) -> str:
    """Ours only: the command lines of others are not ours to tell."""
    rows = _run("ps", "-eo", "pid,user,rss,etime,args").splitlines()
    return "\n".join(row for row in rows if row.startswith("    PID") or f" {settings.name}: " in row or "haproxy -W" in row)


def _run(*argv: str) -> str:
    return command.run(list(argv), timeout=20, check=False).out.decode("utf-8", "replace")
