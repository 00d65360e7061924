"""Serves the API: gunicorn's threaded worker inside this process, on loopback and on the unix socket.

There is no arbiter: it would be a second process of 20 MB whose one task, to start a dead worker again, the platform's
supervisor has already.
"""

from __future__ import annotations

import gc
import os
import socket
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.sock import create_sockets
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import TConn, ThreadWorker

from wherry.faces.api import problems
from wherry.faces.api.app import create_app
from wherry.faces.api.bodies import BODY_SECONDS
from wherry.faces.api.deadlines import DEADLINES, Deadline
from wherry.faces.api.followers import PLACES, Followers
from wherry.services import platform
from wherry.settings import Settings

THREADS = PLACES + 8
"""Eight are always free for short requests, however many follow."""

HEADER_SECONDS = 15.0
GRACE = 4
"""Seconds for requests in flight after SIGTERM."""

FOLLOWERS = Followers()


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threaded worker, and: slow headers have a deadline, streams end at SIGTERM, refusals are problems."""

    def handle(self, conn: TConn) -> Any:
        conn.deadline = DEADLINES.start(conn.sock, HEADER_SECONDS, hurry=True)
        try:
            return super().handle(conn)
        finally:
            DEADLINES.lift(conn.deadline)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        deadline: Deadline = conn.deadline
        DEADLINES.lift(deadline)
        return super().handle_request(req, conn)

    def handle_exit(self, sig: int, frame: Any) -> None:
        FOLLOWERS.stopping = True
        super().handle_exit(sig, frame)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """What is no HTTP, before there is a request that the application could answer."""
        status = 431 if isinstance(exc, LimitRequestHeaders) else 414 if isinstance(exc, LimitRequestLine) else 400
        if not isinstance(exc, ParseException):
            self.log.error("unexpected error on a connection", exc_info=exc)
            status = 500
        body = problems.encode(status, "internal" if status == 500 else "bad_request", "this is no HTTP request that can be read")
        head = f"HTTP/1.1 {status} \r\nConnection: close\r\nContent-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n\r\n"
        try:
            write_nonblock(client, head.encode() + body)
        except OSError:
            return


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn's configuration, told by code instead of a file."""

    def __init__(self, settings: Settings, body_seconds: float) -> None:
        self.settings = settings
        self.body_seconds = body_seconds
        super().__init__()

    def load_config(self) -> None:
        for key, value in options(self.settings).items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        return create_app(platform.of(self.settings), FOLLOWERS, self.body_seconds)

    def run(self) -> None:
        """Serves until SIGTERM."""
        log = Logger(self.cfg)
        sockets = create_sockets(self.cfg, log)
        worker = Worker(1, os.getppid(), sockets, self, self.cfg.timeout, self.cfg, log)
        self.wsgi()
        gc.collect()
        gc.freeze()
        try:
            worker.init_process()
        finally:
            self.settings.api_socket.unlink(missing_ok=True)


def options(settings: Settings) -> dict[str, Any]:
    """gunicorn's settings. The socket is open to all accounts: the kernel says who connects, and the guard decides."""
    return {
        "bind": [f"127.0.0.1:{settings.api_port}", f"unix:{settings.api_socket}"],
        "worker_class": "gthread",
        "threads": THREADS,
        "worker_connections": 200,
        "umask": 0o111,
        "graceful_timeout": GRACE,
        "keepalive": 5,
        "accesslog": None,
        "loglevel": "warning",
        "forwarded_allow_ips": "",
        # At a unix socket gunicorn believes these from whoever comes.
        "forwarder_headers": "",
        "secure_scheme_headers": {},
    }


def serve(settings: Settings, body_seconds: float = BODY_SECONDS) -> None:
    """Serves until SIGTERM, then ends within about five seconds, followers or not. Call it from the main thread."""
    settings.run.mkdir(parents=True, exist_ok=True)
    problems.log_to_stderr()
    Server(settings, body_seconds).run()
