"""The process that waits with the hook loaded: real pushes with it, without it, and while somebody of the three dies."""

import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from receiving_support import Engine, Person, Place, person, place, waiting_hook
from waiting import until
from wherry.faces.git_hook import knock

LIVE = "-----> Live in 0.1 s"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("place")) as found:
        yield found


@pytest.fixture(scope="module")
def keys(here: Place, tmp_path_factory: pytest.TempPathFactory) -> Person:
    found = person(tmp_path_factory.mktemp("people"), "ada", here.port)
    here.add_user("ada", "admin", found.public_key)
    return found


@pytest.fixture
def ada(keys: Person, tmp_path: Path) -> Person:
    return Person(keys.home, keys.port, tmp_path)


@pytest.fixture
def hook(here: Place) -> Iterator[int]:
    with waiting_hook(here.settings.hook_socket) as pid:
        yield pid


@pytest.fixture
def engine(here: Place) -> Iterator[Engine]:
    with Engine(here) as found:
        yield found


class Patience:
    """An engine's work that goes on when the test says so."""

    def __init__(self, engine: Engine) -> None:
        self.over = threading.Event()
        engine.work = lambda engine, operation: (self.over.wait(60), engine.deploy(operation))[1]


def forks(hook: int) -> list[int]:
    """Those that work for a push now."""
    listed = Path(f"/proc/{hook}/task/{hook}/children").read_text()
    return [int(pid) for pid in listed.split()]


def asking(app: str) -> int:
    """The process that git started for a push to `app`."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            started = b"hooks/launch.py" in (folder / "cmdline").read_bytes()
            if started and f"WHERRY_APP={app}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                return int(folder.name)
    raise AssertionError(f"git started no hook for {app}")


def output(push: subprocess.Popen[bytes]) -> str:
    return push.communicate(timeout=60)[0].decode()


def test_a_push_is_looked_at_by_a_fork_of_the_process_that_waits(here: Place, ada: Person, engine: Engine, hook: int) -> None:
    patience = Patience(engine)
    push = ada.start_git(ada.project(), "push", ada.url("forked"), "main")
    until(lambda: here.operations("forked"), what="the operation")
    (fork,) = forks(hook)
    assert os.getsid(fork) == fork
    patience.over.set()
    assert LIVE in output(push)
    until(lambda: not forks(hook), what="the fork's end")


def test_without_that_process_the_hook_does_it_all_by_itself(here: Place, ada: Person, engine: Engine) -> None:
    assert not here.settings.hook_socket.exists()
    done = ada.push(ada.project(), "alone")
    assert done.returncode == 0
    assert LIVE in done.stdout


def test_a_socket_that_nobody_serves_any_more_is_no_trouble(here: Place, ada: Person, engine: Engine) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(here.settings.hook_socket))
    try:
        assert LIVE in ada.push(ada.project(), "left").stdout
    finally:
        here.settings.hook_socket.unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be another account")
def test_another_account_that_waits_there_learns_nothing(here: Place, ada: Person, engine: Engine) -> None:
    """The folder is shared with the API, which a visitor may have broken into: it could answer that a push is fine."""
    with socket.socket(socket.AF_UNIX) as trap:
        trap.bind(str(here.settings.hook_socket))
        listen_as(trap, 65534)
        done = ada.push(ada.project(), "trapped")
        line, _ = trap.accept()
        with line:
            assert line.recv(1) == b""
    here.settings.hook_socket.unlink()
    assert LIVE in done.stdout


def listen_as(trap: socket.socket, account: int) -> None:
    """The kernel shows a client who it was that began to listen."""
    os.seteuid(account)
    try:
        trap.listen()
    finally:
        os.seteuid(0)


def test_the_socket_is_for_its_own_account(here: Place, hook: int) -> None:
    assert here.settings.hook_socket.stat().st_mode & 0o777 == 0o600


def test_a_push_under_way_does_not_need_the_process_that_waits(here: Place, ada: Person, engine: Engine, hook: int) -> None:
    patience = Patience(engine)
    push = ada.start_git(ada.project(), "push", ada.url("orphan"), "main")
    until(lambda: here.operations("orphan"), what="the operation")
    os.kill(hook, signal.SIGKILL)
    patience.over.set()
    assert LIVE in output(push)
    assert push.returncode == 0


def test_when_what_git_started_dies_the_fork_goes_and_the_same_push_joins(here: Place, ada: Person, engine: Engine, hook: int) -> None:
    patience, work = Patience(engine), ada.project()
    push = ada.start_git(work, "push", ada.url("bereft"), "main")
    until(lambda: here.operations("bereft"), what="the operation")
    os.kill(asking("bereft"), signal.SIGKILL)
    assert "pre-receive hook declined" in output(push)
    until(lambda: not forks(hook), what="the fork's end")
    patience.over.set()
    assert ada.push(work, "bereft").returncode == 0
    assert len(here.operations("bereft")) == 1


def test_a_fork_that_dies_refuses_the_push_and_says_what_to_do(here: Place, ada: Person, engine: Engine, hook: int) -> None:
    patience, work = Patience(engine), ada.project()
    push = ada.start_git(work, "push", ada.url("struck"), "main")
    until(lambda: here.operations("struck"), what="the operation")
    os.kill(forks(hook)[0], signal.SIGKILL)
    said = output(push)
    assert "remote:  !     the process that looked at this push ended without a word. Push again:" in said
    assert push.returncode == 1
    patience.over.set()
    assert ada.push(work, "struck").returncode == 0
    assert len(here.operations("struck")) == 1


def test_a_caller_that_leaves_before_it_asks_is_nothing_to_speak_of(
    here: Place, ada: Person, engine: Engine, hook: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(here.settings.hook_socket))
    assert LIVE in ada.push(ada.project(), "after").stdout
    assert "Traceback" not in capfd.readouterr().err


def test_an_environment_comes_over_byte_for_byte() -> None:
    environ = {b"GIT_PUSH_OPTION_0": b"a=b=c", b"WHERRY_ACTOR": "jos\u00e9".encode(), b"RAW": b"\xff\n", b"EMPTY": b""}
    assert knock.unpack(knock.pack(b"/a folder", environ)) == (b"/a folder", environ)


def test_asking_loads_next_to_nothing() -> None:
    """Each module would be paid for at every push."""
    root = Path(__file__).resolve().parents[2]
    argv = ["python3", "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(root / 'platform')!r}); before = set(sys.modules)"]
    argv[-1] += "; import wherry.faces.git_hook.knock; print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in loaded if not re.match("wherry|__future__|_socket", name)] == []
