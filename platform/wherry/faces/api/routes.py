"""The table of routes: each says its method, path, least role, what it reads and what it answers.

A route can not be written without a role, and what is not in the table is refused: the guard looks here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, current_app, g, request

from wherry.faces.api.bodies import read_body, read_query
from wherry.faces.api.followers import Followers
from wherry.model.user import Actor
from wherry.services.platform import Platform

View = Callable[..., Response]
PUBLIC = "public"
"""Instead of a role: for everybody. Only the health check says so; a test holds that."""


@dataclass(frozen=True)
class Ask:
    """What every view is given: the platform, and who asks."""

    platform: Platform
    actor: Actor
    followers: Followers


@dataclass(frozen=True)
class Route:
    """`body`, `query` and `answers` are msgspec shapes or None. `raw` is for a view that reads its body itself: its JSON shape
    and the other content types. The view's docstring completes "may not …". `on_locked` says that
    it is allowed also on an app that is locked; what only reads always is."""

    method: str
    path: str
    needs: str
    view: View
    body: Any
    query: Any
    answers: Any
    status: int
    raw: tuple[Any, tuple[str, ...]] | None = None
    on_locked: bool = False

    @property
    def changes_app(self) -> bool:
        """Whether a lock on the app refuses it."""
        return "<app>" in self.path and self.method != "GET" and not self.on_locked

    @property
    def summary(self) -> str:
        return (self.view.__doc__ or "").strip().rstrip(".")

    @property
    def endpoint(self) -> str:
        return f"{self.method} {self.path}".replace(".", "_")


@dataclass
class Routes:
    """The routes of one noun. A view takes an Ask, what its path names, and `body` or `query` when it reads one."""

    noun: str
    all: list[Route] = field(default_factory=list)

    def on(
        self,
        method: str,
        path: str,
        *,
        needs: str,
        body: Any = None,
        query: Any = None,
        raw: tuple[Any, tuple[str, ...]] | None = None,
        answers: Any = None,
        status: int = 200,
        on_locked: bool = False,
    ) -> Callable[[View], View]:
        def note(view: View) -> View:
            self.all.append(Route(method, path, needs, view, body, query, answers, status, raw, on_locked))
            return view

        return note

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint(self.noun, __name__)
        for route in self.all:
            blueprint.add_url_rule(route.path, endpoint=route.endpoint, view_func=_runner(route), methods=[route.method])
        return blueprint


def _runner(route: Route) -> View:
    """Reads the input, calls the view with the actor."""
    takes = inspect.signature(route.view).parameters
    if ("body" in takes) != (route.body is not None) or ("query" in takes) != (route.query is not None):
        raise TypeError(f"{route.method} {route.path}: its view does not take what the route reads")

    def run(**named: str) -> Response:
        read: dict[str, Any] = {}
        if route.body is not None:
            read["body"] = read_body(request, route.body)
        if route.query is not None:
            read["query"] = read_query(request, route.query)
        platform, followers = current_app.extensions["wherry"]
        return route.view(Ask(platform, g.actor, followers), **named, **read)

    return run
