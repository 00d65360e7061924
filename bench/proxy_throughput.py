"""Requests per second through Wherry's HAProxy, over a bare nginx proxy before the very same upstream; and what a request costs
each of them in processor time, which other work on the machine changes less."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import docker_socket
from by_hand import stack_image
from figure import Figure, Row, compare
from place import Place, ensure

from free_ports import free_port
from waiting import until

NGINX, WRK = "/usr/sbin/nginx", "/usr/bin/wrk"
ROUNDS, SECONDS, CONNECTIONS = 5, 5, 50
UPSTREAM_PORT = 8080
UPSTREAM = """\
worker_processes 2;
error_log stderr;
pid /tmp/nginx.pid;
events { worker_connections 4096; }
http {
    access_log off;
    keepalive_requests 100000000;
    client_body_temp_path /tmp/b; proxy_temp_path /tmp/p; fastcgi_temp_path /tmp/f; uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s;
    server { listen %d; location / { return 200 "ok\\n"; } }
}
"""
PEER = """\
worker_processes %(workers)d;
error_log stderr;
pid %(folder)s/nginx.pid;
events { worker_connections 4096; }
http {
    access_log off;
    keepalive_requests 100000000;
    upstream app { server %(address)s; keepalive 64; keepalive_requests 100000000; }
    server {
        listen 127.0.0.1:%(port)d;
        location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; }
    }
}
"""
DOCKERFILE = """\
FROM {stack}
COPY opt/ /opt/
USER app
EXPOSE {port}
CMD ["/opt/loader", "--library-path", "/opt/lib", "/opt/nginx", "-c", "/opt/nginx.conf", "-g", "daemon off;"]
"""


def measure(place: Place, rounds: int = ROUNDS) -> Figure:
    ensure([NGINX, WRK], place.say)
    with place.app("fast") as repository:
        place.say("proxy: an upstream that is faster than both proxies …")
        write_upstream(repository.folder, stack_image(place.site))
        place.release(repository, {})
        upstream = f"{docker_socket.address(place.site.containers('fast')[0])}:{UPSTREAM_PORT}"
        with peer(place.folder / "peer", upstream) as bare:
            wherry = Measured(f"http://127.0.0.1:{place.site.http_port}/", place.site.home / "run" / "haproxy.pid")
            nginx = Measured(bare, place.folder / "peer" / "nginx.pid")
            for number in range(rounds):
                place.say(f"proxy: round {number + 1} of {rounds} …")
                for proxy in (wherry, nginx)[:: -1 if number % 2 else 1]:
                    proxy.measure()
        straight = wrk(f"http://{upstream}/")
    return _figure(wherry, nginx, straight)


@dataclass
class Measured:
    """A proxy, and what was measured of it: requests per second, and processor seconds per request of its workers."""

    url: str
    pid_file: Path
    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)

    def measure(self) -> None:
        before = self._spent()
        rate = wrk(self.url)
        self.rates.append(rate)
        self.costs.append((self._spent() - before) / (rate * SECONDS))

    def _spent(self) -> float:
        master = self.pid_file.read_text("ascii").split()[0]
        workers = Path(f"/proc/{master}/task/{master}/children").read_text("ascii").split()
        return sum(seconds_of(int(worker)) for worker in workers)


def seconds_of(pid: int) -> float:
    """Processor time that a process has used."""
    words = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def wrk(url: str) -> float:
    """Requests per second. Raises AssertionError when any was not answered well."""
    argv = [WRK, "-t2", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-H", "Host: fast.localhost", url]
    out = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    assert "Non-2xx" not in out and "Socket errors" not in out, out
    return float(re.search(r"Requests/sec:\s+([0-9.]+)", out)[1])  # type: ignore[index]


@contextmanager
def peer(folder: Path, upstream: str) -> Iterator[str]:
    """A bare nginx proxy with as many workers as Wherry's HAProxy has threads."""
    port = free_port()
    words = {"workers": min(4, os.cpu_count() or 1), "folder": folder, "address": upstream, "port": port}
    with nginx(folder, PEER % words):
        yield f"http://127.0.0.1:{port}/"


@contextmanager
def nginx(folder: Path, text: str) -> Iterator[None]:
    """An nginx of its own; its pid file is `nginx.pid` in its folder, or in /tmp."""
    folder.mkdir(parents=True, exist_ok=True)
    text = text.replace("pid /tmp/nginx.pid", f"pid {folder}/nginx.pid")
    (folder / "nginx.conf").write_text(text)
    # A session of its own, as HAProxy has: the kernel shares processors out between sessions before it does between processes.
    argv = [NGINX, "-p", folder, "-c", folder / "nginx.conf", "-g", "daemon off;"]
    process = subprocess.Popen(argv, start_new_session=True)
    try:
        until(lambda: (folder / "nginx.pid").exists(), 10, "nginx")
        yield
    finally:
        process.terminate()
        process.wait()


def write_upstream(folder: Path, stack: str) -> None:
    """The machine's own nginx with its libraries, in an image: no package is fetched while it is built."""
    lib = folder / "opt" / "lib"
    lib.mkdir(parents=True)
    for line in subprocess.run(["ldd", NGINX], check=True, capture_output=True, text=True).stdout.splitlines():
        path = next((Path(word) for word in line.split() if word.startswith("/")), None)
        if path:
            _copy(path, folder / "opt" / "loader" if path.name.startswith("ld-") else lib / path.name)
    _copy(Path(NGINX), folder / "opt" / "nginx")
    (folder / "opt" / "nginx.conf").write_text(UPSTREAM % UPSTREAM_PORT)
    (folder / "Dockerfile").write_text(DOCKERFILE.format(stack=stack, port=UPSTREAM_PORT))


def _copy(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes())
    target.chmod(0o755)


def _figure(wherry: Measured, nginx: Measured, straight: float) -> Figure:
    ours, theirs = Row("Wherry's HAProxy", tuple(wherry.rates), "/s"), Row("bare nginx proxy", tuple(nginx.rates), "/s")
    costs = [
        Row(f"processor per million requests: {name}", tuple(cost * 1e6 for cost in proxy.costs), "s")
        for name, proxy in (("HAProxy", wherry), ("nginx", nginx))
    ]
    return Figure(
        "proxy",
        "Proxy",
        f"Requests per second through Wherry's HAProxy with all its rules and router lines, over a bare nginx proxy: wrk with {CONNECTIONS}"
        " connections, one upstream (nginx in a container, a fixed answer), keep-alive on both sides.",
        (compare("HAProxy / nginx", ours.values, theirs.values, 0.9, at_least=True),),
        (ours, theirs, Row("the upstream without a proxy", (straight,), "/s"), *costs),
    )
