"""The plan is pure: these are its rules, one sentence each."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from plan_support import container
from wherry.reconciler.desired import Desired
from wherry.reconciler.observed import Seen, World
from wherry.reconciler.plan import plan, route_of, way_for
from wherry.reconciler.steps import Boot, Discard, Publish, Retire, Vacate, Verify
from wherry.running.engine import InstanceSpec, VolumeMount


def spec(name: str = "web.1", image: str = "v1", release: int = 1, generation: int = 0) -> InstanceSpec:
    process, _, index = name.partition(".")
    port = 5000 if process == "web" else None
    return InstanceSpec("shop", process, int(index), release, image, "run", {}, port, 256, generation)


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


def test_an_instance_that_is_not_ready_gets_no_visitors_while_another_can_have_them() -> None:
    two = [spec("web.1"), spec("web.2")]
    world = served(wish(*two), up(two[0], 1), up(two[1], 2))
    out = replace(world, seen=(up(two[0], 1), replace(up(two[1], 2), unready=True)))
    assert plan(wish(*two), out) == [Publish(route_of(wish(*two), [container(two[0], 1)]))]
    assert plan(wish(*two), replace(out, route=route_of(wish(*two), [container(two[0], 1)]))) == []


def test_when_none_is_ready_all_get_visitors() -> None:
    two = [spec("web.1"), spec("web.2")]
    down = (replace(up(two[0], 1), unready=True), replace(up(two[1], 2), unready=True))
    assert plan(wish(*two), served(wish(*two), *down)) == []


def test_an_unhealthy_instance_is_replaced_beside_the_others_and_gets_no_visitors_meanwhile() -> None:
    two = [spec("web.1"), spec("web.2")]
    sick = replace(up(two[1], 2), unhealthy=True)
    world = replace(served(wish(*two), up(two[0], 1), sick), seen=(up(two[0], 1), sick))
    alone = route_of(wish(*two), [container(two[0], 1)])
    assert plan(wish(*two), world) == [Publish(alone), Boot(two[1])]
    ready = replace(world, seen=(*world.seen, up(two[1], 3)), route=alone)
    both = route_of(wish(*two), [container(two[0], 1), container(two[1], 3)])
    assert plan(wish(*two), ready) == [Publish(both), Retire(sick.container)]


def test_an_unhealthy_instance_keeps_the_visitors_that_nobody_else_can_have_until_its_successor_is_ready() -> None:
    desired, sick = wish(spec()), replace(up(spec(), 1), unhealthy=True)
    world = served(desired, sick)
    assert plan(desired, world) == [Boot(spec())]
    assert plan(desired, replace(world, waits={("web", 1): 50.0}, now=49.0)) == []
    ready = replace(world, seen=(sick, up(spec(), 2)))
    assert plan(desired, ready) == [Publish(route_of(desired, [container(spec(), 2)])), Retire(sick.container)]


def test_a_new_release_is_not_held_up_by_what_is_unwell() -> None:
    old, new = spec(), spec(image="v2", release=2)
    sick = replace(up(old, 1), unhealthy=True, unready=True)
    world = served(wish(old), sick)
    assert plan(wish(new), world) == [Boot(new)]
    ready = replace(world, seen=(sick, up(new, 2)))
    assert plan(wish(new), ready) == [Publish(route_of(wish(new), [container(new, 2)])), Retire(sick.container)]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Desired, World]:
    """Up to three wished instances of one release, and what runs of it and of the one before, well or not."""
    specs = [spec(f"web.{index}", "v2", 2) for index in range(1, draw(st.integers(1, 3)) + 1)]
    flags = st.booleans()
    seen = []
    for number in range(draw(st.integers(0, 5))):
        of = draw(st.sampled_from([*specs, spec("web.1", "v1", 1), spec("web.2", "v1", 1)]))
        seen.append(Seen(container(of, number + 1), draw(flags), False, draw(flags), draw(flags)))
    desired = wish(*specs)
    return desired, World(tuple(seen), route_of(desired, [one.container for one in seen if one.ready]))


@given(worlds())
def test_checks_never_take_the_last_target_away_and_never_mix_the_well_with_the_unwell(made: tuple[Desired, World]) -> None:
    desired, world = made
    steps = plan(desired, world)
    route = next((step.route for step in steps if isinstance(step, Publish)), world.route)
    assert route is not None
    by_name = {seen.container.target: seen for seen in world.seen}
    serving = [by_name[target.name] for target in route.targets]
    assert bool(serving) == any(seen.ready for seen in world.seen)
    assert len({seen.unready or seen.unhealthy for seen in serving}) <= 1


@given(worlds())
def test_an_unhealthy_instance_always_gets_a_successor(made: tuple[Desired, World]) -> None:
    desired, world = made
    taken = {seen.slot for seen in world.seen if not seen.unhealthy and seen.container.release == 2}
    booted = {(step.spec.type, step.spec.index) for step in plan(desired, world) if isinstance(step, Boot)}
    assert booted == {(one.type, one.index) for one in desired.specs} - taken


def writer(name: str = "web.1", image: str = "v1", release: int = 1) -> InstanceSpec:
    """An instance that writes to a volume of one writer."""
    return replace(spec(name, image, release), mounts=(VolumeMount("data", "wherry-data", "/data", alone=True),))


def holding(*specs: InstanceSpec) -> Desired:
    return wish(*specs, idle="held")


def test_a_writer_is_gone_before_its_successor_starts_and_requests_wait_meanwhile() -> None:
    old, new = writer(), writer(image="v2", release=2)
    world = served(holding(old), up(old))
    held = route_of(holding(new), [])
    assert held.state == "held"
    assert plan(holding(new), world) == [Publish(held), Vacate(container(old))]
    assert plan(holding(new), World((Seen(container(old), ready=True, leaving=True),), held)) == [Vacate(container(old))]
    assert plan(holding(new), World((), held)) == [Boot(new)]
    assert plan(holding(new), World((up(new, 2),), held)) == [Publish(route_of(holding(new), [container(new, 2)]))]


def test_what_can_start_beside_the_old_is_ready_before_a_writer_has_to_go() -> None:
    old, new, worker = writer(), writer(image="v2", release=2), spec("worker.1", "v2", 2)
    world = served(holding(old), up(old))
    assert plan(holding(new, worker), world) == [Boot(worker)]
    ready = replace(world, seen=(*world.seen, up(worker, 2)))
    assert [type(step) for step in plan(holding(new, worker), ready)] == [Publish, Vacate]


def test_web_serves_on_while_a_writing_worker_is_replaced() -> None:
    old = [spec("web.1"), writer("worker.1")]
    new = [spec("web.1", "v2", 2), writer("worker.1", "v2", 2)]
    world = served(wish(*old), up(old[0], 1), up(old[1], 2))
    assert plan(wish(*new), world) == [Boot(new[0])]
    ready = replace(world, seen=(*world.seen, up(new[0], 3)))
    assert plan(wish(*new), ready) == [Vacate(container(old[1], 2))]
    gone = replace(world, seen=(up(old[0], 1), up(new[0], 3)))
    assert plan(wish(*new), gone) == [Boot(new[1])]
    done = replace(world, seen=(*gone.seen, up(new[1], 4)))
    assert plan(wish(*new), done) == [Publish(route_of(wish(*new), [container(new[0], 3)])), Retire(container(old[0], 1))]


def test_a_process_that_stops_first_waits_for_all_of_its_type() -> None:
    old = [spec("web.1"), spec("web.2")]
    new = [replace(spec(f"web.{index}", "v2", 2), stop_first=True) for index in (1, 2)]
    world = served(holding(*old), up(old[0], 1), up(old[1], 2))
    assert [type(step) for step in plan(holding(*new), world)] == [Publish, Vacate, Vacate]
    assert plan(holding(*new), World((), route_of(holding(*new), []))) == [Boot(new[0]), Boot(new[1])]


def test_a_failed_writer_goes_before_the_old_release_starts_again() -> None:
    old, failed = writer(), writer(image="v2", release=2)
    world = World((Seen(container(failed, 2)),), route_of(holding(old), []))
    assert plan(holding(old), world) == [Vacate(container(failed, 2))]


def test_nobody_waits_for_a_writer_that_crashed() -> None:
    desired = holding(writer())
    world = World((), route_of(desired, []), {("web", 1): 50.0}, now=49.0)
    assert plan(desired, world) == [Publish(replace(route_of(desired, []), state="starting"))]


def test_who_only_reads_or_shares_a_volume_is_replaced_as_usual() -> None:
    for change in ({"read_only": True}, {"alone": False}):
        mount = replace(writer().mounts[0], **change)
        old, new = (replace(each, mounts=(mount,)) for each in (spec(), spec(image="v2", release=2)))
        assert plan(wish(new), served(wish(old), up(old))) == [Boot(new)]


def test_a_release_command_that_writes_has_the_way_cleared_for_it() -> None:
    old, new, command = writer(), writer(image="v2", release=2), writer("release.0", "v2", 2)
    world = served(holding(old), up(old))
    assert way_for(command, holding(new), world) == [Publish(route_of(holding(new), [])), Vacate(container(old))]
    assert way_for(command, holding(new), World((), route_of(holding(new), []))) == []
    assert way_for(spec("release.0"), holding(new), world) == []
