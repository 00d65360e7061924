"""A health check: what an app's `app.json` asks of its instances, and what was seen when it was asked.

Source of the fields: Dokku's docker-container-healthchecker, README "File Format"; Kubernetes' three kinds of probes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

STARTUP, READINESS, LIVENESS = "startup", "readiness", "liveness"
KINDS = (STARTUP, READINESS, LIVENESS)
"""Before an instance takes requests; whether it takes them now; whether it is replaced."""
ATTEMPTS, WAIT = 3, 5
"""Failures in a row before one counts, and seconds between two looks: Dokku's defaults."""
PORT = 5000
"""Where checks look in a process without $PORT that name no port: what $PORT is in the others."""


@dataclass(frozen=True)
class HealthCheck:
    """One check. It asks one thing: a `path` over HTTP (must answer 200-399, with `content` in the body), a `command` inside
    the instance (must exit with 0; one word is a line for the shell), that it `listening`s, or that it is up for `uptime`
    seconds. `timeout`, `wait`, `initial_delay` and `uptime` are seconds; `attempts` and `wait` are None unless somebody said
    them. `port` None means $PORT."""

    path: str = ""
    name: str = ""
    timeout: int = 5
    type: str = STARTUP
    port: int | None = None
    content: str = ""
    command: tuple[str, ...] = ()
    uptime: int = 0
    listening: bool = False
    attempts: int | None = None
    wait: int | None = None
    initial_delay: int = 0
    scheme: str = "http"
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def tries(self) -> int:
        """How many failures in a row count."""
        return self.attempts or ATTEMPTS

    @property
    def pause(self) -> int:
        """Seconds from one look to the next."""
        return self.wait or WAIT

    @property
    def budget(self) -> float | None:
        """Seconds that a startup check may fail once the instance listens; None when nobody said. Uptime is not tried, it comes."""
        said = self.attempts is not None or self.wait is not None
        return float(self.tries * self.pause) if said and not self.uptime else None

    @property
    def what(self) -> str:
        """What is asked, in a few words: `GET /healthz`."""
        if self.path:
            return f"GET {self.path}"
        if self.command:
            return f'"{" ".join(self.command)[:60]}"'
        return f"up for {self.uptime} s" if self.uptime else f"listening on {self.port or '$PORT'}"


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP. `found` says whether the body had the content that was looked for."""

    status: int
    found: bool = True


@dataclass(frozen=True)
class Result:
    """How a look went, e.g. `GET /healthz 200`, or `GET /healthz answered 503`."""

    passed: bool
    words: str


def of_kind(checks: Iterable[HealthCheck], *kinds: str) -> tuple[HealthCheck, ...]:
    return tuple(check for check in checks if check.type in kinds)


def allowance(checks: Iterable[HealthCheck], boot: float) -> float:
    """Seconds that an instance may take until it is ready: `boot`, and what its checks ask for beyond that."""
    return boot + max((check.initial_delay + check.uptime + (check.budget or 0) for check in checks), default=0)


def to_json(checks: dict[str, tuple[HealthCheck, ...]]) -> dict[str, list[dict[str, Any]]]:
    return {name: [asdict(check) for check in found] for name, found in checks.items()}


def from_json(document: dict[str, list[dict[str, Any]]]) -> dict[str, tuple[HealthCheck, ...]]:
    return {name: tuple(_check(found) for found in checks) for name, checks in document.items()}


def _check(found: dict[str, Any]) -> HealthCheck:
    pairs = tuple((name, value) for name, value in found.get("headers", ()))
    return HealthCheck(**{**found, "headers": pairs, "command": tuple(found.get("command", ()))})
