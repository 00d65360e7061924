"""Who accepts is up; who only listens is not. Real sockets, and the kernel's own tables."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from wherry.routing import probe
from wherry.running import listeners, socket_diag
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
    with socket.create_connection(listener.getsockname()) as connection:
        assert listeners.accepted(2**22 + 1, connection) is None


def test_the_kernels_tables_say_the_same_as_its_word_about_one_connection(listener: socket.socket, tmp_path: Path) -> None:
    """`tmp_path` shows the tables and hides the namespace, as a machine does where it may not be entered."""
    (tmp_path / str(os.getpid())).mkdir()
    (tmp_path / str(os.getpid()) / "net").symlink_to("/proc/self/net")
    with socket.create_connection(listener.getsockname()) as connection:
        places = (connection.getpeername(), connection.getsockname())
        assert socket_diag.is_accepted(os.getpid(), *places, tmp_path) is None
        assert socket_diag.is_accepted(os.getpid(), *places) is listeners.accepted(os.getpid(), connection, tmp_path) is False
        accepted, _ = listener.accept()
        with accepted:
            assert socket_diag.is_accepted(os.getpid(), *places) is listeners.accepted(os.getpid(), connection, tmp_path) is True


def test_a_server_of_both_families_accepts_as_well() -> None:
    with (
        socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as both,
        socket.create_connection(("127.0.0.1", both.getsockname()[1])) as connection,
    ):
        assert listeners.accepted(os.getpid(), connection) is False
        accepted, _ = both.accept()
        with accepted:
            assert listeners.accepted(os.getpid(), connection) is True


def test_what_the_kernel_does_not_know_is_not_said() -> None:
    assert socket_diag.is_accepted(os.getpid(), ("127.0.0.1", 1), ("127.0.0.1", 2)) is None
