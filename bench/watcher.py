"""A visitor who asks every few milliseconds and remembers when each answer was first seen."""

from __future__ import annotations

import http.client
import threading
import time

EVERY = 0.005
"""Seconds between two questions: the resolution of what is measured."""


class Watcher:
    """Asks in a thread of its own while the block runs. `aim` points it at another place. Times are `time.monotonic()`."""

    def __init__(self, address: str, port: int, host: str, path: str = "/") -> None:
        self._host, self._path = host, path
        self._place = (address, port)
        self._first: dict[str, float] = {}
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def aim(self, address: str, port: int) -> None:
        self._place = (address, port)

    def forget(self) -> None:
        """What was answered so far is news again."""
        with self._changed:
            self._first.clear()

    def seen(self, text: str, seconds: float = 120) -> float:
        """When the answer was `text` for the first time; waits for it. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: text in self._first, seconds):
                raise TimeoutError(f"{self._host} did not answer {text!r} within {seconds} s, only {list(self._first)[-3:]}")
            return self._first[text]

    def _watch(self) -> None:
        connection, place = None, None
        while not self._stopping.is_set():
            if connection is None or place != self._place:
                place = self._place
                connection = http.client.HTTPConnection(*place, timeout=5)
            try:
                self._ask(connection)
            except (OSError, http.client.HTTPException):
                connection.close()
                connection = None
            time.sleep(EVERY)

    def _ask(self, connection: http.client.HTTPConnection) -> None:
        connection.request("GET", self._path, headers={"Host": self._host})
        text = connection.getresponse().read().decode("utf-8", "replace")
        if text not in self._first:
            with self._changed:
                self._first[text] = time.monotonic()
                self._changed.notify_all()
