"""In front of every route, streaming ones too: the right host, a proven actor, a sufficient role, no lock. Default deny."""

from __future__ import annotations

import re
import socket
import struct

from flask import Flask, Request, g, request

from wherry.access import authenticate
from wherry.access.require import require
from wherry.access.token_text import PREFIX
from wherry.errors import BadRequest, Forbidden, Unauthenticated
from wherry.faces.api.problems import TransportError
from wherry.faces.api.routes import PUBLIC, Routes
from wherry.model.user import Actor
from wherry.services import locks
from wherry.services.platform import Platform

LOOPBACK = r"(?i:localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?"
"""Any port: a tunnel (ssh -L 9000:127.0.0.1:8420) brings its own, and a page elsewhere can not own these names."""


NOBODY = Actor("nobody", "none", "public")
"""Who asks a public route: has no role, so no service answers."""


def install(app: Flask, platform: Platform, nouns: list[Routes]) -> None:
    """Puts the guard before every request, also before the refusal of an unknown path or method."""
    known = {f"{noun.noun}.{route.endpoint}": route for noun in nouns for route in noun.all}

    @app.before_request
    def guard() -> None:
        _check_target(request)
        _check_host(request)
        route = known.get(request.endpoint or "")
        if route is not None and route.needs == PUBLIC:
            g.actor = NOBODY
            return
        _check_query(request)
        g.actor = _actor(platform, request)
        if route is not None:
            require(g.actor, route.needs, route.summary)
            if route.changes_app:
                locks.check(platform, (request.view_args or {})["app"])
        elif request.routing_exception is None:
            raise Forbidden("this route has no rule that allows anybody")


def _actor(platform: Platform, request: Request) -> Actor:
    header = request.headers.get("Authorization")
    if header is not None:
        return authenticate.by_header(platform.database, header)
    uid = peer(request)
    if uid is None:
        raise Unauthenticated("this needs a token", hint=authenticate.HINT)
    return authenticate.by_peer(platform.database, uid, platform.settings.user, request.headers.get("Wherry-Actor", ""))


def peer(request: Request) -> int | None:
    """The account at the other end of the unix socket, as the kernel says; None for TCP."""
    sock: socket.socket | None = request.environ.get("gunicorn.socket")
    if sock is None or sock.family != socket.AF_UNIX:
        return None
    _, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return int(uid)


def _check_target(request: Request) -> None:
    """A target may name a host of its own, which would count and not the Host header: none may here."""
    if not request.environ.get("RAW_URI", "/").startswith("/"):
        raise BadRequest("the request line names more than a path", hint="Send GET /api HTTP/1.1 and the like.")


def _check_host(request: Request) -> None:
    """A web page may point a name of its own at 127.0.0.1; the browser then says that name (DNS rebinding)."""
    host = request.environ.get("HTTP_HOST", "")
    if peer(request) is None and not re.fullmatch(LOOPBACK, host):
        raise TransportError(421, f"no API at {host[:60]!a}", hint="Use http://127.0.0.1 or http://localhost.", code="wrong_host")


def _check_query(request: Request) -> None:
    """What is in a URL ends up in logs and histories."""
    for key, value in request.args.items(multi=True):
        if key.lower() in ("token", "access_token", "api_key") or value.startswith(PREFIX):
            hint = "Send Authorization: Bearer …, and revoke this token: it is in histories and logs now."
            raise BadRequest("a token has no place in a URL", hint=hint, field=key[:40])
