"""The receiver, attacked and used over real connections by the real ssh and by a client that breaks the rules."""

import functools
import os
import socket
import stat
import subprocess
import termios
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import paramiko
import pytest

from free_ports import free_port
from receiving_support import Person, Place, admin, knock, person, place
from waiting import within
from wherry.receiving import limits

LOGIN_IS_OFF = "interactive login is off. Try: ssh wherry@host help"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("place")) as found:
        yield found


@pytest.fixture(scope="module")
def ada(here: Place, tmp_path_factory: pytest.TempPathFactory) -> Person:
    return admin(here, tmp_path_factory.mktemp("people"), "ada")


@pytest.fixture
def stranger(here: Place, tmp_path: Path) -> Person:
    return person(tmp_path, "eve", here.port)


@pytest.fixture
def client(here: Place, ada: Person) -> Iterator[paramiko.Transport]:
    """A logged-in client below the level of ssh, for what ssh would never do."""
    transport = paramiko.Transport(("127.0.0.1", here.port))
    transport.connect(username="wherry", pkey=key_of(ada))
    yield transport
    transport.close()


def key_of(someone: Person) -> paramiko.Ed25519Key:
    return paramiko.Ed25519Key.from_private_key_file(str(someone.home / "key"))


# who comes in


def test_a_known_key_runs_the_command_line_as_its_user(here: Place, ada: Person) -> None:
    done = ada.ssh("whoami")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"ada admin ssh {here.settings.home}\n", "")


def test_an_unknown_key_is_refused(stranger: Person) -> None:
    done = stranger.ssh("whoami")
    assert (done.returncode, done.stdout) == (255, "")
    assert "Permission denied (publickey)" in done.stderr


def test_another_user_name_is_refused_with_the_right_one_and_this_port(here: Place, ada: Person) -> None:
    done = ada.ssh("whoami", user="root")
    assert done.returncode == 255
    assert f"Log in as wherry, e.g. ssh -p {here.port} wherry@host help" in done.stderr
    assert f"ssh://wherry@host:{here.port}/my-app" in done.stderr


def test_a_removed_key_stops_working_at_once_even_on_an_open_connection(here: Place, tmp_path: Path) -> None:
    bob = person(tmp_path, "bob", here.port)
    here.add_user("bob", "deploy", bob.public_key)
    master = bob.start_ssh("-N", options=("-M", "-S", str(tmp_path / "mux")))
    assert within(60, (tmp_path / "mux").exists)
    assert bob.ssh("whoami", options=("-S", str(tmp_path / "mux"))).stdout.startswith("bob deploy")
    here.remove_key("bob-laptop")
    refused = bob.ssh("whoami", options=("-S", str(tmp_path / "mux")))
    assert (refused.returncode, refused.stdout, refused.stderr) == (3, "", "this key was removed\n")
    assert bob.ssh("whoami").returncode == 255
    master.terminate()
    master.communicate(timeout=60)


@pytest.mark.parametrize("options", ["-t ecdsa -b 256", "-t ecdsa -b 521", "-t rsa -b 2048"])
def test_every_accepted_kind_of_key_logs_in(here: Place, tmp_path: Path, options: str) -> None:
    someone = person(tmp_path, "carol", here.port)
    for old in (someone.home / "key", someone.home / "key.pub"):
        old.unlink()
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-f", str(someone.home / "key"), *options.split()], check=True)
    name = f"carol{abs(hash(options)) % 1000}"
    here.add_user(name, "read", someone.public_key)
    assert someone.ssh("whoami").stdout.startswith(f"{name} read")


def test_an_agent_full_of_other_keys_does_not_lock_its_owner_out(ada: Person, tmp_path: Path) -> None:
    offers: list[str] = []
    for number in range(6):
        path = tmp_path / f"other{number}"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
        offers += ["-i", str(path)]
    argv = ["ssh", *offers, *ada.options(), "wherry@127.0.0.1", "whoami"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout.startswith("ada admin"), done.stderr


def test_to_offer_a_known_key_is_not_to_prove_it(here: Place, ada: Person, stranger: Person) -> None:
    """The public half is no secret: signing with another key must not open the door, and costs a try."""

    class Impostor(paramiko.Ed25519Key):
        def asbytes(self) -> bytes:
            return key_of(ada).asbytes()

    transport = paramiko.Transport(("127.0.0.1", here.port))
    transport.start_client(timeout=60)
    forged = Impostor.from_private_key_file(str(stranger.home / "key"))
    for _ in range(limits.TRIES):
        with pytest.raises(paramiko.SSHException):
            transport.auth_publickey("wherry", forged)
    assert not transport.is_authenticated()
    assert within(60, lambda: not transport.is_active())


@pytest.mark.parametrize("method", ["password", "keyboard-interactive"])
def test_a_guesser_has_three_tries(here: Place, method: str) -> None:
    transport = paramiko.Transport(("127.0.0.1", here.port))
    transport.start_client(timeout=60)
    for guess in range(1, limits.TRIES + 1):
        with pytest.raises(paramiko.SSHException):
            transport.auth_password("wherry", "secret", fallback=False) if method == "password" else transport.auth_interactive(
                "wherry", lambda *_: []
            )
        patience = 60 if guess == limits.TRIES else 0.2
        assert within(patience, lambda: not transport.is_active()) is (guess == limits.TRIES), f"after {guess} tries"
    transport.close()


def test_nothing_opens_before_the_login(here: Place) -> None:
    transport = paramiko.Transport(("127.0.0.1", here.port))
    transport.start_client(timeout=60)
    with pytest.raises(paramiko.ChannelException, match="Administratively prohibited"):
        transport.open_session(timeout=60)
    assert transport.global_request("tcpip-forward", ("", 0)) is None
    transport.close()


def test_a_security_key_proves_itself_with_a_touch_and_not_without(here: Place) -> None:
    for touched, name in ((True, "tina"), (False, "tom")):
        token = Token(touched)
        here.add_user(name, "read", f"{token.name} {token.get_base64()} {name}")
        transport = paramiko.Transport(("127.0.0.1", here.port))
        transport.start_client(timeout=60)
        if touched:
            transport.auth_publickey("wherry", token)
        else:
            with pytest.raises(paramiko.AuthenticationException):
                transport.auth_publickey("wherry", token)
        assert transport.is_authenticated() is touched
        transport.close()


class Token(paramiko.PKey):
    """A hardware token as OpenSSH's PROTOCOL.u2f describes it, in software."""

    name = "sk-ssh-ed25519@openssh.com"

    def __init__(self, touched: bool) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._private = Ed25519PrivateKey.generate()
        self._flags = bytes([touched])

    def get_name(self) -> str:
        return self.name

    def asbytes(self) -> bytes:
        message = paramiko.Message()
        message.add_string(self.name)
        message.add_string(self._private.public_key().public_bytes_raw())
        message.add_string("ssh:")
        return message.asbytes()

    def sign_ssh_data(self, data: bytes, algorithm: str | None = None) -> bytes:
        from hashlib import sha256

        counter = bytes(3) + b"\x05"
        message = paramiko.Message()
        message.add_string(self.name)
        message.add_string(self._private.sign(sha256(b"ssh:").digest() + self._flags + counter + sha256(data).digest()))
        return message.asbytes() + self._flags + counter


def test_who_dawdles_at_the_login_is_hung_up_on_and_the_others_are_not(tmp_path: Path) -> None:
    with place(tmp_path, grace=3.0) as here:
        someone = person(tmp_path, "ada", here.port)
        here.add_user("ada", "admin", someone.public_key)
        patient = someone.start_ssh("count")
        with knock(here.port) as silent, knock(here.port) as talkative:
            talkative.sendall(b"SSH-2.0-slow\r\n")
            assert drained(silent) == b"SSH-2.0-Wherry\r\n"
            assert b"ssh-ed25519" in drained(talkative)
        assert patient.communicate(b"four", timeout=60)[0] == b"4\n"


# what they may do there


def test_a_shell_is_refused_in_plain_words(ada: Person) -> None:
    done = ada.ssh()
    assert (done.returncode, done.stdout) == (2, "")
    assert LOGIN_IS_OFF in done.stderr


def at_a_terminal(ada: Person, *words: str, types: bytes = b"", ready: Path | None = None) -> subprocess.CompletedProcess[str]:
    """`ssh -t` with a real terminal as its input; what is typed waits until ssh reads each key, and until the file `ready` is there."""
    controller, terminal = os.openpty()
    argv = ["ssh", "-t", *ada.options(), "wherry@127.0.0.1", *words]
    with subprocess.Popen(argv, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as ssh:
        if types:
            assert within(60, lambda: not termios.tcgetattr(terminal)[3] & termios.ICANON and (ready is None or ready.exists()))
            os.write(controller, types)
        out, err = ssh.communicate(timeout=60)
    os.close(controller)
    os.close(terminal)
    return subprocess.CompletedProcess(argv, ssh.returncode, out.decode(), err.decode())


def test_who_asks_for_a_terminal_gets_the_answer_without_one(ada: Person) -> None:
    done = at_a_terminal(ada, "say", "hello")
    assert (done.returncode, done.stdout) == (7, "out hello\r\n")
    assert at_a_terminal(ada).stderr.startswith(f"{LOGIN_IS_OFF}\r\n")


def test_control_c_at_a_terminal_ends_the_command(ada: Person, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    assert at_a_terminal(ada, "sleep", str(pid), types=b"\x03", ready=pid).returncode not in (0, 255)


def test_control_d_at_a_terminal_ends_the_input(ada: Person) -> None:
    assert at_a_terminal(ada, "count", types=b"four\r\x04").stdout == "5\r\n"


@pytest.mark.parametrize("line", ["bash", "sh -c id", "scp -t /", "rsync --server . /", "'ps;id'", " --help"])
def test_what_is_no_command_of_ours_never_runs(ada: Person, line: str) -> None:
    done = ada.ssh(line)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{LOGIN_IS_OFF}\n")


def test_no_shell_reads_the_words(ada: Person, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    done = ada.ssh(f"ps shop; touch {witness} | $(touch {witness}) `touch {witness}` > {witness}")
    assert done.stdout.startswith("['ps', 'shop;', 'touch',")
    assert not witness.exists()


def test_only_the_verb_is_in_what_ps_shows(ada: Person) -> None:
    assert ada.ssh("arguments", "TOKEN=secret", "'two words'").stdout == "arguments\n"


def test_the_client_sets_no_environment(ada: Person) -> None:
    names = ada.ssh("env", options=("-o", "SetEnv=WHERRY_ACTOR=root LD_PRELOAD=/x EVIL=1")).stdout.split()
    assert set(names) & {"EVIL", "LD_PRELOAD"} == set()
    assert ada.ssh("whoami", options=("-o", "SetEnv=WHERRY_ACTOR=root")).stdout.startswith("ada admin")


def test_files_can_not_be_copied(ada: Person, tmp_path: Path) -> None:
    source = tmp_path / "file"
    source.write_text("x")
    options = [word if word != "-p" else "-P" for word in ada.options()]
    for old in ([], ["-O"]):
        done = subprocess.run(["scp", *old, *options, str(source), "wherry@127.0.0.1:/tmp/"], capture_output=True, timeout=30, check=False)
        assert done.returncode != 0


@pytest.mark.parametrize("option", ["-L {}:127.0.0.1:22", "-D {}"])
def test_nothing_behind_the_receiver_can_be_reached_through_it(ada: Person, option: str) -> None:
    port = free_port()
    to_port_22 = b"\x05\x01\x00" + b"\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x16"
    with ada.start_ssh("sleep", "/dev/null", options=tuple(option.format(port).split())) as ssh:
        assert within(60, lambda: answers(port))
        with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
            sock.sendall(to_port_22 if option.startswith("-D") else b"hello")
            assert b"SSH-" not in drained(sock)
        ssh.terminate()
        assert b"prohibited" in ssh.communicate(timeout=60)[0]


@pytest.mark.parametrize(
    ("options", "says"),
    [("-R 0:127.0.0.1:22 -o ExitOnForwardFailure=yes", "remote port forwarding failed"), ("-W 127.0.0.1:22", "prohibited")],
)
def test_nothing_is_forwarded(ada: Person, options: str, says: str) -> None:
    done = ada.ssh(*(() if "-W" in options else ("count",)), options=tuple(options.split()))
    assert done.returncode == 255
    assert says in done.stderr


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=30).close()
    except OSError:
        return False
    return True


def drained(sock: socket.socket) -> bytes:
    data = b""
    while True:
        try:
            more = sock.recv(4096)
        except OSError:
            return data
        if not more:
            return data
        data += more


def test_agents_screens_and_subsystems_are_not_taken(client: paramiko.Transport) -> None:
    channel = client.open_session(timeout=60)
    with pytest.raises(paramiko.SSHException):
        channel.invoke_subsystem("sftp")
    channel = client.open_session(timeout=60)
    with pytest.raises(paramiko.SSHException):
        channel.request_x11()
    with pytest.raises(paramiko.ChannelException):
        client.open_channel("direct-streamlocal@openssh.com", timeout=60)


def test_one_session_serves_one_command(client: paramiko.Transport) -> None:
    channel = client.open_session(timeout=60)
    channel.exec_command("count")
    with pytest.raises(paramiko.SSHException):
        channel.exec_command("whoami")
    channel.close()


def test_a_command_that_is_over_at_once_ends_after_its_client_has_heard_that_it_was_taken(here: Place, ada: Person) -> None:
    """OpenSSH complains of an answer that comes for a channel that is closed. Of forty it was one or two."""
    heard: list[int] = []
    answer, close = paramiko.common.MSG_CHANNEL_SUCCESS, paramiko.common.MSG_CHANNEL_CLOSE

    class Noting(paramiko.Transport):
        _channel_handler_table: ClassVar[dict[int, Any]] = {
            kind: functools.partial(lambda kind, take, *words: (heard.append(kind), take(*words)), kind, take)
            for kind, take in paramiko.Transport._channel_handler_table.items()
        }

    transport = Noting(("127.0.0.1", here.port))
    transport.connect(username="wherry", pkey=key_of(ada))
    for _ in range(40):
        heard.clear()
        channel = transport.open_session(timeout=60)
        channel.exec_command("bash")
        assert channel.recv_exit_status() == 2
        assert within(60, lambda: close in heard)
        assert heard.index(answer) < heard.index(close)
        channel.close()
    transport.close()


def test_sessions_within_a_connection_are_counted(client: paramiko.Transport) -> None:
    held = [client.open_session(timeout=60) for _ in range(limits.MOST_CHANNELS)]
    with pytest.raises(paramiko.ChannelException):
        client.open_session(timeout=60)
    for channel in held:
        channel.close()
    assert within(60, lambda: opens(client))


def opens(client: paramiko.Transport) -> bool:
    try:
        client.open_session(timeout=60).close()
    except paramiko.ChannelException:
        return False
    return True


# streams and ends


def test_status_and_both_streams_come_through(ada: Person) -> None:
    done = ada.ssh("say", "one", "two")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out one two\n", "err\n")


def test_a_command_that_reads_nothing_ends_although_the_input_stays_open(ada: Person) -> None:
    with ada.start_ssh("whoami") as ssh:
        assert ssh.wait(timeout=60) == 0


def test_what_is_piped_in_arrives_whole(ada: Person) -> None:
    assert ada.ssh("count", stdin=b"x" * 5_000_000).stdout == "5000000\n"


def test_much_output_comes_through_with_keys_renewed_on_the_way(ada: Person) -> None:
    done = ada.ssh("flood", "16", options=("-o", "RekeyLimit=1M"))
    assert (done.returncode, len(done.stdout)) == (0, 16 << 20)


def test_the_client_that_leaves_takes_its_process_along(ada: Person, tmp_path: Path) -> None:
    ssh = ada.start_ssh("sleep", str(tmp_path / "pid"))
    assert within(60, lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    pid = int((tmp_path / "pid").read_text())
    ssh.kill()
    ssh.communicate()
    assert within(60, lambda: not Path(f"/proc/{pid}").exists())


# against the protocol


def test_a_command_of_four_megabytes_ends_the_connection_with_a_reason(client: paramiko.Transport, here: Place, ada: Person) -> None:
    channel = client.open_session(timeout=60)
    with pytest.raises((paramiko.SSHException, EOFError, OSError)):
        channel.exec_command("p" * (4 * 1024 * 1024))
    assert within(60, lambda: not client.is_active())
    assert ada.ssh("whoami").returncode == 0


def test_a_stranger_can_not_fill_the_memory_with_a_packet(here: Place) -> None:
    with knock(here.port) as sock:
        sock.sendall(b"SSH-2.0-evil\r\n" + b"\xff\xff\xff\xf4" + bytes(4096))
        assert b"a packet of 4,294,967,2" in drained(sock)


def test_a_greeting_without_end_is_cut_off(here: Place) -> None:
    with knock(here.port) as sock:
        sock.sendall(b"x" * (limits.LONGEST_BANNER + 1000))
        assert drained(sock).startswith(b"SSH-2.0-Wherry")


def test_the_banner_does_not_tell_versions(here: Place) -> None:
    with knock(here.port) as sock:
        assert sock.recv(64) == b"SSH-2.0-Wherry\r\n"


def offered(port: int) -> list[str]:
    """The algorithms in the receiver's KEXINIT: ten lists, see RFC 4253, section 7.1."""
    with knock(port) as sock:
        sock.sendall(b"SSH-2.0-test\r\n")
        data = b""
        while len(data) < 400:
            data += sock.recv(4096)
    message = paramiko.Message(data.split(b"\r\n", 1)[1][22:])
    return [message.get_text() for _ in range(8)]


def test_only_modern_algorithms_are_offered(here: Place) -> None:
    kex, host, ciphers, _, macs, *_ = offered(here.port)
    assert "kex-strict-s-v00@openssh.com" in kex.split(",")
    assert host == "ssh-ed25519"
    assert not any(
        old in f"{kex},{ciphers},{macs}" for old in ("sha1", "md5", "cbc", "3des", "group14", "group1-", "arcfour", "group-exchange")
    )


@pytest.mark.parametrize(
    "option", ["Ciphers=aes128-cbc", "MACs=hmac-sha1", "KexAlgorithms=diffie-hellman-group14-sha1", "HostKeyAlgorithms=ssh-rsa"]
)
def test_a_client_that_insists_on_old_algorithms_stays_out(ada: Person, option: str) -> None:
    more = ("-o", "Ciphers=aes128-ctr") if option.startswith("MACs") else ()
    assert ada.ssh("whoami", options=("-o", option, *more)).returncode == 255


@pytest.mark.parametrize("cipher", ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes256-ctr"])
@pytest.mark.parametrize("kex", ["curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256"])
def test_modern_clients_come_in(ada: Person, cipher: str, kex: str) -> None:
    assert ada.ssh("whoami", options=("-o", f"Ciphers={cipher}", "-o", f"KexAlgorithms={kex}")).returncode == 0


def test_a_message_slipped_in_before_the_keys_ends_a_strict_handshake(here: Place) -> None:
    """The Terrapin attack begins with one."""

    class Slipping(paramiko.Transport):
        def _parse_kex_init(self, m: paramiko.Message) -> None:
            super()._parse_kex_init(m)
            ignored = paramiko.Message()
            ignored.add_byte(paramiko.common.cMSG_IGNORE)
            ignored.add_string("x")
            self._send_message(ignored)

    strict = Slipping(("127.0.0.1", here.port))
    with pytest.raises((paramiko.SSHException, EOFError, OSError)):
        strict.start_client(timeout=60)
    strict.close()
    of_old = Slipping(("127.0.0.1", here.port), strict_kex=False)
    of_old.start_client(timeout=60)
    of_old.close()


# the house


def test_the_host_key_is_made_once_and_is_private(here: Place) -> None:
    path = here.settings.ssh / "host_ed25519"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    made = path.read_bytes()
    from wherry.receiving import host_key

    assert host_key.ensure(here.settings) == path
    assert path.read_bytes() == made
    assert path.with_suffix(".pub").read_text().startswith("ssh-ed25519 AAAA")


def test_both_families_of_addresses_are_served(here: Place) -> None:
    for host in ("127.0.0.1", "::1"):
        with socket.create_connection((host, here.port), timeout=60) as sock:
            assert sock.recv(64).startswith(b"SSH-2.0-Wherry")


def test_twenty_people_at_once_are_all_served(ada: Person) -> None:
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(ada.ssh("whoami").stdout)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([answer for answer in answers if answer.startswith("ada admin")]) == 20


def test_a_crowd_from_one_address_is_held_at_the_door_and_the_house_stays_open(tmp_path: Path) -> None:
    with place(tmp_path) as here:
        crowd = [knock(here.port) for _ in range(limits.MOST_PER_ADDRESS + 8)]
        refused = [sock for sock in crowd[-8:] if drained(sock) == b""]
        assert len(refused) == 8
        assert within(60, lambda: greeted(here.port))
        for sock in crowd:
            sock.close()


def greeted(port: int) -> bool:
    with knock(port) as sock:
        sock.settimeout(1)
        try:
            return sock.recv(64).startswith(b"SSH-2.0-Wherry")
        except OSError:
            return False


def test_a_stopped_receiver_leaves_no_thread_and_no_port(tmp_path: Path) -> None:
    with place(tmp_path) as here:
        port = here.port
        assert greeted(port)
    assert within(60, lambda: not answers(port))
