"""Who accepts is up; who only listens is not. Real sockets, and the kernel's own tables."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from waiting import until
from wherry.routing import probe
from wherry.running import listeners, socket_diag
from wherry.running.doorbell import Doorbell
from wherry.running.engine import Observed
from wherry.running.socket_diag import Standing


class Ears:
    connect = staticmethod(probe.connect)
    witness = listeners.Witness


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


def test_a_listener_that_wants_data_first_answers_by_listening(listener: socket.socket, tmp_path: Path) -> None:
    """As Apache does: it would accept a connection without a request after 30 s only."""
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 30)
    with Doorbell(Ears(), instance(listener.getsockname()[1])) as bell:
        assert not bell.answered()
        until(bell.answered)
    (tmp_path / str(os.getpid())).mkdir()
    (tmp_path / str(os.getpid()) / "net").symlink_to("/proc/self/net")
    tables = listeners.Witness(os.getpid(), tmp_path)
    with socket.create_connection(listener.getsockname()) as connection, closing(tables):
        assert not tables.accepted(connection)
        until(lambda: tables.accepted(connection))


def test_a_hidden_process_counts_as_up_when_it_listens(listener: socket.socket) -> None:
    with socket.create_connection(listener.getsockname()) as connection:
        assert listeners.Witness(2**22 + 1).accepted(connection) is None


def test_the_kernels_tables_say_the_same_as_its_word_about_one_connection(listener: socket.socket, tmp_path: Path) -> None:
    """`tmp_path` shows the tables and hides the namespace, as a machine does where it may not be entered."""
    (tmp_path / str(os.getpid())).mkdir()
    (tmp_path / str(os.getpid()) / "net").symlink_to("/proc/self/net")
    with socket.create_connection(listener.getsockname()) as connection:
        places = (connection.getpeername(), connection.getsockname())
        hidden, seen = socket_diag.Namespace(os.getpid(), tmp_path), socket_diag.Namespace(os.getpid())
        tables = listeners.Witness(os.getpid(), tmp_path)
        with closing(seen), closing(tables):
            assert hidden.standing(*places) is None
            assert seen.standing(*places) is Standing.QUEUED
            assert tables.accepted(connection) is False
            accepted, _ = listener.accept()
            with accepted:
                assert seen.standing(*places) is Standing.ACCEPTED
                assert tables.accepted(connection) is True


def test_a_server_of_both_families_accepts_as_well() -> None:
    with (
        socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as both,
        socket.create_connection(("127.0.0.1", both.getsockname()[1])) as connection,
    ):
        witness = listeners.Witness(os.getpid())
        with closing(witness):
            assert witness.accepted(connection) is False
            accepted, _ = both.accept()
            with accepted:
                assert witness.accepted(connection) is True


def test_what_the_kernel_does_not_know_is_not_said() -> None:
    with closing(socket_diag.Namespace(os.getpid())) as namespace:
        assert namespace.standing(("127.0.0.1", 1), ("127.0.0.1", 2)) is None


def test_a_namespace_is_entered_once_and_let_go(listener: socket.socket) -> None:
    """As many looks as an instance takes to start go through one socket, which is gone when the bell is."""
    with Doorbell(Ears(), instance(listener.getsockname()[1])) as bell:
        assert not bell.answered()
        held = _ways_in()
        assert len(held) == 1
        assert [bell.answered() for _ in range(50)] == [False] * 50
        assert _ways_in() == held
    assert _ways_in() == set()


def _ways_in() -> set[str]:
    """The sockets of this process that ask the kernel about connections, by its numbers (/proc/net/netlink: protocol 4)."""
    rows = [line.split() for line in Path("/proc/self/net/netlink").read_text("ascii").splitlines()[1:]]
    asking = {f"socket:[{row[-1]}]" for row in rows if row[1] == str(socket_diag.NETLINK_SOCK_DIAG)}
    held = set()
    for opened in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            held.add(str(opened.readlink()))
    return asking & held
