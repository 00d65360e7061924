"""Commands beside the app and shells inside it, over a real Docker engine and the command line as people have it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from run_support import Yard, at_terminal, yard

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    with yard(tmp_path_factory.mktemp("yard"), "runs") as made:
        yield made


def test_the_exit_status_and_both_outputs_of_a_command_come_through(here: Yard) -> None:
    done = here.wherry("run", "shop", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"out\n", b"err\n")


def test_what_is_piped_in_arrives_byte_for_byte(here: Yard) -> None:
    data = bytes(range(256)) * 40 * 1024
    done = here.wherry("run", "shop", "cat", stdin=data)
    assert done.returncode == 0 and done.stdout == data, done.stderr


def test_a_person_at_a_terminal_has_a_shell_with_a_prompt(here: Yard) -> None:
    with at_terminal(here.argv("run", "shop", "sh"), here.environ, rows=31, columns=101) as ann:
        ann.until(b"# ")
        ann.type(b"stty size; echo $TERM; tty\r")
        ann.until(b"31 101\r\nvt100\r\n/dev/pts/0\r\n")
        ann.resize(20, 70)
        ann.type(b"stty size\r")
        ann.until(b"20 70\r\n")
        ann.type(b"exit 9\r")
        assert ann.leave() == 9
