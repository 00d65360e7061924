"""What HAProxy holds at one moment, and which commands bring it to a wished route. Pure: no socket, no file.

Backends are anonymous and pre-declared, because HAProxy can not add them at run time. A deploy fills a free one and
flips one map entry, so every new request goes to the new release from one moment on; the old backend keeps its
servers, ready, for the requests that were already on their way to it, and is free again when the last is released.
A server is named `<app>:<target>`, so that nothing has to be remembered outside the proxy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from wherry.routing import haproxy_front
from wherry.routing.haproxy_front import Entries
from wherry.routing.proxy import Route, Target

# Servers made at run time know no default-server; without these two they would keep no connection for reuse.
POOL = "pool-max-conn -1 pool-purge-delay 5s"


@dataclass(frozen=True)
class Maps:
    """Where the maps are, as HAProxy names them: host to app, app to state, app to backend, and those of `haproxy_front`."""

    hosts: str
    states: str
    backends: str
    secure: str
    doors: str
    allow: str
    users: str


@dataclass(frozen=True)
class Server:
    """One server of a backend. `mode` is `ready`, `drain` (no new requests) or `maint` (about to be deleted). `answers` and
    `failed` are counted since it was added."""

    backend: str
    app: str
    target: Target
    mode: str
    in_flight: int
    answers: int = 0
    failed: int = 0

    @property
    def path(self) -> str:
        return f"{self.backend}/{self.app}:{self.target.name}"


@dataclass(frozen=True)
class Table:
    """`backends` are all of the pool in their order; the dictionaries are the maps as HAProxy holds them."""

    hosts: dict[str, str]
    states: dict[str, str]
    active: dict[str, str]
    backends: tuple[str, ...]
    servers: tuple[Server, ...]
    front: Entries = field(default_factory=Entries)

    def routes(self) -> dict[str, Route]:
        """What is published, by app."""
        return {app: self.route(app) for app in self.states}

    def route(self, app: str) -> Route:
        hosts = tuple(sorted(host for host, owner in self.hosts.items() if owner == app))
        targets = tuple(sorted((server.target for server in self.serving(app)), key=lambda target: target.name))
        return Route(app, hosts, targets, self.states.get(app, "serving"), *haproxy_front.read(app, hosts, self.front))

    def serving(self, app: str) -> list[Server]:
        """The servers that take the app's new requests."""
        return [server for server in self.servers if self._serves(server) and server.app == app]

    def leaving(self, app: str | None = None) -> list[Server]:
        """The servers that take no new requests: those of one app, or all."""
        return [server for server in self.servers if not self._serves(server) and app in (None, server.app)]

    def free(self) -> str | None:
        """A backend that nobody uses, or None when the pool is exhausted."""
        used = {server.backend for server in self.servers} | set(self.active.values())
        return next((backend for backend in self.backends if backend not in used), None)

    def _serves(self, server: Server) -> bool:
        return server.mode == "ready" and self.active.get(server.app) == server.backend


def needs_backend(table: Table, route: Route) -> bool:
    """Whether publishing `route` takes a free backend: nothing of what serves now stays, or a name would be taken twice."""
    here = {server.target.name: server.target for server in table.servers if server.backend == table.active.get(route.app)}
    stays = any(server.target in route.targets for server in table.serving(route.app))
    renamed = any(here.get(target.name, target) != target for target in route.targets)
    return bool(route.targets) and (not stays or renamed)


def publish(table: Table, route: Route, maps: Maps) -> list[str]:
    """The commands that make `route` the app's route, in an order in which no moment is wrong. Empty when it is so already."""
    return [*_lock(table, route, maps), *_traffic(table, route, maps), *_hosts(table, route, maps), *_secure(table, route, maps)]


def _traffic(table: Table, route: Route, maps: Maps) -> list[str]:
    state = entry(table.states, route.app, route.state, maps.states)
    if not route.targets:
        # The page must be right from the first request that meets no server.
        return [*state, *drop(table.active, route.app, maps.backends)]
    if needs_backend(table, route):
        backend = table.free() or ""
        added = [line for target in route.targets for line in _add(backend, route.app, target)]
        return [*added, *entry(table.active, route.app, backend, maps.backends), *state]
    return [*_in_place(table, route), *state]


def _lock(table: Table, route: Route, maps: Maps) -> list[str]:
    """Keys before the lock, the lock before the app; only then the old keys go."""
    here, wished = haproxy_front.of_app(route.app, table.front), haproxy_front.written(route)
    keys = [line for key, value in wished.allow.items() for line in entry(here.allow, key, value, maps.allow)]
    keys += [line for key, value in wished.users.items() for line in entry(here.users, key, value, maps.users)]
    lock = [line for key, value in wished.doors.items() for line in entry(here.doors, key, value, maps.doors)]
    lock += [line for key in here.doors.keys() - wished.doors.keys() for line in drop(here.doors, key, maps.doors)]
    return [*keys, *lock, *_dropped(here, wished, maps)]


def _dropped(here: Entries, wished: Entries, maps: Maps) -> list[str]:
    old = [f"del map {maps.allow} {key}" for key in sorted(here.allow.keys() - wished.allow.keys())]
    return old + [f"del map {maps.users} {key}" for key in sorted(here.users.keys() - wished.users.keys())]


def _secure(table: Table, route: Route, maps: Maps) -> list[str]:
    here, wished = table.front.secure, haproxy_front.written(route).secure
    gone = [host for host in here if host not in wished and (host in route.hosts or table.hosts.get(host) == route.app)]
    return [line for host, value in wished.items() for line in entry(here, host, value, maps.secure)] + [
        f"del map {maps.secure} {host}" for host in gone
    ]


def placed(routes: Iterable[Route], backends: tuple[str, ...]) -> Table:
    """The table of a HAProxy that holds `routes` and nothing else, with as many backends, in doublings, as that takes."""
    wished = list(routes)
    busy = [route for route in wished if route.targets]
    while len(busy) >= len(backends):
        backends = tuple(f"b{number}" for number in range(2 * len(backends)))
    active = {route.app: backend for route, backend in zip(busy, backends, strict=False)}
    servers = tuple(Server(active[route.app], route.app, target, "ready", 0) for route in busy for target in route.targets)
    hosts = {host: route.app for route in wished for host in route.hosts}
    return Table(hosts, {route.app: route.state for route in wished}, active, backends, servers, front_of(wished))


def front_of(routes: Iterable[Route]) -> Entries:
    """The entries of many routes together."""
    found = Entries()
    for route in routes:
        part = haproxy_front.written(route)
        for whole, more in ((found.secure, part.secure), (found.doors, part.doors), (found.allow, part.allow), (found.users, part.users)):
            whole.update(more)
    return found


def withdraw(table: Table, app: str, maps: Maps) -> list[str]:
    """The commands after which no new request reaches the app, and nothing of it is left in a map."""
    mine = [host for host, owner in table.hosts.items() if owner == app]
    hosts = [f"del map {maps.hosts} {host}" for host in mine]
    hosts += [line for host in mine for line in drop(table.front.secure, host, maps.secure)]
    here = haproxy_front.of_app(app, table.front)
    door = [*drop(here.doors, app, maps.doors), *_dropped(here, Entries(), maps)]
    return [*hosts, *drop(table.active, app, maps.backends), *drop(table.states, app, maps.states), *door]


def cut(servers: list[Server]) -> list[str]:
    """The commands that end what is left on servers; idle connections to them are closed by the first one."""
    return [line for server in servers for line in (f"set server {server.path} state maint", f"shutdown sessions server {server.path}")]


def entry(present: dict[str, str], key: str, value: str, name: str) -> list[str]:
    if present.get(key) == value:
        return []
    return [f"{'set' if key in present else 'add'} map {name} {key} {value}"]


def drop(present: dict[str, str], key: str, name: str) -> list[str]:
    return [f"del map {name} {key}"] if key in present else []


def address(target: Target) -> str:
    return f"[{target.address}]:{target.port}" if ":" in target.address else f"{target.address}:{target.port}"


def _in_place(table: Table, route: Route) -> list[str]:
    backend = table.active[route.app]
    here = {server.target: server for server in table.servers if server.backend == backend}
    added = [line for target in route.targets if target not in here for line in _add(backend, route.app, target)]
    back = [f"set server {here[target].path} state ready" for target in route.targets if target in here and here[target].mode != "ready"]
    gone = [server for server in here.values() if server.target not in route.targets and server.mode == "ready"]
    return [*added, *back, *(f"set server {server.path} state drain" for server in gone)]


def _add(backend: str, app: str, target: Target) -> list[str]:
    path = f"{backend}/{app}:{target.name}"
    return [f"add server {path} {address(target)} {POOL}", f"enable server {path}"]


def _hosts(table: Table, route: Route, maps: Maps) -> list[str]:
    here = [line for host in route.hosts for line in entry(table.hosts, host, route.app, maps.hosts)]
    gone = [host for host, owner in table.hosts.items() if owner == route.app and host not in route.hosts]
    return [*here, *(f"del map {maps.hosts} {host}" for host in gone)]
