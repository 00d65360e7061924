"""Moves traffic with HAProxy's runtime API: reads what it holds, plans the difference, says it, writes it down.

Nothing is remembered between two calls, so a restarted engine or HAProxy changes nothing about the next call.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from wherry import failpoint
from wherry.errors import InvalidInput, Unavailable
from wherry.routing import haproxy_reader, haproxy_table
from wherry.routing.front import with_front
from wherry.routing.haproxy_certificates import HaproxyCertificates
from wherry.routing.haproxy_config import POOL, Files, backends, check_route
from wherry.routing.haproxy_socket import Closed, HaproxySession
from wherry.routing.haproxy_table import Server, Table
from wherry.routing.proxy import Route
from wherry.settings import Settings

START_TIMEOUT = 10.0
CUT_TIMEOUT = 1.0


class HaproxyProxy:
    """Implements `Proxy`. Safe to call from several threads: changes go one after the other."""

    def __init__(self, settings: Settings) -> None:
        self._files = Files(settings)
        self._certificates = HaproxyCertificates(self._files)
        self._changing = threading.RLock()

    def start(self, routes: Iterable[Route]) -> None:
        """Waits up to 10 s for HAProxy. Leaves alone what is so already: an engine's restart is not seen by visitors."""
        wished = {route.app: route for route in routes}
        for route in wished.values():
            check_route(route)
        with self._changing:
            table = self._meet(wished)
            for app in sorted({*table.states, *table.active, *table.hosts.values()} - wished.keys()):
                self.withdraw(app)
            for route in wished.values():
                self.publish(route)
            self._do([f"clear map {self._files.challenges}"])
            self._reclaim()
            self._files.write(self._table())

    def publish(self, route: Route) -> None:
        check_route(route)
        with self._changing:
            table = self._room_for(route)
            commands = haproxy_table.publish(table, route, self._files.maps)
            if commands:
                failpoint.at("route_write")
                self._do(commands)
                failpoint.at("route_acknowledged")
                self._files.write(self._table())

    def face(self, route: Route) -> None:
        with self._changing:
            table = self._table()
            if route.app in table.states:
                self.publish(with_front(table.route(route.app), route))

    def withdraw(self, app: str) -> None:
        with self._changing:
            table = self._table()
            self._do(haproxy_table.withdraw(table, app, self._files.maps))
            self._cut([server for server in table.servers if server.app == app])
            self._cut_left_behind(app)
            self._files.write(self._table())

    def in_flight(self, app: str) -> dict[str, int]:
        """Workers that a reload left behind count too."""
        counts: dict[str, int] = {}
        for server in [*self._table().servers, *self._left_behind()]:
            if server.app == app:
                counts[server.target.name] = counts.get(server.target.name, 0) + server.in_flight
        return counts

    def answers(self, app: str) -> dict[str, tuple[int, int]]:
        return {server.target.name: (server.answers, server.failed) for server in self._table().serving(app)}

    def release(self, app: str, target: str) -> None:
        with self._changing:
            table = self._table()
            self._cut([server for server in table.leaving(app) if server.target.name == target])
            if all(server.target.name != target for server in table.serving(app)):
                self._cut_left_behind(app, target)

    def routes(self) -> dict[str, Route]:
        return self._table().routes()

    # Pages, certificates, challenges

    def keep_page(self, digest: str, html: str) -> None:
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise InvalidInput(f"page {digest[:80]!a}: not a digest", code="bad_route")
        page = self._files.pages / digest
        if not page.exists():
            fresh = page.with_suffix(".new")
            fresh.write_text(html, "utf-8")
            fresh.chmod(0o644)
            fresh.replace(page)
        else:
            page.touch()

    def certificates(self) -> dict[str, str]:
        return self._certificates.loaded()

    def put_certificate(self, name: str, pem: str) -> None:
        with self._changing:
            self._certificates.put(name, pem)

    def certificate(self, name: str) -> str:
        return self._certificates.read(name)

    def drop_certificate(self, name: str) -> None:
        with self._changing:
            self._certificates.drop(name)

    def prove(self, token: str, proof: str) -> None:
        if not re.fullmatch(r"[0-9A-Za-z_-]{1,200}", token) or not re.fullmatch(r"[0-9A-Za-z_.-]{1,400}", proof):
            raise InvalidInput("a challenge is not in its form", code="bad_route")
        self.unprove(token)
        self._do([f"add map {self._files.challenges} {token} {proof}"])

    def unprove(self, token: str) -> None:
        with HaproxySession(self._files.socket) as session:
            if token in haproxy_reader.entries(session.ask(f"show map {self._files.challenges}")):
                session.do(f"del map {self._files.challenges} {token}")

    def _table(self) -> Table:
        with HaproxySession(self._files.socket) as session:
            return haproxy_reader.table(session, self._files.maps)

    def _do(self, commands: list[str]) -> None:
        if commands:
            with HaproxySession(self._files.socket) as session:
                session.do(*commands)

    # Targets leave

    def _cut(self, servers: list[Server]) -> None:
        """Ends what is left on servers and deletes them. One that can not be deleted within a second is reclaimed later."""
        self._do(haproxy_table.cut(servers))
        paths, deadline = {server.path for server in servers}, time.monotonic() + CUT_TIMEOUT
        while paths and time.monotonic() < deadline:
            left = [server for server in self._table().servers if server.path in paths]
            self._delete([server for server in left if not server.in_flight])
            paths = {server.path for server in left if server.in_flight}
            time.sleep(0.005 if paths else 0)

    def _delete(self, servers: list[Server]) -> None:
        """Only servers in maintenance and without requests: HAProxy 2.6 may crash otherwise (haproxy/haproxy#2298)."""
        with HaproxySession(self._files.socket) as session:
            for server in servers:
                session.ask(f"del server {server.path}")

    def _reclaim(self) -> None:
        """Forgets targets that left and have nothing under way: an earlier life of the engine never came to release them."""
        self._cut([server for server in self._table().leaving() if not server.in_flight])

    # Reloads, and the workers they leave behind

    def _room_for(self, route: Route) -> Table:
        """The table, with a free backend in it if `route` needs one."""
        table = self._table()
        if not haproxy_table.needs_backend(table, route) or table.free():
            return table
        self._reclaim()
        table = self._table()
        return table if table.free() else self._reload(replace(table, backends=backends(2 * len(table.backends))))

    def _meet(self, wished: dict[str, Route]) -> Table:
        """The table of a HAProxy that runs our configuration. One of another shape (an upgrade, a new certificate folder)
        is reloaded straight into the wished routes; one that does not run will find them on disk."""
        placed = haproxy_table.placed(wished.values(), backends(POOL))
        try:
            shape = self._awaited_shape()
        except Unavailable:
            self._files.write(placed)
            raise
        sizes = (POOL << doublings for doublings in range(12))
        return self._table() if shape in (self._files.shape(size) for size in sizes) else self._reload(placed)

    def _awaited_shape(self) -> str:
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            try:
                with HaproxySession(self._files.socket) as session:
                    return haproxy_reader.shape(session)
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def _reload(self, table: Table) -> Table:
        """Starts a new worker from `table`; the present one finishes its requests. Returns what the new one holds."""
        self._files.write(table)
        wanted, deadline, agreed = self._files.shape(len(table.backends)), time.monotonic() + START_TIMEOUT, 0
        with HaproxySession(self._files.master) as master:
            master.send("reload")
        # For some milliseconds both workers accept commands on the same socket.
        while agreed < 5:
            agreed = agreed + 1 if self._awaited_shape() == wanted else 0
            if time.monotonic() > deadline:
                raise Unavailable("HAProxy did not take its new configuration", hint="See its log: wherry doctor", code="proxy_refused")
            time.sleep(0.005)
        return self._table()

    def _left_behind(self) -> list[Server]:
        """Servers of old workers that still have something under way."""
        answers = self._ask_old_workers(haproxy_reader.SERVERS).values()
        return [server for answer in answers for server in haproxy_reader.servers(answer) if server.in_flight]

    def _ask_old_workers(self, command: str) -> dict[str, str]:
        """Their answers by their pids. One that ends meanwhile has nothing under way any more and is left out."""
        with HaproxySession(self._files.master) as master:
            workers = haproxy_reader.old_workers(master.ask("show proc"))
        answers = {}
        for pid in workers:
            with suppress(Closed), HaproxySession(self._files.master) as master:
                answers[pid] = master.ask(f"@!{pid} {command}")
        return answers

    def _cut_left_behind(self, app: str, target: str = "") -> None:
        """Ends an app's requests in old workers, one by one, because they take no commands about servers any more. A request
        that may be repeated comes back as often as `retries` says, so this looks again until none is left, for a second."""
        deadline = time.monotonic() + CUT_TIMEOUT
        while (cut := self._sessions_left_behind(app, target)) and time.monotonic() < deadline:
            for pid, session in cut:
                with suppress(Closed), HaproxySession(self._files.master) as master:
                    master.ask(f"@!{pid} shutdown session {session}")
            time.sleep(0.02)

    def _sessions_left_behind(self, app: str, target: str) -> list[tuple[str, str]]:
        answers = self._ask_old_workers("show sess")
        return [(pid, found) for pid, answer in answers.items() for found in haproxy_reader.sessions(answer, app, target)]
