"""Who has a port: real sockets, the kernel's own tables."""

import os
import re
import socket
from pathlib import Path

import pytest

from wherry import settings
from wherry.errors import Conflict
from wherry.setup import ports


@pytest.fixture
def taken() -> object:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_taken_port_is_named_with_the_program_that_has_it(taken: int) -> None:
    assert re.fullmatch(rf"\S+ \(process {os.getpid()}\)", ports.holder_of(taken))


def test_a_free_port_has_no_holder(taken: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]
    assert ports.holder_of(free) == ""


def test_a_port_taken_on_ipv6_alone_counts_too() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        assert f"process {os.getpid()}" in ports.holder_of(listener.getsockname()[1])


def test_a_connection_does_not_take_its_port(taken: int) -> None:
    with socket.create_connection(("127.0.0.1", taken)) as connection:
        assert ports.holder_of(connection.getsockname()[1]) == ""


def test_setting_up_on_a_taken_port_says_who_has_it_and_how_to_move(tmp_path: Path, taken: int) -> None:
    wanted = settings.load({"WHERRY_HOME": str(tmp_path), "WHERRY_HTTP_PORT": str(taken)})
    with pytest.raises(Conflict) as refused:
        ports.check(wanted)
    assert refused.value.code == "port_taken"
    assert f"port {taken} is taken by" in refused.value.message and str(os.getpid()) in refused.value.message
    assert re.search(r"sudo WHERRY_HTTP_PORT=\d+ scripts/up", refused.value.hint)
