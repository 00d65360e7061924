"""Commands beside the app, over a real Docker engine and the command line as people have it."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from run_support import LASTS, Yard, at_terminal, yard
from wherry.model.event import Wanted
from wherry.store import events

pytestmark = pytest.mark.engine

IGNORES_HANGUP = ("sh", "-c", "trap '' HUP TERM INT; echo up; while :; do sleep 0.1; done")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    with yard(tmp_path_factory.mktemp("yard"), "runs") as made:
        yield made


@pytest.fixture(autouse=True)
def nobody_before(here: Yard) -> None:
    """The runs of the test before are over, and their containers gone."""
    here.at_rest()


def rss(pid: int) -> int:
    """KB of memory that the process holds."""
    fields = Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()
    return int(fields[0])


def test_the_exit_status_and_both_outputs_of_a_command_come_through(here: Yard) -> None:
    done = here.wherry("run", "shop", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"out\n", b"err\n")
    here.until(lambda: not here.containers())


def test_several_words_are_a_program_and_its_arguments_as_they_are(here: Yard) -> None:
    assert here.wherry("run", "shop", "printf", "%s|", "a b", "$HOME", "--json", "-a").stdout == b"a b|$HOME|--json|-a|"
    assert here.wherry("run", "-a", "shop", "--", "echo", "-n", "x").stdout == b"x"


def test_one_word_is_a_line_for_the_shell_or_a_process_type(here: Yard) -> None:
    assert here.wherry("run", "shop", "echo a b | wc -w").stdout.strip() == b"2"
    done = here.wherry("run", "shop", "hello")
    assert done.stdout.startswith(b"hello from run.") and done.returncode == 0


def test_it_has_the_config_of_the_release(here: Yard) -> None:
    here.deploy("configured", web="")
    with here.services.database.write() as connection:
        connection.execute("DROP TRIGGER releases_are_never_edited")
        connection.execute("UPDATE releases SET config = ?", (json.dumps({"COLOUR": "blue sky"}),))
    done = here.wherry("run", "configured", "echo $COLOUR $WHERRY_APP $WHERRY_RELEASE $WHERRY_INSTANCE")
    assert done.stdout == b"blue sky configured v1 run.1\n"


def test_what_is_piped_in_arrives_byte_for_byte(here: Yard) -> None:
    data = bytes(range(256)) * 40 * 1024
    done = here.wherry("run", "shop", "cat", stdin=data)
    assert done.returncode == 0 and done.stdout == data, done.stderr


def test_a_program_that_does_not_read_its_input_ends_all_the_same(here: Yard) -> None:
    assert here.wherry("run", "shop", "sleep", "0.5", stdin=bytes(4 << 20)).returncode == 0


def test_a_person_at_a_terminal_has_a_shell_with_a_prompt_and_its_size(here: Yard) -> None:
    with at_terminal(here.argv("run", "shop", "sh"), here.environ, rows=31, columns=101) as ann:
        ann.until(b"# ")
        ann.type(b"stty size; echo $TERM; tty\r")
        ann.until(b"31 101\r\nvt100\r\n/dev/pts/0\r\n")
        ann.resize(20, 70)
        ann.asks(b"stty size\r", b"20 70\r\n")
        ann.type(b"exit 9\r")
        assert ann.leave() == 9


def test_control_c_at_a_terminal_reaches_the_program_and_not_us(here: Yard) -> None:
    with at_terminal(here.argv("run", "shop", "sh"), here.environ) as ann:
        ann.until(b"# ")
        ann.type(b"echo begun; sleep 100\r")
        ann.until(b"begun\r\n")
        ann.type(b"\x03")
        ann.until(b"# ")
        ann.type(b"echo it ended with $?\r")
        ann.until(b"it ended with 130\r\n")
        ann.type(b"\x04")
        assert ann.leave() in (0, 130)


def test_the_terminal_is_given_back_as_it_was(here: Yard) -> None:
    line = " ".join(here.argv("run", "shop", "true"))
    with at_terminal(["sh", "-c", f"stty -a > /tmp/before.$$; {line}; stty -a | diff /tmp/before.$$ - && echo same"], here.environ) as ann:
        ann.until(b"same")
        assert ann.leave() == 0


def test_control_c_in_a_pipe_is_for_the_program_and_the_second_one_leaves(here: Yard) -> None:
    asked = here.begun("run", "shop", "sh", "-c", "trap 'echo not yet' INT; echo up; while :; do sleep 0.1; done")
    assert asked.stdout is not None
    try:
        asked.send_signal(signal.SIGINT)
        # On a busy machine busybox's shell now and then says "up" once more when the signal meets its fork.
        assert next(line for line in iter(asked.stdout.readline, b"") if line != b"up\n") == b"not yet\n"
        asked.send_signal(signal.SIGINT)
        assert asked.wait(60) == 130
        here.until(lambda: not here.containers())
    finally:
        asked.kill()
        asked.communicate()


@pytest.mark.parametrize("command", [LASTS, IGNORES_HANGUP], ids=["sleep", "ignores SIGHUP"])
def test_when_the_client_is_killed_the_container_is_gone(here: Yard, command: tuple[str, ...]) -> None:
    asked = here.begun("run", "shop", *command)
    asked.kill()
    asked.communicate()
    here.at_rest()
    (run, *_) = json.loads(here.wherry("run:list", "shop", "--all", "--json").stdout)["runs"]
    assert (run["state"], run["reason"]) == ("ended", "its client left")


def test_who_reads_slowly_holds_back_the_program_and_costs_no_memory(here: Yard) -> None:
    assert here.engine is not None
    here.wherry("run", "shop", "true")
    before = rss(here.engine.pid)
    asked = here.begin("run", "shop", "yes")
    time.sleep(3)
    grown = rss(here.engine.pid) - before
    asked.kill()
    asked.communicate()
    assert grown < 16384, f"the engine grew by {grown} KB"


def test_who_leaves_a_pipe_early_ends_the_program(here: Yard) -> None:
    line = " ".join(here.argv("run", "shop", "yes"))
    with at_terminal(["bash", "-c", f"{line} < /dev/null | head -1; echo ${{PIPESTATUS[0]}}"], here.environ) as ann:
        ann.until(b"y\r\n141\r\n")
        assert ann.leave() == 0
    here.until(lambda: not here.containers())


def test_a_command_that_is_not_in_the_image_is_named(here: Yard) -> None:
    done = here.wherry("run", "shop", "nosuch", "thing")
    assert done.returncode == 127
    assert done.stderr.decode() == 'command_missing "nosuch" is not in the image of v1, or not on its PATH\n'.removeprefix(
        "command_missing "
    )


def test_out_of_memory_is_named_with_the_way_out(here: Yard) -> None:
    done = here.wherry("run", "-m", "32m", "shop", "tail", "/dev/zero")
    assert done.returncode == 137
    assert done.stderr.decode().startswith("R14 run.") and "wherry run --memory 64m shop" in done.stderr.decode()


def test_a_one_off_has_the_walls_of_an_instance(here: Yard) -> None:
    here.until(lambda: not here.containers())
    asked = here.begin("run", "shop", "cat")
    here.until(here.containers)
    (row,) = here.containers()
    facts = here.docker.api.inspect_container(row["Id"])
    asked.communicate()
    host = facts["HostConfig"]
    assert host["CapDrop"] == ["ALL"] and not host["Privileged"] and host["SecurityOpt"] == ["no-new-privileges"]
    assert host["PidsLimit"] == 512 and host["Memory"] == host["MemorySwap"] == here.services.settings.instance_memory * 2**20
    assert host["NetworkMode"] == f"{here.name}-shop" and not host["Binds"] and host["Init"] is True


def test_ps_and_the_list_show_who_runs_what(here: Yard) -> None:
    asked = here.begin("run", "shop", "cat")
    here.until(lambda: here.wherry("run:list", "shop").stdout.count(b"running"))
    listed = here.wherry("run:list", "shop").stdout.decode()
    assert "root" in listed and "cat" in listed
    assert "cat by root" in here.wherry("ps", "shop").stdout.decode()
    asked.communicate()
    here.at_rest()
    assert b"cat by root" not in here.wherry("ps", "shop").stdout
    assert here.wherry("run:list", "shop").stdout == b"no run is open; those that are over: --all\n"


def test_a_detached_run_says_its_lines_in_the_log_and_its_end_in_the_list(here: Yard) -> None:
    done = here.wherry("run:detached", "shop", "sh", "-c", "echo a line; sleep 0.5; exit 3")
    name = done.stdout.split()[0].decode()
    assert done.stdout.decode() == f"{name} runs, for 24 h at most. Its output: wherry logs shop -p {name} -t\n"
    here.until(lambda: f"{name}  ended, exit 3 after" in here.wherry("run:list", "shop", "--all").stdout.decode())
    here.until(lambda: any(line.endswith("Ended: exit 3") for line in here.log()))
    mine = [line.partition("Z ")[2] for line in here.log() if f"[{name}]" in line]
    assert mine == [f"wherry[{name}]: Started by root: sh", f"app[{name}]: a line", f"wherry[{name}]: Ended: exit 3"]
    here.until(lambda: not here.containers("detached"))


def test_a_detached_run_is_stopped_by_name(here: Yard) -> None:
    name = here.wherry("run:detached", "shop", "sleep", "1000").stdout.split()[0].decode()
    done = here.wherry("run:stop", "shop", name)
    assert done.returncode == 0 and done.stdout.decode().startswith(f"{name} ended: stopped by root (exit 143) after")
    assert here.wherry("run:stop", "shop", name).stdout.decode() == f"{name} of shop is over already; nothing to do\n"
    here.until(lambda: not here.containers("detached"))


def test_an_attached_run_is_stopped_by_someone_else_and_says_so(here: Yard) -> None:
    asked = here.begun("run", "shop", *LASTS)
    name = here.wherry("run:list", "shop").stdout.split(b"\n")[1].split()[0].decode()
    assert here.wherry("run:stop", "shop", name).returncode == 0
    _, err = asked.communicate(timeout=60)
    assert (asked.returncode, err.decode()) == (143, f"{name} was stopped by root\n")


@pytest.mark.parametrize("verb", ["run", "run:detached"])
def test_a_time_limit_ends_it(here: Yard, verb: str) -> None:
    began = time.monotonic()
    done = here.wherry(verb, "--time-limit", "1s", "shop", *IGNORES_HANGUP)
    here.until(lambda: b"running" not in here.wherry("run:list", "shop").stdout)
    assert time.monotonic() - began > 1
    (run, *_) = json.loads(here.wherry("run:list", "shop", "--all", "--json").stdout)["runs"]
    assert (run["exit_code"], run["reason"].removeprefix(f"{run['name']} ")) == (137, "reached its time limit of 1 s")
    if verb == "run":
        assert done.returncode == 137 and b"reached its time limit of 1 s" in done.stderr


def test_who_ran_what_is_in_the_events_without_its_arguments(here: Yard) -> None:
    here.wherry("run", "shop", "echo", "canary-5512")
    with here.services.database.read() as connection:
        found = [event for event in events.since(connection, 0, Wanted("shop"), 10_000) if event.type.startswith("run.")]
    assert [(event.type, event.actor) for event in found[-3:]] == [
        ("run.requested", "root"),
        ("run.started", "root"),
        ("run.ended", "wherry"),
    ]
    assert "canary-5512" not in str(found) + "".join(here.log())
    assert (found[-2].data["program"], found[-1].data["exit_code"]) == ("echo", 0)


def test_a_stopped_app_can_still_be_mended(here: Yard) -> None:
    here.deploy("asleep", web="")
    with here.services.database.write() as connection:
        connection.execute("UPDATE apps SET held = '[\"*\"]' WHERE name = 'asleep'")
    assert here.wherry("run", "asleep", "echo", "mended").stdout == b"mended\n"
    done = here.wherry("enter", "asleep")
    assert done.returncode == 5
    assert done.stderr.decode().startswith("asleep is stopped: there is no instance to enter\n")


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("run", "nosuch", "ls"), 4, "no app 'nosuch'"),
        (("run", "empty", "ls"), 5, "empty has no release yet\nPush first: git push wherry main"),
        (("enter", "empty"), 5, "empty has no release yet"),
        (("run", "shop"), 2, "run: CMD is missing"),
        (("run", "shop", " "), 2, "nothing to run: give a command, e.g. wherry run shop python"),
        (("run", "--memory", "512", "shop", "ls"), 2, "memory '512': give a number with m or g, e.g. 512m"),
        (("run", "--memory", "1m", "shop", "ls"), 2, "memory 1m: give 16m to"),
        (("run", "--memory", "900g", "shop", "ls"), 2, "memory 921600m: give 16m to"),
        (("run", "--time-limit", "soon", "shop", "ls"), 2, "time limit 'soon': give a number with s, m, h or d, e.g. 30m"),
        (("run:detached", "--time-limit", "8d", "shop", "ls"), 2, "a time limit of 691200 s: give 1 s to 7 days, e.g. 30m"),
        (("run", "--nosuch", "shop", "ls"), 2, 'run: unknown option "--nosuch"'),
        (("run:stop", "shop", "run.9999"), 4, "shop has no run.9999"),
        (("run:stop", "shop", "web.1"), 2, "'web.1': give a run like run.3"),
        (("run:list", "nosuch"), 4, "no app 'nosuch'"),
        (("enter", "shop", "web.7"), 4, "shop has no instance web.7"),
        (("enter", "shop", "worker"), 4, "shop has no instance worker.1"),
        (("enter", "shop", "../x"), 2, "'../x': give a process type or an instance, e.g. web or web.1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input_is_refused_by_name_and_leaves_nothing(here: Yard, words: tuple[str, ...], status: int, says: str) -> None:
    here.wherry("apps:create", "empty")
    done = here.wherry(*words)
    assert (done.returncode, done.stdout) == (status, b"")
    assert done.stderr.decode().startswith(says)
    assert not here.containers() and not here.containers("detached")


def test_an_app_is_destroyed_with_all_that_runs_beside_it(here: Yard) -> None:
    here.deploy("doomed", web="")
    here.wherry("run:detached", "doomed", "sleep", "1000")
    asked = here.begun("run", "doomed", *LASTS)
    here.until(lambda: here.wherry("run:list", "doomed").stdout.count(b"running") == 2)
    done = here.wherry("apps:destroy", "doomed", "--confirm", "doomed")
    assert done.returncode == 0, done.stderr
    asked.communicate(timeout=60)
    assert asked.returncode == 137
    here.until(lambda: not here.containers() and not here.containers("detached"))


def test_detached_runs_go_on_when_the_engine_is_killed_and_attached_ones_end(here: Yard) -> None:
    name = (
        here.wherry("run:detached", "shop", "i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo line $i; sleep 0.2; done")
        .stdout.split()[0]
        .decode()
    )
    asked = here.begun("run", "shop", *LASTS)
    here.end_engine(signal.SIGKILL)
    _, err = asked.communicate(timeout=60)
    assert asked.returncode == 6 and b"was lost, and it ended with it\nRun it again." in err
    here.start_engine()
    here.until(lambda: not here.containers())
    here.until(lambda: f"{name}  ended, exit 0" in here.wherry("run:list", "shop", "--all").stdout.decode())
    lines = [line.partition("]: ")[2] for line in here.log() if f"app[{name}]" in line]
    assert lines == [f"line {number}" for number in range(1, 31)]
    assert b"the platform restarted" in here.wherry("run:list", "shop", "--all").stdout


def test_an_engine_that_is_stopped_has_a_last_word_for_attached_runs(here: Yard) -> None:
    asked = here.begun("run", "shop", *LASTS)
    began = time.monotonic()
    here.end_engine()
    assert time.monotonic() - began < 30
    _, err = asked.communicate(timeout=60)
    assert asked.returncode == 6
    assert b"the platform is restarting, and run." in err and err.endswith(b"ended with it\nRun it again.\n")
    here.start_engine()
    here.at_rest()
    assert here.wherry("run", "shop", "echo", "back").stdout == b"back\n"


def test_a_run_leaves_no_open_file_and_no_thread_behind(here: Yard) -> None:
    assert here.engine is not None
    for _ in range(10):  # docker-py keeps up to 32 connections, and opens them one by one
        here.wherry("run", "shop", "true")
    time.sleep(0.5)

    def held() -> tuple[int, int]:
        folder = Path(f"/proc/{here.engine.pid}") if here.engine else Path()
        return len([*(folder / "fd").iterdir()]), len([*(folder / "task").iterdir()])

    before = held()
    for _ in range(5):
        here.wherry("run", "shop", "true")
    here.until(lambda: held() <= before)
