"""The platform inside a container, as docker-compose.yml starts it: the same steps without packages, then `serve` in the
foreground. Code and libraries are the image's; the state folder is the machine's, at the same path."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from wherry import settings as settings_module
from wherry.errors import Unavailable, WherryError
from wherry.settings import Settings, source_root
from wherry.setup import accounts, code, engine_api, folders, launcher, person, ports, sample, service, stacks, values, venv
from wherry.setup.console import Console

ADMIN = "root"


def start() -> None:
    """Prepares the state, then becomes `serve`; a child waits for it and pushes the sample app."""
    kept = values.decide(settings_module.given())
    settings, console = values.settings_of(kept), Console()
    console.heading(f"Wherry in a container; state in {settings.home}")
    console.step("Docker", _engine)
    console.step("ports", lambda: ports.check(settings))
    console.step("service users", lambda: accounts.ensure(settings))
    console.step("folders", lambda: folders.ensure(settings))
    console.step("settings", lambda: values.keep(settings, kept))
    console.step("code", lambda: _link(settings))
    console.step("database", lambda: stacks.migrate(settings))
    console.step("base images", lambda: stacks.ensure(settings, console))
    console.step("admin", lambda: person.ensure_admin(settings, ADMIN))
    console.step("command", lambda: launcher.ensure(settings))
    if os.fork() == 0:
        os._exit(_welcome(settings, console))
    argv = service.argv(settings)
    os.execve(argv[0], argv, {**_environment(), **service.environment(settings)})


def _environment() -> dict[str, str]:
    return {**settings_module.network(), "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def _engine() -> str:
    try:
        return f"Docker {engine_api.version()}: running"
    except Unavailable as error:
        error.hint = error.hint or "Mount the engine's socket: -v /var/run/docker.sock:/var/run/docker.sock (docker-compose.yml does)."
        raise


def _link(settings: Settings) -> str:
    """The paths that everything else knows, pointing into the image."""
    code.link(code.folder(settings), source_root())
    code.link(venv.folder(settings), Path(sys.prefix))
    return ""


def _welcome(settings: Settings, console: Console) -> int:
    try:
        service.wait(settings)
        console.step("sample app", lambda: sample.ensure(settings, ADMIN))
    except WherryError as error:
        console.failure(error)
        return error.exit_status
    console.heading(f"Ready: {settings.url_of(sample.APP)}")
    console.detail(f"Add your key: docker compose exec -T wherry {settings.name} keys:add laptop < ~/.ssh/id_ed25519.pub")
    return 0
