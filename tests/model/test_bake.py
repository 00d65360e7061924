"""When a release is bad: the rules, without a proxy."""

from hypothesis import given
from hypothesis import strategies as st

from wherry.model.bake import Bake, counted, limit, share_of, verdict


def bake(answers: int = 0, failed: int = 0, crashes: int = 0, usual: float | None = None) -> Bake:
    return Bake(1, 8, 7, "", "", usual, answers=answers, failed=failed, crashes=crashes)


def test_a_tenth_of_5xx_is_bad() -> None:
    assert verdict(bake(212, 72), 60) == "34 % of 212 answers were 5xx within 60 s"
    assert verdict(bake(100, 9), 60) == ""
    assert verdict(bake(100, 10), 8.2) == "10 % of 100 answers were 5xx within 8 s"


def test_a_few_answers_say_nothing() -> None:
    assert verdict(bake(9, 9), 60) == ""
    assert verdict(bake(40, 4), 60) == ""
    assert verdict(bake(10, 10), 60) == "100 % of 10 answers were 5xx within 60 s"


def test_a_release_is_measured_by_the_one_before() -> None:
    assert verdict(bake(100, 30, usual=0.2), 60) == ""
    assert verdict(bake(100, 40, usual=0.2), 60) == "40 % of 100 answers were 5xx within 60 s, 20 % before"
    assert verdict(bake(100, 99, usual=1.0), 60) == ""


def test_three_crashes_are_bad() -> None:
    assert verdict(bake(crashes=2), 60) == ""
    assert verdict(bake(crashes=3), 5, "web.1: exit 1") == "instances crashed 3 times within 5 s (web.1: exit 1)"


def test_only_what_came_since_counts_also_when_a_proxy_began_anew() -> None:
    began = Bake(1, 8, 7, "", "", seen={"web.1-a": (50, 5)})
    first = counted(began, {"web.1-a": (60, 5), "web.1-b": (3, 1)})
    assert (first.answers, first.failed) == (13, 1)
    second = counted(first, {"web.1-a": (4, 2)})
    assert (second.answers, second.failed) == (17, 3)


def test_the_measure_needs_answers() -> None:
    assert share_of({"web.1-a": (5, 5)}) is None
    assert share_of({"web.1-a": (5, 5), "web.2-a": (15, 0)}) == 0.25


@given(st.floats(0, 1), st.integers(0, 10_000), st.integers(0, 10_000))
def test_no_release_is_bad_that_fails_no_more_than_the_one_before(usual: float, answers: int, failed: int) -> None:
    assert max(0.1, usual) <= limit(usual) <= 1
    if failed < answers * usual:
        assert verdict(bake(answers, min(failed, answers), usual=usual), 60) == ""
