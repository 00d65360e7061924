"""Who accepts is up; who only listens is not. Real sockets, and the kernel's own tables."""

import os
import socket
from collections.abc import Iterator

import pytest

from wherry.routing import probe
from wherry.running import listeners
from wherry.running.doorbell import Doorbell
from wherry.running.engine import Observed


class Ears:
    connect = staticmethod(probe.connect)
    accepted = staticmethod(listeners.accepted)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def instance(port: int) -> Observed:
    return Observed("c" * 64, "shop", "web", 1, 1, "f", "i", True, "127.0.0.1", port, os.getpid())


def test_a_listener_answers_when_it_accepts(listener: socket.socket) -> None:
    with Doorbell(Ears(), instance(listener.getsockname()[1])) as bell:
        assert not bell.answered()
        assert not bell.answered()
        accepted, _ = listener.accept()
        with accepted:
            assert bell.answered()
        assert bell.answered()


def test_a_listener_that_ends_before_it_accepts_has_not_answered(listener: socket.socket) -> None:
    with Doorbell(Ears(), instance(listener.getsockname()[1])) as bell:
        assert not bell.answered()
        listener.close()
        assert not bell.answered()


def test_nobody_there_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with Doorbell(Ears(), instance(port)) as bell:
        assert not bell.answered()


def test_a_hidden_process_counts_as_up_when_it_listens(listener: socket.socket) -> None:
    assert listeners.accepted(2**22 + 1, listener.getsockname()[1], 1) is None
