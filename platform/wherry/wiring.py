"""Puts the parts of each process together: the only place that knows which tool stands behind a port."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

from wherry.errors import WherryError
from wherry.settings import Settings


def run_engine(settings: Settings) -> None:
    """The engine process: blocks until SIGTERM. The only one with Docker's and HAProxy's sockets."""
    from wherry.reconciler.loop import Loop

    outside = _outside(settings)
    loop = Loop(outside, _sampler(outside))
    signal.signal(signal.SIGTERM, lambda *_: loop.stop())
    signal.signal(signal.SIGINT, lambda *_: loop.stop())
    _wall(settings)
    loop.recover(lambda absent: _open_the_gate(settings, absent))
    loop.run()
    outside.collector.stop()


def _open_the_gate(settings: Settings, proxy_absent: bool) -> None:
    """Lets the supervisor start the proxy, from files that hold nothing of an earlier life's addresses."""
    from wherry.routing import haproxy_config

    if proxy_absent:
        haproxy_config.prepare(settings)
    settings.engine_ready.touch()


def run_receiver(settings: Settings) -> None:
    """The SSH receiver: blocks. Knows users and keys from the database; everything else is the command line's."""
    from wherry.receiving import server
    from wherry.services import logins, platform

    made = platform.of(settings)
    server.serve(settings, lambda key_type, blob: logins.by_key(made, key_type, blob), cli_argv(settings))


def run_api(settings: Settings) -> None:
    """The control API under gunicorn: blocks."""
    from wherry.faces.api.server import serve

    serve(settings)


def cli_argv(settings: Settings) -> list[str]:
    """How this platform's command line is run from a fresh process."""
    from wherry.settings import source_root

    return [sys.executable, "-I", "-S", str(source_root() / "platform" / "wherry" / "faces" / "cli" / "main.py")]


def _outside(settings: Settings):  # type: ignore[no-untyped-def]
    from wherry.building.buildkit_builder import BuildKitBuilder
    from wherry.reconciler.outside import Outside
    from wherry.routing.haproxy_proxy import HaproxyProxy
    from wherry.running.docker_client import SOCKET
    from wherry.running.docker_engine import DockerEngine
    from wherry.running.log_collector import LogCollector
    from wherry.store.app_logs import AppLogs
    from wherry.store.database import Database

    logs = AppLogs(settings.app_logs)
    collector = LogCollector(SOCKET, logs, settings.home / "state" / "log-positions")
    collector.start()
    return Outside(
        settings=settings,
        database=Database(settings.database),
        engine=DockerEngine(settings.name),
        proxy=HaproxyProxy(settings),
        builder=BuildKitBuilder(settings),
        look=_Eyes(),
        collector=collector,
        platform_line=logs.platform_line,
    )


def _sampler(outside) -> Callable[[], None]:  # type: ignore[no-untyped-def]
    """Measures the instances every other tick."""
    from wherry.metering.sample import sample_all

    state = {"turn": 0, "previous": None}

    def ticked() -> None:
        state["turn"] += 1
        if state["turn"] % 2:
            state["previous"] = sample_all(outside.engine, outside.database, state["previous"])

    return ticked


def _wall(settings: Settings) -> None:
    """Keeps the apps off the host; a machine that does not allow it is told once, and serves on."""
    from wherry.running import firewall
    from wherry.running.docker_engine import bridge_prefix

    try:
        why = firewall.apply(settings.name, bridge_prefix(settings.name), (settings.http_port, settings.https_port))
    except WherryError as error:
        why = error.message
    if why:
        print(f"apps can reach the host's own ports: {why}", file=sys.stderr, flush=True)


class _Eyes:
    """Looks at instances with real sockets and the kernel's tables."""

    def listens(self, address: str, port: int, timeout: float = 1.0) -> bool:
        from wherry.routing import probe

        return probe.listens(address, port, timeout)

    def check_http(self, address: str, port: int, path: str, host: str = "localhost", timeout: float = 5.0) -> int | None:
        from wherry.routing import probe

        return probe.check_http(address, port, path, host, timeout)

    def listeners(self, pid: int) -> list[tuple[str, int]]:
        from wherry.running.listeners import listeners

        return listeners(pid)
