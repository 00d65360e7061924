"""Wherry's HAProxy beside nginx, HAProxy and Caddy as the distribution has them and as a person would set them up by hand."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import docker_socket
from by_hand import stack_image
from figure import Figure, Row, compare, pairs
from place import Place, ensure
from proxy_throughput import CONNECTIONS, NGINX, UPSTREAM_PORT, WRK, peer, write_upstream

from free_ports import free_port
from waiting import until

CADDY, HAPROXY = "/usr/bin/caddy", "/usr/sbin/haproxy"
ROUNDS, SECONDS = 5, 4
WHERRY, BARE_NGINX, BARE_HAPROXY, BARE_CADDY = "Wherry's HAProxy", "bare nginx", "bare HAProxy", "bare Caddy"
OF_HAPROXY = """\
global
    nbthread %(threads)d
    maxconn 4096
defaults
    mode http
    timeout connect 4s
    timeout client 60s
    timeout server 60s
listen app
    bind 127.0.0.1:%(port)d
    server one %(address)s
"""
OF_CADDY = """\
{
    admin off
    auto_https off
}
http://:%(port)d {
    bind 127.0.0.1
    reverse_proxy %(address)s
}
"""
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass
class Seen:
    """What wrk said of one proxy: requests per second, and the 99th percentile of its answers in milliseconds."""

    rates: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)

    def ask(self, url: str) -> None:
        """Raises AssertionError when a request was not answered well."""
        argv = [WRK, "--latency", "-t2", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-H", "Host: fast.localhost", url]
        out = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
        assert "Non-2xx" not in out and "Socket errors" not in out, out
        self.rates.append(float(_found(r"Requests/sec:\s+([0-9.]+)", out)[0]))
        number, unit = _found(r"99%\s+([0-9.]+)(us|ms|s)", out)
        self.p99.append(float(number) * UNITS[unit])


def measure(place: Place, rounds: int = ROUNDS) -> Figure:
    ensure([NGINX, WRK, CADDY], place.say)
    with place.app("fast") as repository, ExitStack() as stack:
        place.say("peers: an upstream that is faster than all proxies …")
        write_upstream(repository.folder, stack_image(place.site))
        place.release(repository, {})
        upstream = f"{docker_socket.address(place.site.containers('fast')[0])}:{UPSTREAM_PORT}"
        urls = {
            WHERRY: f"http://127.0.0.1:{place.site.http_port}/",
            BARE_NGINX: stack.enter_context(peer(place.folder / "nginx", upstream)),
            BARE_HAPROXY: stack.enter_context(_proxy(place.folder / "haproxy", OF_HAPROXY, [HAPROXY, "-f"], upstream)),
            BARE_CADDY: stack.enter_context(
                _proxy(place.folder / "caddy", OF_CADDY, [CADDY, "run", "--adapter", "caddyfile", "--config"], upstream)
            ),
        }
        return _figure(_rounds(place, urls, rounds))


def _rounds(place: Place, urls: Mapping[str, str], rounds: int) -> dict[str, Seen]:
    """Each round asks all, beginning with another one, so that none always comes after the same neighbour's work."""
    seen = {name: Seen() for name in urls}
    names = list(urls)
    for number in range(rounds):
        place.say(f"peers: round {number + 1} of {rounds} …")
        first = number % len(names)
        for name in names[first:] + names[:first]:
            seen[name].ask(urls[name])
    return seen


@contextmanager
def _proxy(folder: Path, text: str, argv: Sequence[str], upstream: str) -> Iterator[str]:
    """A proxy of its own, with as many threads as Wherry's, that runs in the foreground while the block does."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    config = folder / "config"
    config.write_text(text % {"port": port, "address": upstream, "threads": min(4, os.cpu_count() or 1)})
    env = {"HOME": str(folder), "PATH": os.environ["PATH"]}
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen([*argv, config], env=env, stdout=log, stderr=log, start_new_session=True) as process,  # as HAProxy's
    ):
        try:
            until(lambda: _listens(port), 20, f"{argv[0]} on port {port}")
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    return f":{port:04X} 00000000:0000 0A " in Path("/proc/net/tcp").read_text("ascii")


def _found(pattern: str, text: str) -> tuple[str, ...]:
    found = re.search(pattern, text)
    assert found, text
    return found.groups()


def _figure(seen: Mapping[str, Seen]) -> Figure:
    ours = seen[WHERRY]
    others = [name for name in seen if name != WHERRY]
    rates = [Row(name, tuple(each.rates), "/s") for name, each in seen.items()]
    p99 = [Row(f"p99 of {name}", tuple(each.p99), "ms") for name, each in seen.items()]
    times = [Row(f"{WHERRY} / {name}", pairs(ours.rates, seen[name].rates), "×") for name in others]
    slower = [Row(f"p99 of {WHERRY} / {name}", pairs(ours.p99, seen[name].p99), "×") for name in others]
    return Figure(
        "peers",
        "Proxies side by side",
        f"Requests per second and the 99th percentile through Wherry's HAProxy with all its rules and a line in the app's log for"
        f" requests, and through nginx, HAProxy and Caddy with nothing but one upstream: wrk with {CONNECTIONS} connections for"
        f" {SECONDS} s each, in turn, the same upstream (nginx in a container, a fixed answer), keep-alive on both sides.",
        (
            compare("Wherry / Caddy", ours.rates, seen[BARE_CADDY].rates, 1.5, at_least=True),
            compare("p99 of Wherry / Caddy", ours.p99, seen[BARE_CADDY].p99, 1.0),
        ),
        (*rates, *p99, *times, *slower),
        ("With nginx the figure that has a target is that of Proxy, above or below on this page.",),
    )
