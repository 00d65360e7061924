"""What a follower is sent twice is taken once, and what only looks like it is not passed over."""

import itertools

import pytest

from docker_log_server import EPOCH, stamp
from wherry.running.log_repeats import LONGEST, Repeats, Step

Frame = tuple[int, str, bytes]


def lines(first: int, last: int, output: int = 1) -> list[Frame]:
    return [(output, stamp(EPOCH * 10**9 + number * 1_000), b"line %d\n" % number) for number in range(first, last)]


def long_line(number: int, pieces: int) -> list[Frame]:
    """Docker gives all pieces of a line the timestamp of the first."""
    moment = stamp(EPOCH * 10**9 + number * 1_000)
    return [(1, moment, b"x" * 16_384)] * (pieces - 1) + [(1, moment, b"the end\n")]


def taken(frames: list[Frame], repeats: Repeats | None = None) -> list[Frame]:
    repeats = repeats or Repeats(set())
    found = [frame for frame in frames if not repeats.again(*frame)]
    assert not repeats.fails
    return found


@pytest.mark.parametrize("sent", [1, 2, 3, 50])
def test_lines_that_are_sent_twice_are_taken_once(sent: int) -> None:
    before, after = lines(0, 100), lines(100 + sent, 200)
    assert taken([*before, *lines(100, 100 + sent), *lines(100, 100 + sent), *after]) == lines(0, 200)


def test_lines_that_are_sent_three_times_are_taken_once() -> None:
    assert taken([*lines(0, 20), *lines(10, 20), *lines(10, 30)]) == lines(0, 30)


def test_two_outputs_are_repeated_each_for_itself() -> None:
    both = list(itertools.chain(*zip(lines(0, 20), lines(0, 20, output=2), strict=True)))
    more = [*lines(20, 30), *lines(20, 30, output=2)]
    assert taken([*both, *both[25:], *more]) == [*both, *more]


@pytest.mark.parametrize("pieces", [2, 3])
def test_a_long_line_that_is_sent_twice_is_taken_once(pieces: int) -> None:
    for before in (lines(0, 0), lines(0, 5)):
        told = [*before, *long_line(5, pieces)]
        assert taken([*told, *told, *lines(6, 9)]) == [*told, *lines(6, 9)]


def test_a_long_line_that_was_not_sent_whole_when_it_comes_again_is_taken_once() -> None:
    told = [*lines(0, 5), *long_line(5, 4)]
    assert taken([*told[:-2], *told, *lines(6, 9)]) == [*told, *lines(6, 9)]


def test_the_end_of_a_long_line_whose_beginning_is_in_the_file_before_is_taken_once() -> None:
    told = [*lines(0, 5), *long_line(5, 2)]
    assert taken([*told, told[-1], *lines(6, 9)]) == [*told, *lines(6, 9)]


def test_two_lines_of_one_moment_are_both_taken() -> None:
    (first,) = lines(0, 1)
    assert taken([first, (1, first[1], b"another\n"), *lines(1, 3)]) == [first, (1, first[1], b"another\n"), *lines(1, 3)]


def test_a_clock_that_was_set_back_is_no_repetition() -> None:
    repeats = Repeats(set())
    assert all(repeats.again(*frame) == (at >= 10) for at, frame in enumerate([*lines(100, 110), *lines(50, 60)]))
    assert repeats.open
    assert repeats.again(*lines(200, 201)[0])
    assert repeats.fails


def test_a_repetition_that_takes_too_long_is_none() -> None:
    now = [0.0]
    repeats = Repeats(set(), lambda: now[0])
    assert [repeats.again(*frame) for frame in [*lines(100, 102), *lines(50, 51)]] == [False, False, True]
    assert not repeats.fails
    now[0] = LONGEST + 0.1
    assert repeats.fails


def test_a_step_back_that_a_snapshot_has_shown_is_taken_as_it_is() -> None:
    known: set[Step] = set()
    snapshot, follower = Repeats(known), Repeats(known)
    frames = [*lines(100, 110), *lines(50, 60)]
    for output, timestamp, _ in frames:
        snapshot.note(output, timestamp)
    assert taken(frames, follower) == frames
