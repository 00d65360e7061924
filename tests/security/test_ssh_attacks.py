"""The receiver against clients that break the rules of SSH on purpose, below the level where ssh itself would let them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import paramiko
import pytest
from paramiko import common

from receiving_support import Person, Place, admin, person, place
from waiting import within
from wherry.receiving import limits


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("place")) as found:
        yield found


@pytest.fixture(scope="module")
def ada(here: Place, tmp_path_factory: pytest.TempPathFactory) -> Person:
    return admin(here, tmp_path_factory.mktemp("people"), "ada")


@pytest.fixture
def stranger(here: Place) -> Iterator[paramiko.Transport]:
    """A client whose keys are exchanged, and who proved nothing."""
    transport = paramiko.Transport(("127.0.0.1", here.port))
    transport.start_client(timeout=30)
    yield transport
    transport.close()


@pytest.fixture
def member(here: Place, ada: Person) -> Iterator[paramiko.Transport]:
    transport = paramiko.Transport(("127.0.0.1", here.port))
    transport.connect(username="wherry", pkey=paramiko.Ed25519Key.from_private_key_file(str(ada.home / "key")))
    yield transport
    transport.close()


def message(kind: int, *parts: str | bytes | int | bool) -> paramiko.Message:
    """A packet of these fields: text and bytes as strings, numbers as uint32."""
    made = paramiko.Message()
    made.add_byte(bytes([kind]))
    for part in parts:
        if isinstance(part, bool):
            made.add_boolean(part)
        elif isinstance(part, int):
            made.add_int(part)
        else:
            made.add_string(part)
    return made


def refused(member: paramiko.Transport, request: str, *parts: str | int) -> bool:
    """Whether the server says no to a request of a session; the client then closes it."""
    channel = member.open_session(timeout=60)
    made = paramiko.Message()
    made.add_byte(bytes([common.MSG_CHANNEL_REQUEST]))
    made.add_int(channel.remote_chanid)
    made.add_string(request)
    made.add_boolean(True)
    for part in parts:
        made.add_int(part) if isinstance(part, int) else made.add_string(part)
    channel._event_pending()
    member._send_user_message(made)
    assert channel.event.wait(30), "no answer"
    return not channel.event_ready


# before the login


def test_who_says_that_he_is_logged_in_is_not(tmp_path: Path) -> None:
    """CVE-2018-10933: a server that takes the client's USERAUTH_SUCCESS for its own. Who is not in has to leave after the grace."""
    with place(tmp_path, grace=3.0) as here:
        liar = paramiko.Transport(("127.0.0.1", here.port))
        liar.start_client(timeout=30)
        for sent in (
            message(common.MSG_SERVICE_REQUEST, "ssh-userauth"),
            message(common.MSG_USERAUTH_SUCCESS),
            message(common.MSG_CHANNEL_OPEN, "session", 0, 65536, 32768),
        ):
            with suppress(OSError, EOFError):
                liar._send_message(sent)
        assert within(60, lambda: not liar.is_active())
        liar.close()


@pytest.mark.parametrize("method", ["none", "hostbased", "gssapi-with-mic", "gssapi-keyex", "publickey-hostbound", "", "x" * 100_000])
def test_no_other_way_to_log_in_is_known(stranger: paramiko.Transport, method: str) -> None:
    stranger._send_message(message(common.MSG_SERVICE_REQUEST, "ssh-userauth"))
    for _ in range(limits.TRIES + 1):
        with suppress(OSError, EOFError):
            stranger._send_message(message(common.MSG_USERAUTH_REQUEST, "wherry", "ssh-connection", method))
    assert within(60, lambda: not stranger.is_active()), "more tries than three"
    assert not stranger.is_authenticated()


@pytest.mark.parametrize(
    "blob", [b"", b"\0" * 40, b"\0\0\0\x07ssh-rsa" + b"\xff" * 60_000, b"\xff" * 200], ids=["none", "zeros", "huge", "noise"]
)
@pytest.mark.parametrize(
    "algorithm", ["ssh-rsa", "rsa-sha2-512", "ssh-ed25519", "sk-ssh-ed25519@openssh.com", "nothing", "ssh-ed25519-cert-v01@openssh.com"]
)
def test_a_key_that_is_none_is_only_a_miss(here: Place, ada: Person, stranger: paramiko.Transport, algorithm: str, blob: bytes) -> None:
    stranger._send_message(message(common.MSG_SERVICE_REQUEST, "ssh-userauth"))
    stranger._send_message(message(common.MSG_USERAUTH_REQUEST, "wherry", "ssh-connection", "publickey", True, algorithm, blob, b"sig"))
    stranger._send_message(message(common.MSG_USERAUTH_REQUEST, "w" * 100_000, "ssh-connection", "publickey", False, algorithm, blob))
    assert not within(0.3, stranger.is_authenticated)


def test_after_all_that_everybody_else_is_served(ada: Person) -> None:
    assert ada.ssh("whoami").stdout.startswith("ada admin")


def test_nothing_is_compressed_so_nothing_is_blown_up(here: Place) -> None:
    with socket.create_connection(("127.0.0.1", here.port), timeout=30) as sock:
        sock.sendall(b"SSH-2.0-test\r\n")
        data = b""
        while data.count(b"none") < 2:
            piece = sock.recv(4096)
            assert piece, data
            data += piece
    assert b"zlib" not in data


def test_half_open_handshakes_from_many_places_do_not_keep_members_out(tmp_path: Path) -> None:
    with place(tmp_path) as here, ExitStack() as stack:
        someone = person(tmp_path, "ada", here.port)
        here.add_user("ada", "admin", someone.public_key)
        for number in range(limits.MOST_CONNECTIONS + 16):
            source = (f"127.0.1.{number % 16 + 1}", 0)
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", here.port), timeout=30, source_address=source))
            sock.sendall([b"", b"SSH-2.0-x", b"SSH-2.0-x\r\n", b"SSH-2.0-x\r\n\0\0\1"][number % 4])
        assert within(limits.GRACE + 20, lambda: someone.ssh("whoami").returncode == 0)


# after it


def test_no_request_but_for_a_command_and_a_terminal_is_granted(member: paramiko.Transport) -> None:
    assert refused(member, "auth-agent-req@openssh.com")
    assert refused(member, "env", "LD_PRELOAD", "/x")
    assert refused(member, "subsystem", "sftp")
    assert refused(member, "subsystem", "$(id)")
    assert refused(member, "signal", "KILL")
    assert refused(member, "break", 1)
    assert refused(member, "eow@openssh.com")
    assert refused(member, "x" * 50_000)
    channel = member.open_session(timeout=60)
    channel.exec_command("count")
    channel.shutdown_write()
    assert channel.recv(10) == b"0\n"


def test_a_terminal_of_absurd_size_and_kind_is_only_a_terminal(member: paramiko.Transport) -> None:
    channel = member.open_session(timeout=60)
    channel.get_pty(term="$(id)\0" + "x" * 5000, width=2**32 - 1, height=2**32 - 1)
    channel.resize_pty(width=2**32 - 1, height=0)
    channel.exec_command("say hello")
    assert channel.recv_exit_status() == 7


@pytest.mark.parametrize("kind", ["direct-tcpip", "forwarded-tcpip", "x11", "auth-agent@openssh.com", "tun@openssh.com", "", "session2"])
def test_no_channel_but_a_session_opens(member: paramiko.Transport, kind: str) -> None:
    with pytest.raises(paramiko.ChannelException):
        member.open_channel(kind, ("127.0.0.1", 22), ("127.0.0.1", 1), timeout=60)
    for name in ("tcpip-forward", "streamlocal-forward@openssh.com"):
        assert member.global_request(name, ("127.0.0.1", 0)) is None


HOSTILE = [
    "git-receive-pack",
    "git-receive-pack 'shop' 'other'",
    "git-receive-pack '../../etc'",
    "git-receive-pack '/etc/passwd'",
    "git-receive-pack '--help'",
    "git-receive-pack 'shop';id",
    "git-upload-pack --upload-pack='touch {0}' shop",
    "git-upload-pack 'ext::touch {0}'",
    "git-upload-pack -- shop",
    "git-upload-archive shop",
    "git-shell -c 'touch {0}'",
    "git -c core.sshCommand='touch {0}' receive-pack shop",
    "git --exec-path={0} receive-pack shop",
    "git -C / status",
    "sftp",
    "/usr/lib/openssh/sftp-server",
    "internal-sftp",
    "rsync --server -e 'touch {0}' . /",
    "exec touch {0}",
    "wherry; touch {0}",
    "wherry $(touch {0})",
    "\nps\ntouch {0}",
    "..",
    "./ps",
    "-c id",
]


@pytest.mark.parametrize("line", HOSTILE)
def test_a_line_outside_the_table_is_answered_and_runs_nothing(here: Place, ada: Person, tmp_path: Path, line: str) -> None:
    witness = tmp_path / "witness"
    done = ada.ssh(line.format(witness))
    assert not witness.exists()
    said = done.stdout + done.stderr
    assert "Traceback" not in said and "unexpected" not in said
    assert done.returncode != 0 or "ERR " in said or said.startswith("["), said
    assert not (here.settings.repositories / "shop.git").exists()
