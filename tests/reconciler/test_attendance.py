"""An attached run that is stopped in the moment before its program begins."""

import hashlib
import socket
from collections.abc import Callable
from pathlib import Path

from platform_support import machine
from stored_platform import ADMIN
from wherry.model import wire
from wherry.model.run import Run, Screen
from wherry.reconciler.attendance import Attendance, stopped
from wherry.running.engine import InstanceSpec
from wherry.running.memory_engine import MemoryConversation, MemoryEngine
from wherry.services import runs
from wherry.services.platform import Platform
from wherry.store import runs as table


class Watched(MemoryEngine):
    """Remembers the talks that it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.talks: list[MemoryConversation] = []

    def converse(self, spec: InstanceSpec, screen: Screen | None) -> MemoryConversation:
        self.talks.append(super().converse(spec, screen))
        return self.talks[-1]


class Said(list[str]):
    """What the log is told; `meanwhile` happens at the word that it starts, which is said before it does."""

    def __init__(self) -> None:
        self.meanwhile: Callable[[], None] = lambda: None

    def append(self, text: str) -> None:
        super().append(text)
        if "Started by" in text:
            self.meanwhile()


def admitted(services: Platform) -> Run:
    """An attached run of shop whose client has shown its ticket."""
    _, ticket = runs.start(services, ADMIN, "shop", runs.Wanted(["cat"]))
    assert ticket
    with services.database.write() as connection:
        run = table.admit(connection, hashlib.sha256(ticket.reveal().encode()).hexdigest(), "2000-01-01T00:00:00Z")
    assert run
    return run


def test_what_is_stopped_before_it_begins_does_not_begin(tmp_path: Path) -> None:
    engine, said = Watched(), Said()
    with machine(tmp_path, engine, lines=said) as place:
        assert place.push("shop", "a", image="good").state == "succeeded"
        run = admitted(place.services)
        ours, theirs = socket.socketpair()
        attendance = Attendance(place.outside, ours, run, wire.Frames())
        said.meanwhile = lambda: attendance.end(stopped(run, "bob"))
        with theirs:
            theirs.shutdown(socket.SHUT_WR)  # so that a program that begins all the same ends, too
            attendance.attend()
            (talk,) = engine.talks
            assert not talk.begun
            told = [frame for frame in wire.Frames().feed(theirs.recv(65536)) if frame.kind == wire.EXIT]
        assert b"run.1 was stopped by bob" in told[0].payload
        ended = runs.get(place.services, ADMIN, "shop", run.number)
        assert (ended.state, ended.reason) == ("ended", "run.1 was stopped by bob")
