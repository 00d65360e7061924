"""Whoever floods its log gets less of the processor, as long as it does and no longer."""

from collections.abc import Callable
from dataclasses import dataclass, field

from wherry.running.log_brake import LogBrake, LogBrakes
from wherry.running.processor_cap import cores

SECOND = 10**9
FREE = "-1 100000"


@dataclass
class Instance:
    """Prints `speed` lines a second when it has a whole core, and less when it is capped. Time passes in `run`."""

    speed: int
    most: int = 5_000
    cap: str = FREE
    unread: int = 0
    time: int = 1_800_000_000 * SECOND
    told: list[str] = field(default_factory=list)
    caps: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.brake = LogBrake(self, self.most, wall=lambda: self.time, ticks=lambda: self.time / SECOND)

    def now(self) -> str:
        return self.cap

    def set(self, cores: float) -> bool:
        return self.put_back(f"{cores * 100_000_000:.0f} 100000000")

    def put_back(self, before: str) -> bool:
        self.cap = before
        self.caps.append(before)
        return True

    @property
    def rate(self) -> float:
        return self.speed * min(1.0, cores(self.cap))

    def run(self, seconds: float) -> "Instance":
        """Lines are read ten times a second; what is `unread` seconds old is read now."""
        for turn in range(round(seconds * 10)):
            self.time += SECOND // 10
            lines = round(self.rate / 10)
            self._say(self.brake.took(lines, self.time - self.unread * SECOND) if lines else "")
            self._say(self.brake.look() if turn % 10 == 9 else "")
        return self

    def fall_silent(self, look: Callable[[], object]) -> None:
        """Prints nothing for 20 s, with a `look` every second."""
        self.speed = 0
        for _ in range(20):
            self.time += SECOND
            look()

    def _say(self, text: str) -> None:
        self.told += [text] if text else []


def test_a_flood_is_slowed_within_a_second_to_the_lines_that_it_may_print() -> None:
    loud = Instance(speed=160_000).run(1)
    assert loud.cap != FREE
    assert loud.told == [
        "Slowed down: it prints more than 5000 lines or 5 MB a second (WHERRY_LOG_RATE), so it gets less of the processor until"
        " it prints less"
    ]
    assert 3_500 <= loud.run(5).rate <= 5_000


def test_lines_that_cost_much_or_little_come_to_the_same_number() -> None:
    assert all(3_500 <= Instance(speed=speed).run(20).rate <= 5_000 for speed in (6_000, 50_000, 800_000))


def test_a_cap_that_does_not_have_to_change_is_not_written_again() -> None:
    loud = Instance(speed=160_000).run(5)
    before = list(loud.caps)
    loud.run(30)
    assert loud.caps[len(before) :] == [loud.cap] * (len(loud.caps) - len(before))


def test_an_instance_that_prints_less_has_its_processor_back_and_is_told_so() -> None:
    loud = Instance(speed=160_000).run(5)
    loud.speed = 100
    assert loud.run(15).cap == FREE
    assert loud.told[1:] == ["No longer slowed down: it prints less"]
    loud.run(60)
    assert len(loud.told) == 2


def test_one_that_is_silent_has_it_back_too() -> None:
    loud = Instance(speed=160_000).run(5)
    loud.speed = 0
    assert loud.run(20).cap == FREE


def test_many_lines_at_once_are_no_flood() -> None:
    start = Instance(speed=4_900).run(1)
    start.run(600)
    assert (start.cap, start.told, start.caps) == (FREE, [], [])


def test_a_flood_that_comes_and_goes_is_told_of_once_a_minute() -> None:
    loud = Instance(speed=160_000)
    for _ in range(6):
        loud.speed = 160_000
        loud.run(2)
        loud.speed = 0
        loud.run(18)
    assert 2 <= len(loud.told) <= 6


def test_lines_that_lie_unread_do_not_slow_it_further() -> None:
    loud = Instance(speed=160_000).run(1)
    cap, loud.unread = loud.cap, 30
    loud.run(10)
    assert loud.cap == cap


def test_while_nobody_would_see_a_new_line_it_is_not_let_go() -> None:
    loud = Instance(speed=160_000).run(3)
    cap = loud.cap
    loud.fall_silent(lambda: loud.brake.look(sure=False))
    assert loud.cap == cap


def test_while_known_lines_come_again_it_is_not_let_go() -> None:
    loud = Instance(speed=160_000).run(3)
    cap = loud.cap
    loud.fall_silent(lambda: (loud.brake.heard(), loud.brake.look()))
    assert loud.cap == cap


def test_a_cap_of_its_own_is_never_widened() -> None:
    own = "2000 100000"
    small = Instance(speed=1_600_000, cap=own).run(1)
    assert small.told
    assert all(cores(cap) <= cores(own) for cap in small.run(5).caps)
    small.speed = 0
    assert small.run(20).cap == own


def test_where_the_cap_can_not_be_set_nothing_is_said() -> None:
    class Closed(Instance):
        def put_back(self, before: str) -> bool:
            return False

    closed = Closed(speed=160_000).run(10)
    assert (closed.cap, closed.told) == (FREE, [])


def test_whoever_comes_after_us_gives_back_what_we_took() -> None:
    loud = Instance(speed=0)
    brakes = LogBrakes(5_000, lambda _: loud)
    brakes.resume("loud", FREE)
    assert brakes.before("loud") == FREE
    assert brakes.wait() == 0.0


def test_no_limit_slows_nobody() -> None:
    brakes = LogBrakes(0, lambda _: Instance(speed=1))
    assert not any(brakes.took("loud", 1_000_000, 1_800_000_000 * SECOND + turn) for turn in range(10))
