"""Single lines that come fast are read in bites; who waits for one has it at once."""

from wherry.running.log_pace import AT_ONCE, BITE, Pace


class Clock:
    """Seconds that pass when somebody says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def rests(gap: float, turns: int) -> list[float]:
    """How long each of so many turns is followed by a rest, when the next could be taken `gap` seconds after it."""
    clock = Clock()
    pace, found = Pace(clock), []
    for _ in range(turns):
        found.append(pace.rest())
        clock.now += gap + found[-1]
    return found


def test_lines_now_and_then_are_read_at_once() -> None:
    assert not any(rests(0.1, 500))


def test_some_lines_in_a_row_are_read_at_once() -> None:
    assert not any(rests(0.001, AT_ONCE - 1))


def test_a_stream_of_lines_is_read_in_bites() -> None:
    taken = rests(0.0002, 500)
    assert sum(taken) > 400 * BITE
