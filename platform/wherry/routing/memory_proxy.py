"""A proxy in memory that keeps every promise of `Proxy`, for tests of what stands above it; one contract suite holds both.

`visit` and `hold` play the visitor: a request now, or one that stays under way.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from wherry.errors import Unavailable
from wherry.routing.proxy import Route


@dataclass
class MemoryProxy:
    """`down` makes every method raise Unavailable. `published` is the history of routes that changed something."""

    down: bool = False
    published: list[Route] = field(default_factory=list)
    _routes: dict[str, Route] = field(default_factory=dict)
    _known: dict[str, set[str]] = field(default_factory=dict)
    _under_way: Counter[tuple[str, str]] = field(default_factory=Counter)
    _turn: Iterator[int] = field(default_factory=itertools.count)

    def start(self, routes: Iterable[Route]) -> None:
        self._answering()
        wished = {route.app: route for route in routes}
        for app in self._routes.keys() - wished.keys():
            self.withdraw(app)
        for route in wished.values():
            self.publish(route)

    def publish(self, route: Route) -> None:
        self._answering()
        targets = tuple(sorted(route.targets, key=lambda target: target.name))
        tidy = Route(route.app, tuple(sorted(route.hosts)), targets, route.state)
        if self._routes.get(route.app) != tidy:
            self._steal_hosts(tidy)
            self._routes[route.app] = tidy
            self.published.append(tidy)
            self._known.setdefault(route.app, set()).update(target.name for target in targets)

    def withdraw(self, app: str) -> None:
        self._answering()
        self._routes.pop(app, None)
        for name in self._known.pop(app, set()):
            self._under_way.pop((app, name), None)

    def in_flight(self, app: str) -> dict[str, int]:
        self._answering()
        return {name: self._under_way[app, name] for name in sorted(self._known.get(app, set()))}

    def release(self, app: str, target: str) -> None:
        self._answering()
        route = self._routes.get(app)
        if route is None or all(present.name != target for present in route.targets):
            self._known.get(app, set()).discard(target)
            self._under_way.pop((app, target), None)

    def routes(self) -> dict[str, Route]:
        self._answering()
        return dict(self._routes)

    def visit(self, host: str) -> tuple[int, str]:
        """Status and the name of the target that answers; without one 421 or 503 and the state."""
        route = next((route for route in self._routes.values() if host in route.hosts), None)
        if route is None:
            return 421, ""
        if not route.targets:
            return 503, route.state
        return 200, route.targets[next(self._turn) % len(route.targets)].name

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
                self._routes[other.app] = Route(other.app, rest, other.targets, other.state)

    def _answering(self) -> None:
        if self.down:
            raise Unavailable("the proxy does not answer", code="proxy_unavailable")
