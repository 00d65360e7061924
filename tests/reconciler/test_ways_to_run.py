"""The same runs from elsewhere: inside an instance, over the API with a token, over SSH at a terminal."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from cli_support import ARGV
from receiving_support import Person
from run_support import LASTS, Yard, at_terminal, receiver, yard
from wherry.model import wire

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    with yard(tmp_path_factory.mktemp("yard"), "ways") as made:
        yield made


@pytest.fixture(scope="module")
def ann(here: Yard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    with receiver(here, tmp_path_factory.mktemp("people")) as made:
        yield made


@pytest.fixture(scope="module")
def far(here: Yard) -> dict[str, str]:
    """The environment of a laptop with a token."""
    token = here.wherry("users:add", "laura").stdout and here.wherry("tokens:create", "laptop", "-u", "laura").stdout.decode().strip()
    return {**here.environ, "WHERRY_API_URL": f"http://127.0.0.1:{here.api.port}", "WHERRY_TOKEN": token}


@pytest.fixture(autouse=True)
def nobody_before(here: Yard) -> None:
    """The runs of the test before are over, and their containers gone."""
    here.at_rest()


def processes(here: Yard) -> str:
    """What runs in web.1."""
    (row,) = here.containers("instance")
    return str(here.docker.api.top(row["Id"])["Processes"])


# Inside an instance


def test_a_command_inside_an_instance_shares_its_files_and_its_exit_status_comes_through(here: Yard) -> None:
    assert here.wherry("enter", "shop", "web.1", "sh", "-c", "echo $DYNO > /tmp/mark; exit 4").returncode == 4
    assert here.wherry("enter", "shop", "web", "cat", "/tmp/mark").stdout == b"web.1\n"
    assert here.wherry("enter", "shop", "web.1", "cat", stdin=bytes(range(256)) * 4096).stdout == bytes(range(256)) * 4096


def test_without_a_command_it_is_a_shell_at_a_terminal(here: Yard) -> None:
    with at_terminal(here.argv("enter", "shop"), here.environ, rows=33, columns=99) as bob:
        bob.until(b"# ")
        bob.type(b"stty size; echo $DYNO $TERM\r")
        bob.until(b"33 99\r\nweb.1 vt100\r\n")
        bob.type(b"exit 5\r")
        assert bob.leave() == 5


def test_a_command_that_is_not_in_the_instance_is_named(here: Yard) -> None:
    done = here.wherry("enter", "shop", "web.1", "nosuch", "thing")
    assert (done.returncode, done.stderr) == (127, b'"nosuch" is not in web.1, or not on its PATH\n')


@pytest.mark.parametrize("command", ["sleep 4242", "trap '' HUP; while :; do sleep 4242; done"], ids=["sleep", "ignores SIGHUP"])
def test_when_the_client_is_killed_what_it_ran_inside_is_gone(here: Yard, command: str) -> None:
    asked = here.begin("enter", "shop", "web.1", command)
    here.until(lambda: "4242" in processes(here))
    asked.kill()
    asked.communicate()
    here.until(lambda: "4242" not in processes(here))
    assert here.state("shop", "web.1") == "running"


def test_a_shell_is_listed_and_stopped_by_someone_else(here: Yard) -> None:
    asked = here.begin("enter", "shop", "web.1", "sleep", "4243")
    here.until(lambda: "4243" in processes(here))
    listed = here.wherry("run:list", "shop").stdout.decode()
    assert "in web.1: sleep 4243" in listed
    name = listed.splitlines()[1].split()[0]
    assert here.wherry("run:stop", "shop", name).returncode == 0
    _, err = asked.communicate(timeout=60)
    assert err.decode() == f"{name} was stopped by root\n"
    here.until(lambda: "4243" not in processes(here))


def test_it_ends_with_the_instance_and_says_so(here: Yard) -> None:
    here.deploy("brief", web="")
    asked = here.begun("enter", "brief", "web.1", *LASTS)
    done = here.wherry("ps:stop", "brief")
    assert done.returncode == 0, done.stderr
    _, err = asked.communicate(timeout=60)
    assert asked.returncode in (137, 143) and b"web.1 ended, and run.1 with it\n" in err


# From another machine, with a token


def test_with_a_token_a_command_runs_as_on_the_machine(here: Yard, far: dict[str, str]) -> None:
    data = bytes(range(256)) * 8192
    done = here.wherry("run", "shop", "sh", "-c", "cat; echo err >&2; exit 7", stdin=data, **far)
    assert (done.returncode, done.stderr) == (7, b"err\n")
    assert done.stdout == data


def test_with_a_token_there_is_a_terminal_too(here: Yard, far: dict[str, str]) -> None:
    with at_terminal([*ARGV, "run", "shop", "sh"], far, rows=25, columns=91) as laura:
        laura.until(b"# ")
        laura.type(b"stty size\r")
        laura.until(b"25 91\r\n")
        laura.type(b"echo begun; sleep 100\r")
        laura.until(b"begun\r\n")
        laura.type(b"\x03")
        laura.until(b"# ")
        laura.type(b"exit 3\r")
        assert laura.leave() == 3


def test_when_a_laptop_goes_away_its_container_does_too(here: Yard, far: dict[str, str]) -> None:
    asked = here.begun("run", "shop", *LASTS, env=far)
    asked.kill()
    asked.communicate()
    here.until(lambda: not here.containers())


def test_places_of_the_api_are_free_again_afterwards(here: Yard, far: dict[str, str]) -> None:
    for _ in range(20):
        assert here.wherry("run", "shop", "true", **far).returncode == 0


def test_who_may_only_read_runs_nothing(here: Yard) -> None:
    here.wherry("users:add", "rita", "--role", "read")
    token = here.wherry("tokens:create", "rita", "-u", "rita").stdout.decode().strip()
    done = here.wherry("run", "shop", "env", WHERRY_API_URL=f"http://127.0.0.1:{here.api.port}", WHERRY_TOKEN=token)
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"rita (read) may not run commands" in done.stderr


# The door


def knock(here: Yard, data: bytes) -> bytes:
    """What the engine's door answers, until it closes."""
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(10)
        door.connect(str(here.services.settings.attach_socket))
        door.sendall(data)
        return b"".join(iter(lambda: door.recv(65536), b""))


def verdict(answer: bytes) -> dict[str, object]:
    found: dict[str, object] = json.loads(wire.Frames().feed(answer)[-1].payload)
    return found


def test_a_ticket_opens_once_and_a_guess_never(here: Yard) -> None:
    run = here.api.ask("POST", "/api/apps/shop/runs", {"command": ["true"]}).document
    ticket = wire.frame(wire.TICKET, run["ticket"].encode())
    assert "ticket" not in here.api.ask("GET", f"/api/apps/shop/runs/{run['name']}").document
    assert verdict(knock(here, wire.frame(wire.TICKET, b"0" * 64)))["code"] == "no_such_ticket"
    assert verdict(knock(here, ticket))["status"] == 0
    assert verdict(knock(here, ticket))["code"] == "no_such_ticket"


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\n\r\n", wire.frame(wire.INPUT, b"x"), b"T\xff\xff\xff\xff", wire.frame(wire.TICKET)], ids=repr
)
def test_nonsense_at_the_door_is_hung_up_on(here: Yard, data: bytes) -> None:
    answer = knock(here, data)
    assert answer == b"" or verdict(answer)["code"] == "no_such_ticket"
    assert here.wherry("run", "shop", "echo", "fine").stdout == b"fine\n"


def test_more_input_than_there_is_credit_for_ends_the_run(here: Yard) -> None:
    run = here.api.ask("POST", "/api/apps/shop/runs", {"command": ["sleep", "1000"]}).document
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(str(here.services.settings.attach_socket))
        door.sendall(wire.frame(wire.TICKET, run["ticket"].encode()))
        assert door.recv(100)
        with suppress(OSError):
            door.sendall(wire.frames(wire.INPUT, bytes(1 << 20)))
        here.until(lambda: here.api.ask("GET", f"/api/apps/shop/runs/{run['name']}").document["state"] == "ended")


def test_an_attached_run_without_an_upgrade_is_told_how(here: Yard) -> None:
    run = here.api.ask("POST", "/api/apps/shop/runs", {"command": ["true"]}).document
    answer = here.api.ask("POST", run["links"]["attach"])
    assert (answer.status, answer.document["code"]) == (426, "upgrade_required")


def test_no_more_than_sixteen_runs_are_open(here: Yard) -> None:
    for _ in range(30):
        answer = here.api.ask("POST", "/api/apps/shop/runs", {"command": ["true"]})
        if answer.status != 201:
            break
    assert (answer.status, answer.document["code"]) == (503, "too_many_runs")
    with here.services.database.write() as connection:  # as after half a minute without their clients
        connection.execute("UPDATE runs SET created_at = '2020-01-01T00:00:00.000000Z' WHERE state = 'waiting'")
    here.services.wake()
    here.until(lambda: here.api.ask("GET", "/api/apps/shop/runs").document["runs"] == [])


# Over SSH


def test_over_ssh_a_command_has_its_pipes_and_its_exit_status(here: Yard, ann: Person) -> None:
    done = ann.ssh("run", "shop", "sh", "-c", "'cat; echo err >&2; exit 7'", stdin=b"hello\n")
    assert (done.returncode, done.stdout, done.stderr) == (7, "hello\n", "err\n")


def ssh_t(ann: Person, *words: str) -> list[str]:
    return ["ssh", "-t", *ann.options("-o", "LogLevel=ERROR"), "wherry@127.0.0.1", *words]


@pytest.mark.parametrize("words", [("run", "shop", "sh"), ("enter", "shop", "web.1")], ids=lambda words: words[0])
def test_over_ssh_with_a_terminal_a_shell_knows_its_size_and_gets_control_c(ann: Person, words: tuple[str, ...]) -> None:
    with at_terminal(ssh_t(ann, *words), {**ann.environment(), "TERM": "vt220"}, rows=37, columns=103) as typist:
        typist.until(b"# ")
        typist.type(b"stty size; echo $TERM\r")
        typist.until(b"37 103\r\nvt220\r\n")
        typist.resize(22, 66)
        typist.asks(b"stty size\r", b"22 66\r\n")
        typist.type(b"echo begun; sleep 100\r")
        typist.until(b"begun\r\n")
        typist.type(b"\x03")
        typist.until(b"# ")
        typist.type(b"exit 6\r")
        assert typist.leave() == 6


def test_when_ssh_is_killed_the_container_is_gone(here: Yard, ann: Person) -> None:
    with at_terminal(ssh_t(ann, "run", "shop", "'echo up; exec sleep 1000'"), ann.environment()) as typist:
        typist.until(b"up\r\n")
        typist.process.kill()
        typist.process.wait()
        here.until(lambda: not here.containers())


def test_over_ssh_a_file_instead_of_a_keyboard_ends_the_input(ann: Person, tmp_path: Path) -> None:
    done = ann.ssh("run", "shop", "sh", options=("-tt",), stdin=b"echo one two\nexit 3\n")
    assert done.returncode == 3 and "one two" in done.stdout


def test_the_person_behind_the_key_is_in_the_list(here: Yard, ann: Person) -> None:
    ann.ssh("run", "shop", "true")
    assert here.api.ask("GET", "/api/apps/shop/runs?ended=true").document["runs"][0]["actor"] == "ann"


def test_other_commands_still_get_a_terminal_in_name_only(ann: Person) -> None:
    with at_terminal(ssh_t(ann, "apps"), ann.environment()) as typist:
        typist.until(b"shop")
        assert typist.leave() == 0
