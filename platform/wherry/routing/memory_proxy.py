"""A proxy in memory that keeps every promise of `Proxy`, for tests of what stands above it; one contract suite holds both.

`visit` and `hold` play the visitor: a request now, or one that stays under way.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace

from wherry import clock
from wherry.errors import Unavailable
from wherry.routing.front import with_front
from wherry.routing.proxy import Route


@dataclass
class MemoryProxy:
    """`down` makes every method raise Unavailable. `published` is the history of routes that changed something. Who holds `lock`
    has it alone: nobody sees a part of what happens meanwhile."""

    down: bool = False
    lock: AbstractContextManager[object] = field(default_factory=threading.RLock)
    hold_timeout: float = 2.0
    published: list[Route] = field(default_factory=list)
    _routes: dict[str, Route] = field(default_factory=dict)
    _known: dict[str, set[str]] = field(default_factory=dict)
    _under_way: Counter[tuple[str, str]] = field(default_factory=Counter)
    _answers: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    _turn: Iterator[int] = field(default_factory=itertools.count)
    pages: dict[str, str] = field(default_factory=dict)
    proofs: dict[str, str] = field(default_factory=dict)
    _certificates: dict[str, str] = field(default_factory=dict)
    _pems: dict[str, str] = field(default_factory=dict)

    def start(self, routes: Iterable[Route]) -> None:
        with self.lock:
            self._answering()
            wished = {route.app: route for route in routes}
            for app in self._routes.keys() - wished.keys():
                self.withdraw(app)
            for route in wished.values():
                self.publish(route)

    def publish(self, route: Route) -> None:
        with self.lock:
            self._answering()
            targets = tuple(sorted(route.targets, key=lambda target: target.name))
            tidy = replace(route, hosts=tuple(sorted(route.hosts)), targets=targets, secure=tuple(sorted(route.secure)))
            if self._routes.get(route.app) != tidy:
                self._steal_hosts(tidy)
                self._routes[route.app] = tidy
                self.published.append(tidy)
                self._known.setdefault(route.app, set()).update(target.name for target in targets)

    def face(self, route: Route) -> None:
        with self.lock:
            self._answering()
            if route.app in self._routes:
                self.publish(with_front(self._routes[route.app], route))

    def withdraw(self, app: str) -> None:
        with self.lock:
            self._answering()
            self._routes.pop(app, None)
            for name in self._known.pop(app, set()):
                self._under_way.pop((app, name), None)

    def in_flight(self, app: str) -> dict[str, int]:
        with self.lock:
            self._answering()
            return {name: self._under_way[app, name] for name in sorted(self._known.get(app, set()))}

    def answers(self, app: str) -> dict[str, tuple[int, int]]:
        with self.lock:
            self._answering()
            route = self._routes.get(app)
            return {target.name: self._answers.get((app, target.name), (0, 0)) for target in route.targets} if route else {}

    def release(self, app: str, target: str) -> None:
        with self.lock:
            self._answering()
            route = self._routes.get(app)
            if route is None or all(present.name != target for present in route.targets):
                self._known.get(app, set()).discard(target)
                self._under_way.pop((app, target), None)

    def routes(self) -> dict[str, Route]:
        with self.lock:
            self._answering()
            return dict(self._routes)

    def visit(self, host: str, status: int = 200) -> tuple[int, str]:
        """`status` and the name of the target that answers with it; without one 421 or 503 and the state. Waits while it is held."""
        end = clock.monotonic() + self.hold_timeout
        while (answer := self._visit(host, status)) == (503, "held") and clock.monotonic() < end:
            clock.sleep(0.005)
        return answer

    def _visit(self, host: str, status: int) -> tuple[int, str]:
        with self.lock:
            wildcard = f"*.{host.partition('.')[2]}"
            found = [next((route for route in self._routes.values() if key in route.hosts), None) for key in (host, wildcard)]
            route = found[0] or found[1]
            if route is None:
                return 421, ""
            if route.door.maintenance:
                return 503, "maintenance"
            if not route.targets:
                return 503, route.state
            name = route.targets[next(self._turn) % len(route.targets)].name
            total, failed = self._answers.get((route.app, name), (0, 0))
            self._answers[route.app, name] = (total + 1, failed + (status >= 500))
            return status, name

    def keep_page(self, digest: str, html: str) -> None:
        self.pages[digest] = html

    def certificates(self) -> dict[str, str]:
        self._answering()
        return dict(self._certificates)

    def put_certificate(self, name: str, pem: str) -> None:
        self._answering()
        first = pem[pem.index("-----BEGIN CERTIFICATE-----") :].partition("-----END CERTIFICATE-----")[0]
        der = base64.b64decode("".join(first.splitlines()[1:]))
        self._pems[name] = pem
        self._certificates[name] = hashlib.sha1(der).hexdigest().upper()

    def certificate(self, name: str) -> str:
        self._answering()
        return self._pems.get(name, "").partition("-----BEGIN PRIVATE")[0]

    def drop_certificate(self, name: str) -> None:
        self._answering()
        self._certificates.pop(name, None)

    def prove(self, token: str, proof: str) -> None:
        self._answering()
        self.proofs[token] = proof

    def unprove(self, token: str) -> None:
        self._answering()
        self.proofs.pop(token, None)

    @contextmanager
    def hold(self, host: str) -> Iterator[str]:
        """A request that stays under way for the length of the block; yields its target's name."""
        app = next(route.app for route in self._routes.values() if host in route.hosts)
        name = self.visit(host)[1]
        self._under_way[app, name] += 1
        try:
            yield name
        finally:
            if (app, name) in self._under_way:
                self._under_way[app, name] -= 1

    def _steal_hosts(self, route: Route) -> None:
        """A host belongs to one app: the last one that published it."""
        for other in self._routes.values():
            if other.app != route.app and set(other.hosts) & set(route.hosts):
                rest = tuple(host for host in other.hosts if host not in route.hosts)
                secure = tuple(host for host in other.secure if host in rest)
                self._routes[other.app] = replace(other, hosts=rest, secure=secure, hsts=other.hsts if secure else "")

    def _answering(self) -> None:
        if self.down:
            raise Unavailable("the proxy does not answer", code="proxy_unavailable")
