"""What a line per request costs: Wherry's HAProxy with router lines over the same one without. How it does beside a bare nginx
is the figure "proxy", where the lines are on as well, and the upstream is in a container as every app is."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from figure import Check, Figure, Row, compare
from place import Place, ensure
from proxy_throughput import NGINX, SECONDS, UPSTREAM, WRK, nginx, seconds_of, wrk

from free_ports import free_ports
from routing_support import running_haproxy
from wherry.model.log_settings import LogSettings
from wherry.routing import haproxy_config
from wherry.routing.proxy import Route, Target
from wherry.routing.router_socket import RouterSocket
from wherry.store.app_logs import AppLogs

ROUNDS = 6
HOST = "fast.localhost"
OF_LINES = re.compile(r"\s*(log |log-format|http-request (set-log-level|set-var\(txn\.rate\)))")


def measure(place: Place, rounds: int = ROUNDS) -> Figure:
    ensure([NGINX, WRK], place.say)
    base = Path(tempfile.mkdtemp(prefix="wb", dir="/var/tmp"))
    base.chmod(0o755)
    try:
        rows, seconds = _all(place, base, rounds)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    on, off = rows
    checks = (
        compare("with lines / without", on.values, off.values, 0.93, at_least=True),
        Check("processor of the engine's reader", seconds / (rounds * SECONDS), "×", 0.25),
    )
    how = "Requests per second with the engine's reader at work, over the same HAProxy without lines (pair by pair)."
    return Figure("lines", "Router lines", how, checks, rows)


def _all(place: Place, base: Path, rounds: int) -> tuple[tuple[Row, Row], float]:
    port = free_ports(1)[0]
    with (
        nginx(base / "upstream", UPSTREAM % port),
        _proxy(base / "on", port) as on,
        _read(base / "on") as spent,
        _without_lines(base),
        _proxy(base / "off", port) as off,
    ):
        made: dict[str, list[float]] = {on: [], off: []}
        for number in range(rounds):
            place.say(f"router lines: round {number + 1} of {rounds} …")
            for url, values in list(made.items())[:: -1 if number % 2 else 1]:
                values.append(wrk(url))
        names = ("Wherry's HAProxy, with router lines", "without")
        one, two = (Row(name, tuple(values), "/s") for name, values in zip(names, made.values(), strict=True))
        return (one, two), spent()


@contextmanager
def _proxy(home: Path, upstream: int) -> Iterator[str]:
    home.mkdir(mode=0o755)
    with running_haproxy(home) as proxy:
        proxy.proxy.publish(Route("fast", (HOST,), (Target("web.1-a", "127.0.0.1", upstream),)))
        yield f"http://127.0.0.1:{proxy.settings.http_port}/"


@contextmanager
def _read(home: Path) -> Iterator[Callable[[], float]]:
    """The engine's reader in a process of its own; tells the seconds of processor that it took."""
    pid = os.fork()
    if not pid:
        logs = AppLogs(home / "logs")
        RouterSocket(home / "proxy" / "view" / "router.sock", logs.append, lambda _app: LogSettings()).start()
        threading.Event().wait()
    try:
        yield lambda: seconds_of(pid)
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


@contextmanager
def _without_lines(base: Path) -> Iterator[None]:
    """What is configured inside writes no lines."""
    before = haproxy_config.TEMPLATE, haproxy_config.SHARE_OF_LINES
    kept = [line for line in before[0].read_text("utf-8").splitlines() if not OF_LINES.match(line)]
    (base / "haproxy.cfg").write_text("\n".join(kept) + "\n")
    haproxy_config.TEMPLATE, haproxy_config.SHARE_OF_LINES = base / "haproxy.cfg", ""
    try:
        yield
    finally:
        haproxy_config.TEMPLATE, haproxy_config.SHARE_OF_LINES = before
