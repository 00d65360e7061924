"""When is an instance ready? The moment it is seen to be: it answers on $PORT and passes its checks, or it settled.

A type without a port has settled when it is still there and has stopped using CPU (imports are over, it waits for
work), or after a short while whatever it does. Whatever goes wrong is told with its code and the way out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from wherry import clock
from wherry.errors import DeployFailed
from wherry.model.build import HealthCheck
from wherry.running.doorbell import Doorbell, Ears
from wherry.running.engine import Engine, Observed
from wherry.running.listeners import reachable

POLL = 0.01
ALIVE_EVERY = 0.1
SETTLE_WINDOW, SETTLE_AT_MOST, QUIET = 0.15, 2.0, 0.1
"""Seconds of a look, seconds of all looks, and the share of a core below which a process waits rather than starts."""
EVIDENCE = 12


class Look(Ears, Protocol):
    """How to look at an instance from outside; the real one opens sockets."""

    def listens(self, address: str, port: int, timeout: float = 1.0) -> bool: ...

    def check_http(self, address: str, port: int, path: str, host: str = "localhost", timeout: float = 5.0) -> int | None:
        """The status that a GET of `path` answers, None when nothing came."""

    def listeners(self, pid: int) -> list[tuple[str, int]]:
        """(address, port) of what the instance listens on; empty when that can not be seen."""

    def cpu_seconds(self, pid: int) -> float | None:
        """CPU time the instance has used; None when that can not be seen."""


def wait_until_ready(
    engine: Engine,
    look: Look,
    seen: Observed,
    checks: tuple[HealthCheck, ...],
    timeout: float,
    host: str = "localhost",
    cancelled: Callable[[], bool] = lambda: False,
) -> str:
    """Blocks until `seen` is ready and returns what showed it, e.g. `GET /healthz 200`.

    Raises DeployFailed: R10 (not ready within `timeout` seconds), R14 (out of memory), H10 (ended by itself).
    """
    if seen.port is None:
        return _wait_settled(engine, look, seen)
    end = clock.monotonic() + timeout
    next_alive = clock.monotonic() + ALIVE_EVERY
    status: int | None = None
    with Doorbell(look, seen) as bell:
        while True:
            if bell.answered():
                status, passed = _checked(look, seen, checks, host)
                if passed:
                    return passed
            if clock.monotonic() >= next_alive:
                _still_alive(engine, seen)
                next_alive = clock.monotonic() + ALIVE_EVERY
            if cancelled():
                raise DeployFailed(f"{seen.name} was cancelled while it started", code="cancelled")
            if clock.monotonic() >= end:
                raise boot_timeout(engine, look, seen, checks, timeout, status)
            clock.sleep(_pause(timeout - (end - clock.monotonic())))


def _pause(waited: float) -> float:
    """Seconds until the next look: most apps are up within a moment, and a slow one's log should not fill with our looks."""
    return POLL if waited < 3 else 10 * POLL if waited < 10 else 25 * POLL


def _checked(look: Look, seen: Observed, checks: tuple[HealthCheck, ...], host: str) -> tuple[int | None, str | None]:
    """The last status seen, and what proves readiness when all checks pass."""
    if not checks:
        return None, f"listening on {seen.port}"
    status = None
    for check in checks:
        status = look.check_http(seen.address, seen.port or 0, check.path, host, check.timeout)
        if status is None or not 200 <= status < 400:
            clock.sleep(POLL)
            return status, None
    return status, f"GET {checks[-1].path} {status}"


def _wait_settled(engine: Engine, look: Look, seen: Observed) -> str:
    """Nothing tells when such a type is up, so it is watched: it is when it lives on and has gone quiet."""
    end = clock.monotonic() + SETTLE_AT_MOST
    before = look.cpu_seconds(seen.pid)
    while clock.monotonic() < end:
        clock.sleep(SETTLE_WINDOW)
        _still_alive(engine, seen)
        now = look.cpu_seconds(seen.pid)
        if now is not None and before is not None and now - before < QUIET * SETTLE_WINDOW:
            break
        before = now
    _still_alive(engine, seen)
    return "running"


def _still_alive(engine: Engine, seen: Observed) -> None:
    """Raises DeployFailed when the instance has ended."""
    now = next((found for found in engine.observe(seen.app) if found.id == seen.id), None)
    if now is None or not now.running:
        raise ended(engine, now or seen)


def ended(engine: Engine, seen: Observed) -> DeployFailed:
    """Names how an instance ended: out of memory, or an exit before it was ready."""
    evidence = tuple(engine.tail(seen.id, EVIDENCE))
    if seen.oom:
        return DeployFailed(
            f"{seen.name} ran out of memory while it started",
            code="R14",
            hint="Make it smaller, or raise WHERRY_INSTANCE_MEMORY.",
            evidence=evidence,
            source=seen.name,
        )
    waiting = f" before it opened port {seen.port}" if seen.port else ""
    after = _lived(seen)
    return DeployFailed(
        f"{seen.name} exited with code {seen.exit_code}{after}{waiting}",
        code="H10",
        hint="The lines below are its last; run it the same way on your machine.",
        evidence=evidence,
        source=seen.name,
    )


def _lived(seen: Observed) -> str:
    from datetime import datetime

    try:
        began, over = (datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00") for text in (seen.started_at, seen.finished_at))
    except ValueError:
        return ""
    seconds = (over - began).total_seconds()
    return f" after {seconds:.1f} s" if 0 <= seconds < 86400 else ""


def boot_timeout(
    engine: Engine, look: Look, seen: Observed, checks: tuple[HealthCheck, ...], timeout: float, status: int | None
) -> DeployFailed:
    """R10, with what could be seen: another port, the loopback only, a check that answers wrongly, or nothing at all."""
    message, hint = _why_not_ready(look, seen, checks, status)
    return DeployFailed(
        f"{seen.name} {message.format(timeout=f'{timeout:g}')}",
        code="R10",
        hint=hint,
        evidence=tuple(engine.tail(seen.id, EVIDENCE)),
        source=seen.name,
    )


def _why_not_ready(look: Look, seen: Observed, checks: tuple[HealthCheck, ...], status: int | None) -> tuple[str, str]:
    sockets = look.listeners(seen.pid)
    port = seen.port
    if any(found == port and reachable(address) for address, found in sockets) or status is not None:
        return _why_no_answer(checks, status)
    bind = "Bind to 0.0.0.0:$PORT, e.g. web: gunicorn app:app -b 0.0.0.0:$PORT"
    if any(found == port for _, found in sockets):
        return f"opened no port within {{timeout}} s: it listens on 127.0.0.1:{port} only.", bind
    if sockets:
        places = ", ".join(f"{address}:{found}" for address, found in sockets[:3])
        return f"listens on {places}, not on $PORT ({port}), for {{timeout}} s.", bind
    return f"opened no port within {{timeout}} s: it listens on none; $PORT is {port}.", bind


def _why_no_answer(checks: tuple[HealthCheck, ...], status: int | None) -> tuple[str, str]:
    if not checks:
        return "listens, but accepted no connection within {timeout} s.", "Its workers may still load the app, or hang while they do."
    answer = f"answered {status}" if status is not None else "did not answer"
    return f"listens, but GET {checks[0].path} {answer} for {{timeout}} s", "It must answer 200-399; see healthchecks in app.json."
