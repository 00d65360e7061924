"""What a person sees: aligned, in columns that fit, with times as people say them and nothing a terminal would obey."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from wherry.faces.cli.logs import shown
from wherry.faces.cli.render import ago, as_json, elapsed, printable, quoted, table, took, until


def before(**span: float) -> str:
    return (datetime.now(UTC) - timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.mark.parametrize(
    ("span", "said"),
    [
        ({"seconds": 8.5}, "(8|9|1[0-9]) s ago"),
        ({"seconds": 59}, "59 s ago|1 min ago"),
        ({"seconds": 125}, "2 min ago"),
        ({"hours": 23}, "23 h ago"),
        ({"hours": 30}, "yesterday"),
        ({"days": 5}, "5 days ago"),
        ({"seconds": -90}, "0 s ago"),
    ],
)
def test_times_are_said_as_people_say_them(span: dict[str, float], said: str) -> None:
    assert re.fullmatch(said, ago(before(**span))), "a busy machine may let a second pass between the two"


def test_an_old_time_is_its_day_and_no_time_is_never() -> None:
    assert ago("2020-02-29T12:00:00.000000Z") == "2020-02-29"
    assert ago(None) == "never"


def test_spans_have_units() -> None:
    assert elapsed(before(hours=30)) == "30 h"
    assert elapsed(before(days=3)) == "3 days"
    assert took("2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:00.400000Z") == "0.4 s"
    assert took("2026-01-01T00:00:00.000000Z", "2026-01-01T00:01:00.400000Z") == "60 s"
    assert until(before(days=-90, seconds=-60)) == "in 90 days"
    assert until(before(minutes=-12, seconds=-20)) == "in 12 min"
    assert until(before(days=1)) == "expired"


def test_columns_align_and_end_without_blanks() -> None:
    assert table([["web.1", "running"], ["worker.10", "-"]], ("NAME", "STATE")) == "NAME       STATE\nweb.1      running\nworker.10  -"


def test_a_line_fits_the_terminal_and_is_whole_in_a_pipe() -> None:
    row = ["x" * 60, "y" * 60]
    assert len(table([row], width=80)) == 80
    assert table([row], width=80).endswith("y…")
    assert table([row]) == "x" * 60 + "  " + "y" * 60


def test_the_state_alone_is_coloured() -> None:
    assert table([["running", "running", "0"]], colour=True) == "\x1b[32mrunning\x1b[0m  running  0"
    assert table([["v6", "crashed"]], colour=True) == "v6  \x1b[31mcrashed\x1b[0m"
    assert "\x1b" not in table([["v6", "crashed"]])


@pytest.mark.parametrize("text", ["\x1b[2J", "a\rb", "\x00", "\x9b2J", "\u202egpj", "\udc80", "a\nb", "\x7f"])
def test_control_bytes_are_shown_and_not_sent(text: str) -> None:
    for said in (printable(text), quoted(text), as_json({"k": text}), shown(text, False), shown(text, True)):
        assert all(character.isprintable() or character == "\n" for character in said.replace("\n", "", 99) if said)
        assert "\\" in said


def test_json_stays_json_whatever_is_in_it() -> None:
    import json

    document = {"k": "\x9b é \U0001f4da \u202e \x1b"}
    assert json.loads(as_json(document)) == document


def test_an_app_may_colour_its_lines_on_a_terminal_and_nothing_else() -> None:
    line = "\x1b[32mINFO\x1b[0m \x1b[2J ok\ttab"
    assert shown(line, colour=True) == "\x1b[32mINFO\x1b[0m \\x1b[2J ok\ttab\x1b[0m"
    assert shown(line, colour=False) == "INFO \\x1b[2J ok\ttab"


def test_a_long_word_is_cut_in_a_message() -> None:
    assert quoted("a" * 10_000) == '"' + "a" * 60 + '…"'
    assert quoted('say "hi"') == '"say \\"hi\\""'
