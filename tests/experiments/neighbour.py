"""People who visit a quiet app while something happens beside it: how long their answers take, and what else they get."""

from __future__ import annotations

import http.client
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from scenario_support import Site

PEOPLE = 4
PAUSE = 0.02
"""Seconds between two requests of one: people, not a flood, which would be slow by itself."""


@dataclass
class Noticed:
    """`took` is how long each good answer took, in ms; `bad` is what else came."""

    took: list[float] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.took, n=100)[98]

    def ask(self, connection: http.client.HTTPConnection, app: str) -> None:
        began = time.monotonic()
        try:
            connection.request("GET", "/", headers={"Host": f"{app}.localhost"})
            answer = connection.getresponse()
            body = answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            self.bad.append(type(error).__name__)
            connection.close()
            return
        if answer.status == 200 and body.startswith(f"{app}/"):
            self.took.append((time.monotonic() - began) * 1000)
        else:
            self.bad.append(f"{answer.status} {body[:40]}")


@contextmanager
def visited(site: Site, app: str) -> Iterator[Noticed]:
    """Visitors of `app` while the block runs."""
    noticed, over = Noticed(), threading.Event()

    def person() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", site.http_port, timeout=30)
        while not over.wait(PAUSE):
            noticed.ask(connection, app)
        connection.close()

    people = [threading.Thread(target=person, daemon=True) for _ in range(PEOPLE)]
    for one in people:
        one.start()
    try:
        yield noticed
    finally:
        over.set()
        for one in people:
            one.join(40)
