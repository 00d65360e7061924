"""What ends by itself is started again, ever more slowly; a new release begins anew; a policy may give up."""

from pathlib import Path

import pytest

from platform_support import ADMIN, Machine, machine
from wherry import clock
from wherry.errors import InvalidInput, NothingToDo
from wherry.model.instance import Instance
from wherry.model.restart_policy import check, gives_up
from wherry.reconciler.memory import Memory
from wherry.running.engine import Observed
from wherry.services import formation, reports


def crashed(fingerprint: str = "f", index: int = 1) -> Observed:
    return Observed("c", "shop", "web", index, 1, fingerprint, "image", False, exit_code=1)


def test_waits_grow_to_a_minute_and_a_new_spec_begins_anew() -> None:
    memory = Memory()
    waits = [round(found.wait_until - found.last) for found in (memory.crashed(crashed(), "x") for _ in range(9))]
    assert waits == [0, 1, 2, 4, 8, 16, 32, 60, 60]
    assert memory.crashed(crashed("another"), "x").count == 1
    assert memory.crashed(crashed("another", 2), "x").count == 1


@pytest.mark.parametrize(
    ("policy", "exit_code", "crashes", "given_up"),
    [
        ("always", 0, 99, False),
        ("no", 1, 1, True),
        ("on-failure", 0, 1, True),
        ("on-failure", 1, 99, False),
        ("on-failure:2", 137, 2, False),
        ("on-failure:2", 137, 3, True),
    ],
)
def test_a_policy_says_when_it_is_given_up(policy: str, exit_code: int, crashes: int, given_up: bool) -> None:
    assert gives_up(policy, exit_code, crashes) is given_up


@pytest.mark.parametrize(
    "text", ["", "sometimes", "on-failure:", "on-failure:0", "on-failure:-1", "on-failure:1e3", "ALWAYS", "no\n", "on-failure:99999"]
)
def test_a_policy_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="give always, on-failure, on-failure:N or no"):
        check(text)


def test_dokkus_words_mean_what_they_mean_there() -> None:
    assert (check("unless-stopped"), check("on-failure:10"), check("never")) == ("always", "on-failure:10", "no")


def instance(here: Machine, name: str = "web.1") -> Instance:
    return next(one for one in formation.seen(here.services, ADMIN, "shop") if one.name == name)


def kill(here: Machine, name: str = "web.1", exit_code: int = 1) -> None:
    """Ends the running instance of that name, and waits until that was seen. Docker tells of its end and of its removal."""
    (seen,) = [one for one in here.engine.observe("shop") if one.name == name and one.running]
    here.engine.die(seen.id, exit_code)
    here.loop.wake()
    here.until(lambda: all(one.id != seen.id for one in here.engine.observe("shop")))
    here.loop.wake()


def up(here: Machine, name: str = "web.1") -> None:
    here.until(
        lambda: any(one.name == name and one.running and here.outside.memory.is_ready(one.id) for one in here.engine.observe("shop"))
    )


def test_a_crash_loop_waits_ever_longer_and_says_when_it_is_tried_again(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        here.push("shop", "a", image="good", web="run")
        for _ in range(4):
            up(here)
            kill(here)
        found = instance(here)
        assert (found.state, found.restarts, found.detail.startswith("exit 1")) == ("crashed", 4, True)
        assert found.next_try > clock.now()
        here.push("shop", "b", image="good2", web="run")
        up(here)
        kill(here)
        up(here)
        assert instance(here).restarts == 1


def test_a_deploy_that_fails_leaves_no_mark_on_the_instances_that_serve(tmp_path: Path) -> None:
    lines: list[str] = []
    with machine(tmp_path, lines=lines, WHERRY_BOOT_TIMEOUT="3") as here:
        here.push("shop", "a", image="good", web="run")
        up(here)
        before = instance(here)
        here.push("shop", "b", image="deaf", web="run")
        here.until(lambda: instance(here).container == before.container and instance(here).state == "running")
        after = instance(here)
        assert (after.restarts, after.release, after.detail) == (0, before.release, "")
        assert abs((clock.parse(after.since) - clock.parse(before.since)).total_seconds()) < 1, (
            "since its own start, not since the deploy failed"
        )
        assert any("web.1: State changed from starting to crashed: web.1 opened no port" in line for line in lines)


def test_what_is_given_up_stays_down_until_a_restart_or_another_policy(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        here.push("shop", "a", image="good", web="run", worker="run")
        here.wait(formation.scale(here.services, ADMIN, "shop", {"web": 2, "worker": 1}))
        reports.set_restart_policy(here.services, ADMIN, "shop", "no")
        with pytest.raises(NothingToDo):
            reports.set_restart_policy(here.services, ADMIN, "shop", "never")
        kill(here, "worker.1", exit_code=0)
        here.until(lambda: instance(here, "worker.1").state == "crashed")
        assert instance(here, "worker.1").detail == "exit 0; not started again (no)"
        assert reports.of_app(here.services, ADMIN, "shop").state == "partly"
        here.wait(formation.scale(here.services, ADMIN, "shop", {"web": 1}))
        here.until(lambda: [one.name for one in here.engine.observe("shop")] == ["web.1"])
        assert here.outside.memory.next_try() is None
        reports.set_restart_policy(here.services, ADMIN, "shop", "always")
        up(here, "worker.1")
        here.until(lambda: reports.of_app(here.services, ADMIN, "shop").state == "running")
        kill(here, "worker.1")
        up(here, "worker.1")
