"""Slow clients, on real sockets: late is late, however busy they look."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from wherry import clock
from wherry.faces.api.deadlines import Deadlines


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.settimeout(60)
    with ours, theirs:
        yield ours, theirs


def test_a_silent_client_is_at_its_end_when_time_is_up(ends: tuple[socket.socket, socket.socket]) -> None:
    began = clock.monotonic()
    with Deadlines().within(ends[0], 0.2) as deadline:
        assert ends[0].recv(1) == b""
    assert deadline.passed
    assert 0.2 <= clock.monotonic() - began < 30


def test_a_client_that_drips_is_late_too_and_can_still_be_told_so(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    got = []
    with Deadlines().within(ours, 0.3) as deadline:
        while not deadline.passed:
            theirs.send(b"x")
            got.append(ours.recv(1))
            clock.sleep(0.02)
    assert len(got) > 1
    ours.sendall(b"408")
    assert theirs.recv(3) == b"408"


def test_who_is_in_time_is_left_alone_afterwards(ends: tuple[socket.socket, socket.socket]) -> None:
    deadlines = Deadlines()
    with deadlines.within(ends[0], 0.1) as deadline:
        pass
    clock.sleep(0.8)
    ends[1].sendall(b"hello")
    assert ends[0].recv(5) == b"hello"
    assert not deadline.passed
