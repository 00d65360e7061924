"""Writes what HAProxy starts from: its configuration, maps and pages. What is on disk is what was last verified.

HAProxy is changed at run time and the files follow, so that a crashed HAProxy serves again by being started again.
After a boot nothing on disk can be trusted (addresses change owners): `prepare` keeps the hosts and forgets the rest.
"""

from __future__ import annotations

import grp
import hashlib
import ipaddress
import os
import pwd
import re
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from wherry import machine
from wherry.errors import InvalidInput
from wherry.routing import haproxy_pages, haproxy_table
from wherry.routing.haproxy_front import Entries, is_front
from wherry.routing.haproxy_table import Maps, Server, Table, address
from wherry.routing.hosts import is_domain
from wherry.routing.proxy import STATES, Route
from wherry.settings import Settings

TEMPLATE = Path(__file__).parent / "haproxy.cfg"
POOL = 16
"""Backends to begin with; doubled by a reload when more are needed. One costs about 12 KB."""
LINES_OF_PAGES, LINES_OF_APP = 1000, 200
"""Requests a second up to which each has a line in the log: those that we answer ourselves, and those of one app."""
PRIME = 9973
"""Microseconds: a request has a line by the moment at which it came within these. Chance would do as well, and takes a lock."""
SHARE_OF_LINES = f"""\
    http-request set-var(txn.rate) be_sess_rate
    http-request set-log-level info unless {{ date(0,us),mod({PRIME}),mul(txn.rate),div({PRIME * LINES_OF_APP}) -m bool }}
"""
MOST_CONNECTIONS, LEAST_CONNECTIONS, CONNECTIONS_PER_MB = 4000, 1000, 4
"""HAProxy sets 150 bytes aside for each that may come, and one at work takes up to 34 KB."""
MAX_THREADS = 4
ACCOUNT = "haproxy"
PAGE_PATIENCE = 60.0
"""Seconds that a page waits for the route which names it."""


@dataclass(frozen=True)
class Files:
    """Where HAProxy's files are, and what the settings put into them."""

    settings: Settings

    @property
    def config(self) -> Path:
        return self.settings.proxy / "haproxy.cfg"

    @property
    def certificates(self) -> Path:
        return self.settings.proxy / "certificates"

    @property
    def socket(self) -> Path:
        """Where the worker takes commands."""
        return self.settings.run / "haproxy.sock"

    @property
    def master(self) -> Path:
        """Where the master takes commands: a reload, and words to workers that a reload left behind."""
        return self.settings.run / "haproxy-master.sock"

    @property
    def router(self) -> Path:
        """Where the worker sends a line for each request; in what it sees of the file system."""
        return self.view / "router.sock"

    @cached_property
    def maps(self) -> Maps:
        names = ("hosts", "states", "backends", "secure", "doors", "allow", "users")
        return Maps(*(str(self.settings.proxy / f"{name}.map") for name in names))

    @property
    def challenges(self) -> Path:
        """Token to proof, while certificates are being ordered."""
        return self.settings.proxy / "challenges.map"

    @property
    def view(self) -> Path:
        """All of the file system that the worker sees once it has given up root."""
        return self.settings.proxy / "view"

    @property
    def pages(self) -> Path:
        """The owners' maintenance pages, each named by its digest."""
        return self.view / "pages"

    def config_text(self, table: Table) -> str:
        """The configuration whose backends hold what serves now. A server that leaves does not come back by a restart."""
        words = self._words()
        shape = self.shape(len(table.backends))
        return _filled({**words, "shape": shape, "backends": _backends(table)})

    def shape(self, pool: int) -> str:
        """A fingerprint of all that only a reload can change."""
        text = _filled({**self._words(), "shape": "", "backends": str(pool)})
        pages = "".join(haproxy_pages.files().values())
        return hashlib.sha256((text + pages).encode()).hexdigest()[:16]

    def write(self, table: Table) -> None:
        """Brings all files in step with `table`; untouched where they are so already."""
        self.settings.proxy.mkdir(mode=0o755, parents=True, exist_ok=True)
        for folder in (self.view, self.pages):
            folder.mkdir(mode=0o755, exist_ok=True)
            folder.chmod(0o755)
        own = f"/{self.pages.name}" if self._gives_up_root() else str(self.pages)
        for name, text in haproxy_pages.files().items():
            words = text.replace("@pages@", str(self.settings.proxy / "pages.map")).replace("@own@", own)
            words = words.replace("@proxy@", str(self.settings.proxy))
            _put(self.settings.proxy / name, words)
        self.challenges.touch()
        for path, entries in self._entries(table):
            _put(Path(path), "".join(f"{key} {value}\n" for key, value in sorted(entries.items())))
        self._forget_pages(table)
        _put(self.config, self.config_text(table))

    def _entries(self, table: Table) -> list[tuple[str, dict[str, str]]]:
        maps, front = self.maps, table.front
        named = [(maps.hosts, table.hosts), (maps.states, table.states), (maps.backends, table.active), (maps.secure, front.secure)]
        return [*named, (maps.doors, front.doors), (maps.allow, front.allow), (maps.users, front.users)]

    def _forget_pages(self, table: Table) -> None:
        kept = {value.partition(":")[0] for value in table.front.doors.values()}
        for page in self.pages.iterdir():
            if page.name not in kept and page.stat().st_mtime < time.time() - PAGE_PATIENCE:
                page.unlink(missing_ok=True)

    def read(self) -> Table:
        """The hosts and states on disk, without any server. Lines that are not in the form are left out."""
        hosts = _entries(Path(self.maps.hosts))
        states = _entries(Path(self.maps.states))
        apps = {app: state for app, state in states.items() if _is_app(app) and state in STATES}
        known = {host: app for host, app in hosts.items() if is_domain(host) and app in apps}
        front = Entries(*(_entries(Path(path)) for path in (self.maps.secure, self.maps.doors, self.maps.allow, self.maps.users)))
        routes = _readable(Table(known, apps, {}, backends(POOL), (), front))
        kept = {host: app for host, app in known.items() if app in routes}
        return Table(kept, {app: apps[app] for app in routes}, {}, backends(POOL), (), haproxy_table.front_of(routes.values()))

    def _words(self) -> dict[str, str]:
        return {
            "maxconn": str(self._connections),
            "threads": str(min(MAX_THREADS, len(os.sched_getaffinity(0)))),
            "account": self._account(),
            "socket": str(self.socket),
            "proxy": str(self.settings.proxy),
            "fewest": str(LINES_OF_PAGES),
            "router": f"/{self.router.name}" if self._gives_up_root() else str(self.router),
            "binds": "\n    ".join(self._binds()),
            "hold": str(self.settings.hold_timeout),
            "https": "" if self.settings.https_port == 443 else f":{self.settings.https_port}",
        }

    @cached_property
    def _connections(self) -> int:
        return connections_for(machine.memory())

    def _account(self) -> str:
        """Root gives up its rights and its view of the file system; an unprivileged try-out has none to give."""
        if not self._gives_up_root():
            return "# started without root: runs as its starter"
        return f"user {ACCOUNT}\n    group {ACCOUNT}\n    chroot {self.view}"

    def _gives_up_root(self) -> bool:
        return not os.geteuid() and service_account()

    def _binds(self) -> list[str]:
        # Two sockets per port: one for both families would show IPv4 visitors as ::ffff:192.0.2.1.
        families = ["*", *([":::"] if has_ipv6() else [])]
        spelt = [family.removesuffix(":") for family in families]
        plain = [f"bind {name}:{self.settings.http_port}{_only(name)}" for name in spelt]
        if not any(self.certificates.glob("*.pem")):
            return plain
        crypt = f" ssl crt {self.certificates}/ alpn h2,http/1.1"
        return plain + [f"bind {name}:{self.settings.https_port}{_only(name)}{crypt}" for name in spelt]


def command(settings: Settings) -> list[str]:
    """The program that serves visitors: a master in the foreground, which keeps one worker and replaces it on reload."""
    files = Files(settings)
    return ["haproxy", "-W", "-f", str(files.config), "-p", str(settings.run / "haproxy.pid"), "-S", f"{files.master},mode,600"]


def prepare(settings: Settings) -> None:
    """Writes the files to start HAProxy from when the platform starts: known hosts answer 503 "starting", others 421,
    until the engine has verified and published its apps. Creates the folders. For the supervisor, before `command`."""
    files = Files(settings)
    settings.run.mkdir(parents=True, exist_ok=True)
    _check_paths(files)
    table = files.read()
    waiting = {app: "starting" if state in ("serving", "held") else state for app, state in table.states.items()}
    files.write(replace(table, states=waiting))


def backends(pool: int) -> tuple[str, ...]:
    return tuple(f"b{number}" for number in range(pool))


def connections_for(memory: int) -> int:
    """How many visitors' connections a machine with so many bytes takes at the same time."""
    return max(LEAST_CONNECTIONS, min(MOST_CONNECTIONS, CONNECTIONS_PER_MB * (memory >> 20)))


def check_route(route: Route) -> None:
    """Raises InvalidInput unless every word of `route` is in its strict form; nothing else may reach the proxy."""
    named = [_is_app(route.app), route.state in STATES, *(is_domain(host) for host in route.hosts), is_front(route)]
    if not all(named) or not all(_is_target(target.name, target.address, target.port) for target in route.targets):
        raise InvalidInput(f"route of {route.app[:40]!a}: a name or address is not in its form", code="bad_route", field="route")
    if len({target.name for target in route.targets}) != len(route.targets):
        raise InvalidInput(f"route of {route.app}: a target is named twice", code="bad_route", field="route")


def service_account() -> bool:
    """Whether the machine has HAProxy's own user and group."""
    try:
        return bool(pwd.getpwnam(ACCOUNT) and grp.getgrnam(ACCOUNT))
    except KeyError:
        return False


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
        return True
    except OSError:
        return False


def _only(name: str) -> str:
    return " v6only" if name == "::" else ""


def _is_app(name: str) -> bool:
    return bool(re.fullmatch(r"[a-z][0-9a-z-]{0,29}", name))


def _is_target(name: str, spelt: str, port: int) -> bool:
    try:
        ipaddress.ip_address(spelt)
    except ValueError:
        return False
    return "%" not in spelt and bool(re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}", name)) and 0 < port < 65536


def _check_paths(files: Files) -> None:
    """HAProxy adds 12 characters to a socket's name while it binds; the kernel allows 107. Its map commands know no quotes."""
    if len(str(files.master)) > 94 or not re.fullmatch(r"[0-9A-Za-z/._+-]+", str(files.settings.home)):
        raise InvalidInput(
            f"WHERRY_HOME={str(files.settings.home)!a}: give a path of at most 70 letters, digits and ./_+-, e.g. /var/lib/wherry",
            field="WHERRY_HOME",
        )


def _filled(words: dict[str, str]) -> str:
    text = TEMPLATE.read_text("utf-8")
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text


def _backends(table: Table) -> str:
    serving: dict[str, list[Server]] = {}
    for app in table.active:
        for server in table.serving(app):
            serving.setdefault(server.backend, []).append(server)
    return "\n".join(_backend(name, serving.get(name, [])) for name in table.backends)


def _backend(name: str, servers: list[Server]) -> str:
    lines = [f"    server {server.app}:{server.target.name} {address(server.target)}\n" for server in servers]
    return f"backend {name}\n    balance leastconn\n{SHARE_OF_LINES}{''.join(lines)}"


def _readable(table: Table) -> dict[str, Route]:
    """The routes of a table that was read from files; what is not in the form is left out."""
    found = {}
    for app in table.states:
        with suppress(InvalidInput, ValueError, IndexError):
            route = table.route(app)
            check_route(route)
            found[app] = route
    return found


def _entries(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text("ascii", "replace").splitlines()
    except FileNotFoundError:
        return {}
    return {words[0]: words[1] for line in lines if len(words := line.split()) == 2}


def _put(path: Path, text: str) -> None:
    """Replaces a file in one step, only when it differs. No fsync: after a power cut `prepare` trusts nothing anyway."""
    data = text.encode()
    try:
        if path.read_bytes() == data:
            return
    except FileNotFoundError:
        pass
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(data)
    fresh.replace(path)
