"""Going on in a container's output exactly where we were, whatever the engine rotated away meanwhile."""

import random

import pytest

from docker_log_server import EPOCH, stamp
from wherry.running.log_position import Position, Resumption, since_parameter
from wherry.running.log_stream import Lines


def timestamps(generator: random.Random, count: int) -> list[str]:
    """As two outputs of a container make them: rising, but for some that overtake others."""
    clock, found = EPOCH * 10**9, []
    for _ in range(count):
        clock += generator.choice([1_000, 1_000_000, 200_000_000])
        found.append(stamp(clock - generator.choice([0, 0, 0, 500, 50_000_000])))
    return found


def resumed(position: Position, kept: list[str], doubtful: bool = False) -> tuple[list[str], bool]:
    """The frames that are taken for new of those that the engine still has, and whether a gap is marked."""
    resumption = Resumption(position, doubtful)
    found, gap = [], False
    for each in kept:
        if each >= position.anchor and resumption.is_new(each):
            gap = gap or resumption.take_gap() is not None
            position.take(each)
            found.append(each)
    return found, gap


@pytest.mark.parametrize("seed", range(30))
def test_many_interruptions_lose_and_double_nothing(seed: int) -> None:
    generator = random.Random(seed)
    frames, position, found, at = timestamps(generator, 400), Position(), [], 0
    while at < len(frames):
        at = min(len(frames), at + generator.randrange(1, 40))
        position = Position.from_json(position.to_json())
        new, gap = resumed(position, frames[:at], doubtful=generator.random() < 0.5)
        found += new
        assert not gap
    assert found == frames


@pytest.mark.parametrize("seed", range(30))
def test_what_was_rotated_away_unread_is_marked_and_nothing_is_doubled(seed: int) -> None:
    generator = random.Random(seed)
    frames = [stamp(EPOCH * 10**9 + number * 10_000_000) for number in range(400)]
    position = Position()
    read = generator.randrange(1, 200)
    resumed(position, frames[:read])
    oldest = generator.randrange(1, 400)
    new, gap = resumed(position, frames[oldest:])
    assert new == frames[max(read, oldest) :]
    assert gap == (oldest > read)


def test_a_follower_that_was_passed_over_is_found_out() -> None:
    frames = [stamp(EPOCH * 10**9 + number * 10_000) for number in range(1_000)]
    position = Position()
    for each in [*frames[:100], *frames[300:400]]:
        position.take(each)
    new, gap = resumed(position, frames, doubtful=True)
    assert new == frames[400:]
    assert gap


def test_a_follower_that_may_have_been_passed_over_is_marked_when_nobody_can_tell() -> None:
    frames = [stamp(EPOCH * 10**9 + number * 10_000) for number in range(1_000)]
    position = Position()
    for each in [*frames[:100], *frames[300:400]]:
        position.take(each)
    new, gap = resumed(position, frames[350:], doubtful=True)
    assert new == frames[400:]
    assert gap


def test_the_engine_is_asked_with_all_nine_digits() -> None:
    assert since_parameter("2027-01-15T08:00:00.000000009Z") == "1800000000.000000009"


def test_pieces_of_long_lines_on_two_outputs_do_not_mix() -> None:
    lines = Lines()
    piece = b"x" * 16_384
    assert lines.line(1, piece) is not None
    assert lines.line(2, b"error\n") == b"error\n"
    assert lines.line(1, piece) is None
    assert lines.line(1, b"end\n") is None
    assert lines.line(1, b"next\n") == b"next\n"


def test_a_follower_that_goes_back_after_a_loss_still_goes_on() -> None:
    """Where frames were lost nobody knows the first one any more; what is asked next must not need it."""
    frames = [stamp(EPOCH * 10**9 + number * 1_000_000) for number in range(2_000)]
    position = Position()
    resumed(position, frames[:500])
    resumed(position, frames[700:900], doubtful=True)
    position.count_from_the_beginning()
    new, _ = resumed(Position.from_json(position.to_json()), frames[1_000:])
    assert new == frames[1_000:]
    position.count_from_the_beginning()
    for frame in frames[900:]:
        position.take(frame)
    assert position.last == frames[-1]
