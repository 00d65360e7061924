"""Puts the parts of each process together: the only place that knows which tool stands behind a port."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING

from wherry import failpoint
from wherry.errors import WherryError
from wherry.settings import Settings, source_root

if TYPE_CHECKING:
    from wherry.model.check import Answer, HealthCheck
    from wherry.reconciler.outside import Outside
    from wherry.running.doorbell import Witness
    from wherry.store.app_logs import AppLogs


def run_engine(settings: Settings) -> None:
    """The engine process: blocks until SIGTERM. The only one with Docker's and HAProxy's sockets."""
    from wherry.reconciler.loop import Loop
    from wherry.routing.haproxy_config import Files
    from wherry.routing.router_socket import RouterSocket
    from wherry.store.app_logs import AppLogs
    from wherry.store.log_wishes import LogWishes

    failpoint.arm(settings.failpoints, settings.struck)
    wishes = LogWishes(settings.database, settings.log_size)
    logs = AppLogs(settings.app_logs, wishes.cap)
    outside = _outside(settings, logs)
    loop = Loop(outside)
    signal.signal(signal.SIGTERM, lambda *_: loop.stop())
    signal.signal(signal.SIGINT, lambda *_: loop.stop())
    _wall(settings)
    loop.recover(lambda absent: _open_the_gate(settings, absent))
    threading.Thread(target=_measure, args=(outside,), name="measure", daemon=True).start()
    router = RouterSocket(Files(settings).router, logs.append, wishes.of)
    router.start()
    loop.run()
    router.stop()
    outside.collector.stop()


def _open_the_gate(settings: Settings, proxy_absent: bool) -> None:
    """Lets the supervisor start the proxy, from files that hold nothing of an earlier life's addresses."""
    from wherry.routing import certificates, haproxy_config

    if proxy_absent:
        certificates.ensure_fallback_certificate(settings.proxy / "certificates", settings.domain)
        haproxy_config.prepare(settings)
    settings.engine_ready.touch()


def run_receiver(settings: Settings) -> None:
    """The SSH receiver: blocks. Knows users and keys from the database; everything else is the command line's."""
    from wherry.access.require import require
    from wherry.receiving.server import Doors, serve
    from wherry.services import logins, platform

    made = platform.of(settings)
    serve(settings, Doors(lambda key_type, blob: logins.by_key(made, key_type, blob), require, cli_argv()))


def cli_argv() -> list[str]:
    """How this platform's command line is run from a fresh process."""
    return [sys.executable, "-I", "-S", str(source_root() / "platform" / "wherry" / "faces" / "cli" / "main.py")]


def _outside(settings: Settings, logs: AppLogs) -> Outside:
    from wherry import machine
    from wherry.building.buildkit_builder import BuildKitBuilder
    from wherry.model import shares
    from wherry.reconciler.outside import Outside
    from wherry.routing.haproxy_proxy import HaproxyProxy
    from wherry.running.docker_client import SOCKET
    from wherry.running.docker_engine import DockerEngine
    from wherry.running.log_collector import LogCollector
    from wherry.store.database import Database

    most = shares.log_rate(settings.log_rate, machine.processors())
    collector = LogCollector(SOCKET, logs, settings.home / "state" / "log-positions", most)
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
        move_log=logs.rename,
        forget_log=logs.forget_name,
    )


def _measure(outside: Outside) -> None:
    """Measures the instances for ever: on some engines each look takes a second, so nobody waits for it."""
    from wherry import clock
    from wherry.metering.sample import EVERY, Measurements, sample_all

    previous: Measurements = {}
    while True:
        try:
            previous = sample_all(outside.engine, outside.database, previous)
        except WherryError as error:
            print(error, file=sys.stderr, flush=True)
        clock.sleep(EVERY / 5)


def _wall(settings: Settings) -> None:
    """Keeps the apps off the host; a machine that does not allow it is told once, and serves on."""
    from wherry.running import firewall
    from wherry.running.docker_networks import bridge_prefix

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

    def fetch(self, address: str, port: int, check: HealthCheck, host: str = "localhost") -> Answer | None:
        from wherry.routing import probe

        return probe.fetch(address, port, check, host)

    def connect(self, address: str, port: int) -> socket.socket | None:
        from wherry.routing import probe

        return probe.connect(address, port)

    def witness(self, pid: int) -> Witness:
        from wherry.running import listeners

        return listeners.Witness(pid)

    def listeners(self, pid: int) -> list[tuple[str, int]]:
        from wherry.running.listeners import listeners

        return listeners(pid)

    def cpu_seconds(self, pid: int) -> float | None:
        from wherry.running.processes import cpu_seconds

        return cpu_seconds(pid)
