"""How set-up talks: through a pipe whole lines, one per step; on failure the step, the reason, the fix."""

import io

import pytest

from wherry.errors import Unavailable
from wherry.setup.console import Console, several, took


def test_a_step_says_its_sentence_and_no_time_when_it_was_fast() -> None:
    out = io.StringIO()
    Console(out).step("packages", lambda: "packages: all there")
    assert out.getvalue() == "       packages: all there\n"


def test_a_step_with_nothing_to_say_is_silent() -> None:
    out = io.StringIO()
    Console(out).step("folders", lambda: "")
    assert out.getvalue() == ""


def test_a_failure_names_the_step_the_reason_the_fix_and_the_evidence() -> None:
    out = io.StringIO()
    console = Console(out)

    def fails() -> str:
        trouble = Unavailable("nobody answers", hint="Plug it in.")
        trouble.evidence = ("last line",)  # type: ignore[attr-defined]
        raise trouble

    with pytest.raises(Unavailable) as failure:
        console.step("network", fails)
    console.failure(failure.value)
    assert out.getvalue() == " !     network: nobody answers\n       Plug it in.\n         last line\n"


def test_times_have_units() -> None:
    assert [took(seconds) for seconds in (0.2, 1.2, 38.4, 130.0)] == ["", ", 1 s", ", 38 s", ", 2 min 10 s"]


def test_long_lists_are_cut_short() -> None:
    assert several(["a", "b"]) == "a, b"
    assert several(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
