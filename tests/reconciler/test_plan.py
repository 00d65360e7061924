"""The plan is pure: these are its rules, one sentence each."""

from dataclasses import replace

from wherry.reconciler.desired import Desired
from wherry.reconciler.observed import Seen, World
from wherry.reconciler.plan import plan, route_of
from wherry.reconciler.steps import Boot, Discard, Publish, Retire, Verify
from wherry.running.engine import InstanceSpec, Observed


def spec(name: str = "web.1", image: str = "v1", release: int = 1, generation: int = 0) -> InstanceSpec:
    process, _, index = name.partition(".")
    port = 5000 if process == "web" else None
    return InstanceSpec("shop", process, int(index), release, image, "run", {}, port, 256, generation)


def container(of: InstanceSpec, number: int = 1, running: bool = True) -> Observed:
    return Observed(
        id=f"{number:064d}", app="shop", type=of.type, index=of.index, release=of.release, fingerprint=of.fingerprint, image=of.image,
        running=running, address=f"10.0.0.{number}" if running else "", port=of.port, created_at=str(number),
    )  # fmt: skip


def wish(*specs: InstanceSpec, idle: str = "starting") -> Desired:
    return Desired("shop", specs, ("shop.localhost",), idle, {})


def up(of: InstanceSpec, number: int = 1) -> Seen:
    return Seen(container(of, number), ready=True)


def served(desired: Desired, *seen: Seen) -> World:
    """A world whose proxy serves all of `seen`."""
    return World(seen, route_of(desired, [one.container for one in seen]))


def test_a_true_wish_needs_no_step() -> None:
    desired = wish(spec())
    assert plan(desired, served(desired, up(spec()))) == []


def test_the_first_instance_is_booted_behind_a_page_that_says_so() -> None:
    desired = wish(spec())
    assert plan(desired, World()) == [Publish(route_of(desired, [])), Boot(spec())]


def test_while_a_new_release_boots_the_old_one_keeps_all_traffic() -> None:
    old, new = spec(), spec(image="v2", release=2)
    world = served(wish(old), up(old))
    assert plan(wish(new), world) == [Boot(new)]
    booting = replace(world, seen=(*world.seen, Seen(container(new, 2))))
    assert plan(wish(new), booting) == [Verify(container(new, 2), new)]


def test_no_instance_of_a_new_release_serves_before_all_are_ready() -> None:
    old = [spec("web.1"), spec("web.2")]
    new = [spec("web.1", "v2", 2), spec("web.2", "v2", 2)]
    world = served(wish(*old), up(old[0], 1), up(old[1], 2))
    half = replace(world, seen=(*world.seen, up(new[0], 3)))
    assert plan(wish(*new), half) == [Boot(new[1])]


def test_when_all_are_ready_traffic_moves_and_then_the_old_retire() -> None:
    old, new = spec(), spec(image="v2", release=2)
    world = served(wish(old), up(old))
    ready = replace(world, seen=(*world.seen, up(new, 2)))
    assert plan(wish(new), ready) == [Publish(route_of(wish(new), [container(new, 2)])), Retire(container(old))]


def test_scaling_two_to_three_starts_one() -> None:
    two, three = [spec("web.1"), spec("web.2")], [spec("web.1"), spec("web.2"), spec("web.3")]
    world = served(wish(*two), up(two[0], 1), up(two[1], 2))
    assert plan(wish(*three), world) == [Boot(three[2])]


def test_scaling_down_takes_the_instance_out_before_it_retires() -> None:
    two = [spec("web.1"), spec("web.2")]
    world = served(wish(*two), up(two[0], 1), up(two[1], 2))
    assert plan(wish(two[0]), world) == [Publish(route_of(wish(two[0]), [container(two[0], 1)])), Retire(container(two[1], 2))]


def test_a_dead_instance_leaves_the_route_before_its_successor_boots() -> None:
    two = [spec("web.1"), spec("web.2")]
    dead = Seen(container(two[1], 2, running=False), ready=True)
    world = replace(served(wish(*two), up(two[0], 1), up(two[1], 2)), seen=(up(two[0], 1), dead))
    assert plan(wish(*two), world) == [Publish(route_of(wish(*two), [container(two[0], 1)])), Discard(dead.container), Boot(two[1])]


def test_a_crashed_instance_waits_for_its_turn() -> None:
    desired = wish(spec())
    world = World((), route_of(desired, []), {("web", 1): 50.0}, now=49.0)
    assert plan(desired, world) == []
    assert plan(desired, replace(world, now=50.0)) == [Boot(spec())]


def test_a_restarted_instance_serves_beside_its_siblings_until_its_successor_is_ready() -> None:
    one, two, again = spec("web.1"), spec("web.2"), spec("web.1", generation=1)
    world = served(wish(one, two), up(one, 1), up(two, 2))
    assert plan(wish(again, two), world) == [Boot(again)]
    ready = replace(world, seen=(*world.seen, up(again, 3)))
    assert plan(wish(again, two), ready)[-1] == Retire(container(one, 1))


def test_an_app_that_is_stopped_shows_its_page_and_retires_everything() -> None:
    world = served(wish(spec()), up(spec()))
    stopped = wish(idle="stopped")
    assert plan(stopped, world) == [Publish(route_of(stopped, [])), Retire(container(spec()))]


def test_an_instance_that_is_leaving_is_left_alone() -> None:
    desired = wish(spec())
    leaving = Seen(container(spec(image="v0"), 2), ready=True, leaving=True)
    world = served(desired, up(spec()))
    assert plan(desired, replace(world, seen=(*world.seen, leaving))) == []


def test_what_a_failed_deploy_started_goes_and_nothing_else_moves() -> None:
    old, failed = spec(), spec(image="v2", release=2)
    world = served(wish(old), up(old))
    assert plan(wish(old), replace(world, seen=(*world.seen, Seen(container(failed, 2))))) == [Retire(container(failed, 2))]
