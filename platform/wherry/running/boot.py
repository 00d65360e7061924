"""When is an instance ready? The moment it is seen to be: it answers on $PORT and passes its checks, or it settled.

A type without a port has settled when it is still there and has stopped using CPU (imports are over, it waits for
work), or after a short while whatever it does. Whatever goes wrong is told with its code and the way out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from wherry import clock
from wherry.errors import DeployFailed
from wherry.model.check import HealthCheck, allowance
from wherry.model.limits import more
from wherry.running import last_words
from wherry.running.checking import Sight, age, ask
from wherry.running.doorbell import Doorbell, Ears
from wherry.running.engine import Engine, Observed
from wherry.running.hurdles import Failed, Hurdles
from wherry.running.listeners import reachable

POLL = 0.01
ALIVE_EVERY = 0.1
SETTLE_WINDOW, SETTLE_AT_MOST, QUIET = 0.15, 2.0, 0.1
"""Seconds of a look, seconds of all looks, and the share of a core below which a process waits rather than starts."""
BIND = "Bind to 0.0.0.0:$PORT, e.g. web: gunicorn app:app -b 0.0.0.0:$PORT, or in Node.js app.listen(process.env.PORT)"


class Look(Ears, Sight, Protocol):
    """How to look at an instance from outside; the real one opens sockets."""

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
    """Blocks until `seen` has started and passed `checks`, one after the other, and returns what showed it, e.g.
    `GET /healthz 200`. `timeout` is seconds to start in; checks that ask for more time get it.

    Raises DeployFailed: R10 (not ready in time), R14 (out of memory), H10 (ended by itself).
    """
    started = _wait_settled(engine, look, seen) if seen.port is None else f"listening on {seen.port}"
    hurdles = Hurdles(checks, lambda check: ask(engine, look, seen, check, host), age(seen), started)
    began = clock.monotonic()
    end = began + allowance(checks, timeout)
    next_alive = clock.monotonic() + ALIVE_EVERY
    with Doorbell(look, seen) as bell:
        while True:
            if (seen.port is None or bell.answered()) and (proof := hurdles.taken()):
                return proof
            if clock.monotonic() >= next_alive:
                _still_alive(engine, seen)
                next_alive = clock.monotonic() + ALIVE_EVERY
            if cancelled():
                raise DeployFailed(f"{seen.name} was cancelled while it started", code="cancelled")
            if clock.monotonic() >= end or hurdles.refused():
                raise boot_timeout(engine, look, seen, clock.monotonic() - began, hurdles.last)
            clock.sleep(max(_pause(clock.monotonic() - began), min(hurdles.rest(), end - clock.monotonic())))


def _pause(waited: float) -> float:
    """Seconds until the next look: most apps are up within a moment, and a slow one's log should not fill with our looks."""
    return POLL if waited < 3 else 10 * POLL if waited < 10 else 25 * POLL


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
    evidence, hint = last_words.last_words(engine.tail(seen.id, last_words.READ), seen.app, seen.exit_code)
    if seen.oom:
        return DeployFailed(
            f"{seen.name} ran out of memory ({seen.memory} MB) while it started",
            code="R14",
            hint=f"Make it smaller, or give it more: wherry ps:type {seen.app} {more(seen.type, seen.memory)}",
            evidence=evidence,
            source=seen.name,
        )
    waiting = f" before it opened port {seen.port}" if seen.port else ""
    after = _lived(seen)
    return DeployFailed(
        f"{seen.name} exited with code {seen.exit_code}{after}{waiting}",
        code="H10",
        hint=hint,
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
    # Docker notes the start once it has heard of it: what ended at once has ended before, by some milliseconds.
    return f" after {max(seconds, 0.0):.1f} s" if -60 < seconds < 86400 else ""


def boot_timeout(engine: Engine, look: Look, seen: Observed, waited: float, last: Failed | None) -> DeployFailed:
    """R10, with what could be seen: a check that fails, another port, the loopback only, or nothing at all."""
    message, hint = _why_not_ready(look, seen, last)
    return DeployFailed(
        f"{seen.name} {message.format(timeout=f'{waited:.0f}')}",
        code="R10",
        hint=hint,
        evidence=tuple(engine.tail(seen.id, last_words.SHOWN)),
        source=seen.name,
    )


def _why_not_ready(look: Look, seen: Observed, last: Failed | None) -> tuple[str, str]:
    if last:
        started = "listens" if seen.port else "runs"
        return f"{started}, but {_braced(last.result.words)} for {{timeout}} s", _way_out(last.check)
    sockets = look.listeners(seen.pid)
    port = seen.port
    if any(found == port and reachable(address) for address, found in sockets):
        return "listens, but accepted no connection within {timeout} s.", "Its workers may still load the app, or hang while they do."
    if any(found == port for _, found in sockets):
        return f"opened no port within {{timeout}} s: it listens on 127.0.0.1:{port} only.", BIND
    if sockets:
        places = ", ".join(f"{address}:{found}" for address, found in sockets[:3])
        return f"listens on {places}, not on $PORT ({port}), for {{timeout}} s.", BIND
    return f"opened no port within {{timeout}} s: it listens on none; $PORT is {port}.", BIND


def _braced(words: str) -> str:
    return words.replace("{", "{{").replace("}", "}}")


def _way_out(check: HealthCheck) -> str:
    if check.path:
        return "It must answer 200-399; see healthchecks in app.json."
    return "It must exit with 0; see healthchecks in app.json." if check.command else "See healthchecks in app.json."
