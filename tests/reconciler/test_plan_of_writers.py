"""Whatever is wished and whatever dies meanwhile: a volume of one writer never has two, and the wish becomes true."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hypothesis_support import examples
from plan_support import SmallWorld
from wherry.reconciler.desired import Desired
from wherry.reconciler.plan import plan
from wherry.running.engine import InstanceSpec, VolumeMount

ROUNDS = 60
PORTS = {"web": 5000, "worker": None}


def wish(release: int, web: int, worker: int, writer: str) -> Desired:
    """`writer` is the type that writes to the app's volume, or nobody: it has at most one instance."""
    mount = (VolumeMount("data", "wherry-data", "/data", alone=True),)
    counts = {"web": min(web, 1) if writer == "web" else web, "worker": min(worker, 1) if writer == "worker" else worker}
    specs = tuple(
        InstanceSpec("shop", name, index, release, f"v{release}", "run", {}, PORTS[name], 256, mounts=mount if name == writer else ())
        for name, count in counts.items()
        for index in range(1, count + 1)
    )
    return Desired("shop", specs, ("shop.localhost",), "held" if writer == "web" else "starting", {})


wishes = st.builds(wish, st.integers(1, 9), st.integers(0, 3), st.integers(0, 2), st.sampled_from(["web", "worker", "nobody"]))
faults = st.tuples(st.sampled_from(["nothing", "engine dies", "leaving end", "crash"]), st.integers(0, 5))


@examples(150)
@given(st.lists(wishes, min_size=1, max_size=4), st.lists(faults, max_size=12))
def test_a_volume_never_has_two_writers_and_every_wish_comes_true(wished: list[Desired], suffered: list[tuple[str, int]]) -> None:
    world, coming = SmallWorld(), iter(suffered)
    for desired in wished:
        for _ in range(3):
            world.take_all(plan(desired, world.seen()))
            suffer(world, *next(coming, ("nothing", 0)))
    world.rest(wished[-1], ROUNDS)
    running = sorted(seen.container.fingerprint for seen in world.containers.values())
    assert running == sorted(spec.fingerprint for spec in wished[-1].specs)
    assert world.route is not None and bool(world.route.targets) == any(spec.port for spec in wished[-1].specs)


def suffer(world: SmallWorld, what: str, which: int) -> None:
    """A fault, or time going by."""
    if what == "engine dies":
        world.forget()
    elif what == "leaving end":
        world.drained()
    elif what == "crash":
        world.crash(which)
