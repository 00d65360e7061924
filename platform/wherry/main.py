"""The platform's own commands, for root on the machine itself: serve, setup, down, uninstall, stack, migrate,
secrets:rotate.

Everything else a person types goes to `wherry.faces.cli`. Run as a file it finds its own code, links resolved: a
process keeps to the version it started with while another one is put in place.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0:1] = [str(Path(__file__).resolve().parents[1])]

import argparse
import importlib
import os
import signal
import warnings
from typing import NoReturn

from wherry import settings as settings_module
from wherry.errors import InvalidInput, WherryError
from wherry.settings import Settings
from wherry.setup import identity
from wherry.setup.console import Console
from wherry.supervisor import lock, process
from wherry.supervisor.child import Part
from wherry.supervisor.supervisor import HEARD, RELOAD, Supervisor

SHARED = (
    "concurrent.futures.thread",
    "difflib",
    "email.parser",
    "gzip",
    "hmac",
    "html",
    "http.client",
    "http.cookies",
    "importlib.metadata",
    "importlib.resources",
    "json",
    "logging",
    "mimetypes",
    "msgspec",
    "queue",
    "secrets",
    "shlex",
    "sqlite3",
    "ssl",
    "tempfile",
    "threading",
    "unicodedata",
    "wherry.faces.git_hook.forkserver",
    "wherry.receiving.repositories",
    "wherry.services.certificates",
    "wherry.services.domains",
    "wherry.services.platform",
    "wherry.store.app_logs",
    "wherry.store.bakes",
    "wherry.store.builds",
    "wherry.store.deploy_keys",
    "wherry.store.disk",
    "wherry.store.drains",
    "wherry.store.instances",
    "wherry.store.keys",
    "wherry.store.log_settings",
    "wherry.store.registries",
    "wherry.store.releases",
    "wherry.store.runs",
    "wherry.store.users",
    "wherry.store.volumes",
    "wherry.wiring",
)
"""Loaded once, before the fork, because more than one process uses it; docker, flask and paramiko each belong to one only. The git
hook's code is here too: loaded after the fork, it would make Python write to twice as many pages that the others share."""

NEVER = ("chardet", "charset_normalizer")
"""What requests would load to guess the encoding of a text that names none: 1.5 MB, for answers that are all UTF-8."""

USAGE = """\
wherry serve               starts the platform and stays in the foreground
wherry setup               what scripts/up does, once more
wherry down                stops the platform and its apps; data stays
wherry uninstall --purge   removes all that was made; asks for the name, or --confirm NAME
wherry stack               shows the base images of builds
wherry stack:set KIND      switches them: hub or debian
wherry stack:refresh       makes them anew, with the newest packages
wherry migrate             brings the database up to date
wherry secrets:rotate      seals all secrets in the database anew, with a fresh key
wherry doctor              looks at everything and says what to do; --bundle packs it for a report"""


def main(argv: list[str]) -> int:
    """Runs one command; returns its exit status."""
    console = Console(sys.stderr)
    try:
        return _run(_parse(argv))
    except WherryError as error:
        console.failure(error)
        return error.exit_status
    except KeyboardInterrupt:
        return 130


def _run(given: argparse.Namespace) -> int:
    """Imports only what the command needs: what `serve` loads stays in memory for good."""
    match given.verb:
        case "serve":
            return serve(settings_module.load())
        case "setup":
            return _setup(given)
        case "container":
            return _container()
        case "doctor":
            return _doctor(given)
        case "down" | "uninstall":
            return _stop(settings_module.load(), given)
        case _:
            return _with_libraries(settings_module.load(), Console(), given)


def _setup(given: argparse.Namespace) -> int:
    from wherry.setup import up

    if not given.go_on:
        up.first_half(given.swap)
    return up.second_half(settings_module.load(), given.person, given.began)


def _container() -> int:
    from wherry.setup import container

    container.start()
    return 0


def _doctor(given: argparse.Namespace) -> int:
    if given.help:
        from wherry.faces.cli.main import main as cli

        return cli(["help", "doctor"])
    from wherry.setup.doctor.run import doctor

    return doctor(settings_module.load(), given.json, given.bundle, given.output)


def _stop(settings: Settings, given: argparse.Namespace) -> int:
    from wherry.setup import down

    if given.verb == "down":
        return down.down(settings, Console())
    if not given.purge:
        raise InvalidInput("uninstall removes apps and data for good: say so with --purge", hint=f"To stop only: {settings.name} down")
    return down.uninstall(settings, Console(), given.confirm, input)


def _with_libraries(settings: Settings, console: Console, given: argparse.Namespace) -> int:
    from wherry.setup import stacks

    match given.verb:
        case "stack:set":
            return stacks.switch(settings, console, given.kind)
        case "stack:refresh":
            return stacks.refresh(settings, console)
        case "migrate" if given.forget_secrets:
            console.detail(stacks.forget_secrets(settings))
            return 0
        case "secrets:rotate":
            return stacks.rotate_key(settings, console, settings_module.invoker())
        case "migrate":
            console.detail(stacks.migrate(settings) or "database: up to date")
            return 0
        case _:
            return stacks.show(settings, console)


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = _Parser(prog="wherry", add_help=False)
    verbs = parser.add_subparsers(dest="verb", required=True, parser_class=_Parser)
    for verb in ("serve", "container", "down", "stack", "stack:refresh", "secrets:rotate"):
        verbs.add_parser(verb, add_help=False)
    verbs.add_parser("migrate", add_help=False).add_argument("--forget-secrets", action="store_true")
    setup = verbs.add_parser("setup", add_help=False)
    setup.add_argument("--go-on", action="store_true")
    setup.add_argument("--swap", default="")
    setup.add_argument("--person", default="root")
    setup.add_argument("--began", type=float, default=0.0)
    uninstall = verbs.add_parser("uninstall", add_help=False)
    uninstall.add_argument("--purge", action="store_true")
    uninstall.add_argument("--confirm", metavar="NAME")
    doctor = verbs.add_parser("doctor", add_help=False)
    for switch in ("--json", "--bundle"):
        doctor.add_argument(switch, action="store_true")
    doctor.add_argument("-h", "--help", action="store_true")
    doctor.add_argument("-o", "--output", metavar="FILE", default="")
    verbs.add_parser("stack:set", add_help=False).add_argument("kind", metavar="KIND")
    return parser.parse_args(argv)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InvalidInput(message, hint=f"One of:\n{USAGE}")


def serve(settings: Settings) -> int:
    """Runs the platform until SIGTERM; on SIGUSR2 starts over with the code that is in place now, the proxy serving on."""
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    held = lock.hold(settings.run / "serve.lock")
    _load()
    identity.note(settings)
    command = process.command_line(os.getpid())
    process.rename(f"{settings.name}: supervisor")
    supervisor = Supervisor(
        settings.name, parts(settings), settings.engine_ready, settings.platform_log, (held,), lambda: _prepare(settings)
    )
    if supervisor.run() == RELOAD:
        os.execv(sys.executable, [sys.executable, *command[1:]])
    return 0


def _serve_api(settings: Settings) -> None:
    from wherry.faces.api import unloaded

    unloaded.leave_out()
    from wherry.faces.api.server import serve

    serve(settings)


def _serve_hooks(settings: Settings) -> None:
    from wherry.faces.git_hook.forkserver import serve

    serve(settings.hook_socket)


def _load() -> None:
    sys.modules.update(dict.fromkeys(NEVER))  # type: ignore[arg-type]
    warnings.filterwarnings("ignore", message="Unable to find acceptable character detection")
    for name in SHARED:
        importlib.import_module(name)


def _prepare(settings: Settings) -> None:
    """Known hosts answer "starting": what was published before the engine went may not be true any more."""
    from wherry.routing import haproxy_config

    haproxy_config.prepare(settings)


def parts(settings: Settings) -> list[Part]:
    """The five processes in the order of their start."""
    from wherry import wiring
    from wherry.routing import haproxy_config

    return [
        Part("engine", run=lambda: wiring.run_engine(settings), grace=15.0),
        Part(
            "haproxy",
            argv=lambda: haproxy_config.command(settings),
            stop_signals=(signal.SIGUSR1, signal.SIGTERM),
            grace=3.0,
            pid_file=settings.run / "haproxy.pid",
        ),
        Part("api", run=lambda: _serve_api(settings), user=settings.api_user),
        Part("hook", run=lambda: _serve_hooks(settings), user=settings.user),
        Part("receiver", run=lambda: wiring.run_receiver(settings), user=settings.user),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
