"""What may be asked of a run, and how it is said."""

import pytest

from wherry.errors import InvalidInput
from wherry.model.run import check_command, check_screen, duration, parse_duration, parse_memory, parse_name


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("30m", 1800), ("24h", 86400), ("7d", 604800)])
def test_a_time_limit_is_a_number_with_a_unit(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5h", "8d", "1e3", "٣", "soon", "1 h", "99999999999s"])
def test_another_time_limit_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"e\.g\. 30m"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "said"), [(1, "1 s"), (90, "90 s"), (120, "2 min"), (3600, "60 min"), (86400, "24 h"), (604800, "7 days")]
)
def test_a_time_limit_is_said_in_one_unit(seconds: int, said: str) -> None:
    assert duration(seconds) == said


def test_memory_has_a_unit() -> None:
    assert (parse_memory("512m"), parse_memory("2G")) == (512, 2048)


@pytest.mark.parametrize("text", ["0", "1", "-1", "512", "99999999g", "5m", "", "NaN"])
def test_other_memory_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"e\.g\. 512m"):
        parse_memory(text)


@pytest.mark.parametrize("text", ["run", "run.0", "run.-1", "run.1\n", "web.1", "run.x", "../run.1", "run.9999999999"])
def test_a_run_is_named_with_its_number(text: str) -> None:
    assert parse_name("run.12") == 12
    with pytest.raises(InvalidInput, match=r"give a run like run\.3"):
        parse_name(text)


@pytest.mark.parametrize("words", [[], [""], ["  "], ["ls", "a\0b"], ["x" * 70_000]], ids=lambda words: f"{len(words)} words")
def test_a_command_that_can_not_be_run_is_refused(words: list[str]) -> None:
    with pytest.raises(InvalidInput):
        check_command(words)


def test_a_terminal_of_no_size_or_of_an_odd_kind_is_an_ordinary_one() -> None:
    screen = check_screen(0, 0, "xterm; rm -rf /\n")
    assert (screen.rows, screen.columns, screen.term) == (24, 80, "xterm")
    with pytest.raises(InvalidInput):
        check_screen(-1, 80, "xterm")
