"""A change of limits is a release that rolls the instances of its types and no others; a rollback brings the old ones back."""

from pathlib import Path

from platform_support import ADMIN, Machine, machine
from wherry.services import formation, limits, releases


def memories(here: Machine) -> dict[str, int]:
    return {seen.name: seen.memory for seen in here.engine.observe("shop") if seen.running}


def shop(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run", worker="run")
    here.wait(formation.scale(here.services, ADMIN, "shop", {"web": 2, "worker": 1}))


def test_only_instances_of_the_changed_type_are_replaced(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        shop(here)
        before = len(here.engine.started)
        done = here.wait(limits.change(here.services, ADMIN, "shop", {"web": {"size": "medium"}}))
        assert done.state == "succeeded", done.error
        assert sorted(here.engine.started[before:]) == ["shop/web.1", "shop/web.2"]
        here.until(lambda: memories(here) == {"web.1": 512, "web.2": 512, "worker.1": 256})
        assert here.log(done)[-1].startswith("web 256 MB -> medium (512 MB). v3 live in ")
        newest = releases.of_app(here.services, ADMIN, "shop")[0]
        assert (newest.description, newest.shape.limits) == ("Limit web 256 MB -> medium (512 MB)", {"web": {"size": "medium"}})


def test_a_rollback_brings_the_limits_of_then_back(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        shop(here)
        here.wait(limits.change(here.services, ADMIN, "shop", {"web": {"memory": "128m"}}))
        assert here.wait(releases.rollback(here.services, ADMIN, "shop", 1)).state == "succeeded"
        here.until(lambda: memories(here)["web.1"] == 256)


def test_limits_that_do_not_suffice_change_nothing(tmp_path: Path) -> None:
    """The new instances run out of memory; the old ones serve on with what they had."""
    with machine(tmp_path) as here:
        here.engine.needs = 100
        shop(here)
        done = here.wait(limits.change(here.services, ADMIN, "shop", {"web": {"size": "nano"}}))
        assert done.state == "failed" and done.error is not None and done.error["code"] == "R14"
        assert done.error["message"] == "web.1 ran out of memory (64 MB) while it started" or "web.2" in done.error["message"]
        assert done.error["hint"] == "Make it smaller, or give it more: wherry ps:type shop web=micro"
        here.until(lambda: memories(here) == {"web.1": 256, "web.2": 256, "worker.1": 256})
        assert limits.of_app(here.services, ADMIN, "shop")["web"] == {}


def test_out_of_memory_is_named_with_its_size_and_the_way_to_more(tmp_path: Path) -> None:
    lines: list[str] = []
    with machine(tmp_path, lines=lines) as here:
        shop(here)
        (web,) = [seen for seen in here.engine.observe("shop") if seen.name == "web.1"]
        here.engine.die(web.id, 137, oom=True)
        here.loop.wake()
        here.until(lambda: any("R14" in line for line in lines))
        told = next(line for line in lines if "R14" in line)
        assert told.startswith("shop web.1: State changed from up to crashed: R14 ran out of memory (256 MB); give it more: ")
        assert "wherry ps:type shop web=medium" in told
