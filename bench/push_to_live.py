"""How long a code-only push takes until the new version answers, over the same steps by hand."""

from __future__ import annotations

import time
from dataclasses import dataclass

from by_hand import PARTS, ByHand, by_hand
from figure import Check, Figure, Row, compare
from place import Place, ensure
from small_app import COMMAND, new_version, small_app
from timeline import stages
from watcher import Watcher

from scenario_support import Repository

ROUNDS = 9
DETAILED = 5
"""Further pushes that are watched closely; watching costs a little, so they do not count."""


@dataclass(frozen=True)
class Pushed:
    """Seconds from the start of `git push`: until the new version answered through the proxy, until the push returned."""

    live: float
    returned: float


def measure(place: Place, rounds: int = ROUNDS) -> Figure:
    ensure(["/usr/sbin/sshd"], place.say)
    with by_hand(place.site, place.folder / "floor", COMMAND) as hand, place.app("pushed") as repository:
        place.say("push to live: first pushes on both sides …")
        warm_up(place, repository, hand)
        ours, floor = _rounds(place, repository, hand, rounds)
        place.say("push to live: where the time goes …")
        detail = [stages(place, repository, new_version()) for _ in range(DETAILED)]
    return _figure(ours, floor, detail)


def push(place: Place, repository: Repository, version: str) -> Pushed:
    """One code-only push, watched through the proxy."""
    repository.commit(small_app(version))
    with Watcher("127.0.0.1", place.site.http_port, f"{repository.app}.localhost") as watcher:
        began = time.monotonic()
        pushed = repository.push("-q")
        returned = time.monotonic() - began
        assert pushed.status == 0, pushed.text
        live = watcher.seen(version) - began
    place.settled(repository.app)
    return Pushed(live, returned)


def warm_up(place: Place, repository: Repository, hand: ByHand) -> None:
    """The first build installs dependencies, the second shows that they are kept."""
    for _ in range(2):
        place.release(repository, small_app(new_version()))
        hand.deploy(new_version())


def _rounds(place: Place, repository: Repository, hand: ByHand, rounds: int) -> tuple[list[Pushed], list[tuple[float, list[float]]]]:
    """Both sides alternate, and take turns at going first, so that what the machine does besides hits both."""
    ours, floor = [], []
    for number in range(rounds):
        place.say(f"push to live: round {number + 1} of {rounds} …")
        if number % 2:
            floor.append(hand.deploy(new_version()))
        ours.append(push(place, repository, new_version()))
        if not number % 2:
            floor.append(hand.deploy(new_version()))
    return ours, floor


def _figure(ours: list[Pushed], floor: list[tuple[float, list[float]]], detail: list[dict[str, float]]) -> Figure:
    live = Row("push until live, through Wherry", tuple(pushed.live for pushed in ours), "s")
    hand = Row("the same by hand (the floor)", tuple(total for total, _ in floor), "s")
    after = Row("push returns after live", tuple(pushed.returned - pushed.live for pushed in ours), "s")
    parts = [Row(f"by hand: {name}", tuple(parts[place] for _, parts in floor), "s") for place, name in enumerate(PARTS)]
    where = [Row(f"Wherry: {name}", tuple(stage[name] for stage in detail), "s") for name in detail[0]]
    return Figure(
        "push",
        "Push to live",
        "A code-only change of a small Flask app: from the start of git push until the new version answers, over a git push"
        " to a bare repository (OpenSSH), a BuildKit build of the same Dockerfile, a container's start on a network of its own and the"
        " app's own boot.",
        (
            compare("push to live / by hand", live.values, hand.values, 1.5, ambition=1.3),
            Check("push returns after live", after.median, "s", 0.3),
        ),
        (live, hand, after, *parts, *where),
        (f"The stages of Wherry are those of {len(detail)} further pushes that were watched closely, which costs some time.",),
    )
