"""Volumes and the apps that may not run twice, from wish to world: a real database, engine and proxy in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from platform_support import ADMIN, Machine, machine
from wherry.errors import Conflict, Unavailable
from wherry.model.operation import Operation
from wherry.model.volume import mounts_from_json
from wherry.reconciler import storage as work
from wherry.routing.memory_proxy import MemoryProxy
from wherry.routing.proxy import Route
from wherry.running.engine import Observed
from wherry.running.memory_engine import MemoryEngine
from wherry.services import apps, config_vars, formation, operations, releases, storage
from wherry.store import apps as stored_apps


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path) as made:
        yield made
        assert made.engine.together == [], "two wrote to one volume at the same time"


def with_volume(here: Machine, shared: bool = False, **words: str) -> None:
    """The app `shop`, live as v1, with the volume `data` at /data as v2."""
    here.push("shop", "a", **{"image": "good", "web": "run", **words})
    storage.create(here.services, ADMIN, "shop", "data", shared)
    assert here.wait(storage.mount(here.services, ADMIN, "shop", "data", "/data")).state == "succeeded"
    here.until(lambda: len(here.engine.observe("shop")) == 1)


def running(here: Machine) -> list[tuple[str, int, bool]]:
    found = [(seen.name, seen.release, bool(seen.writes)) for seen in here.engine.observe("shop") if seen.running]
    return sorted(found)


def test_a_mount_is_a_release_and_rolls_the_instances(here: Machine) -> None:
    with_volume(here)
    here.until(lambda: running(here) == [("web.1", 2, True)])
    assert next(one.description for one in releases.of_app(here.services, ADMIN, "shop")) == "Mount data at /data"
    (source,) = here.engine.volumes
    assert source.startswith("wherry-shop-data-")


def test_a_volume_stays_over_deploys_rollbacks_and_its_unmount(here: Machine) -> None:
    with_volume(here)
    kept = dict(here.engine.volumes)
    here.push("shop", "b", image="good2", web="run")
    here.wait(releases.rollback(here.services, ADMIN, "shop", 1))
    here.until(lambda: running(here) == [("web.1", 4, True)])
    here.wait(storage.unmount(here.services, ADMIN, "shop", "data"))
    here.until(lambda: running(here) == [("web.1", 5, False)])
    assert here.engine.volumes == kept


def test_before_the_first_push_a_mount_waits_for_it(here: Machine) -> None:
    apps.create(here.services, ADMIN, "shop")
    storage.create(here.services, ADMIN, "shop", "data")
    assert storage.mount(here.services, ADMIN, "shop", "data", "/data") is None
    here.push("shop", "a", image="good", web="run")
    assert running(here) == [("web.1", 1, True)]


def test_a_push_stops_the_writer_first_and_says_so(here: Machine) -> None:
    with_volume(here)
    log = here.log(here.push("shop", "b", image="good2", web="run"))
    assert log[1] == "-----> Release v3"
    assert log[2].startswith("       web.1 of v2 stopped first, in ")
    assert log[3].startswith("       web.1 ready in ")
    assert log[4].startswith("       requests waited meanwhile, ")
    states = [route.state for route in here.proxy.published][-2:]
    assert states == ["held", "serving"]


def test_visitors_wait_while_a_writer_is_replaced(here: Machine) -> None:
    with_volume(here)
    with ThreadPoolExecutor(1) as pool:
        answers = pool.submit(lambda: [here.proxy.visit("shop.localhost")[0] for _ in range(3000)])
        for value in ("1", "2"):
            here.wait(config_vars.change(here.services, ADMIN, "shop", {"KEY": value}))
        here.wait(formation.restart(here.services, ADMIN, "shop"))
        assert set(answers.result()) == {200}


@pytest.mark.parametrize("image", ["crash", "deaf"])
def test_a_deploy_that_fails_brings_the_writer_back_and_tells_for_how_long_it_was_away(tmp_path: Path, image: str) -> None:
    with machine(tmp_path, WHERRY_BOOT_TIMEOUT="3") as here:
        with_volume(here)
        operation = here.push("shop", "b", image=image, web="run")
        assert operation.state == "failed"
        assert here.targets("shop") == ["web.1"]
        here.until(lambda: [(seen.image, seen.running) for seen in here.engine.observe("shop")] == [("good", True)])
        assert here.engine.together == []
    last = here.log(operation)[-1]
    assert last.startswith("       v2 was stopped for ") and " s and runs again. More: wherry help " in last


class Asked(MemoryProxy):
    """Answers late how visitors fared, which an operation asks before it moves anything. Counts who looks at the routes."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.answer = threading.Event(), threading.Event()
        self.looks = 0

    def answers(self, app: str) -> dict[str, tuple[int, int]]:
        self.asked.set()
        assert self.answer.wait(60)
        return super().answers(app)

    def routes(self) -> dict[str, Route]:
        self.looks += 1
        return super().routes()


def test_a_writer_that_serves_when_the_engine_dies_is_not_ended_for_the_one_before_it(tmp_path: Path) -> None:
    engine, proxy = MemoryEngine(), Asked()
    with machine(tmp_path, engine, proxy) as before:
        with_volume(before)
        operation = before.push("shop", "b", image="good2", web="run")
        before.until(lambda: running(before) == [("web.1", 3, True)])
    _die_at_commit(before, operation)
    started = len(engine.started)
    with machine(tmp_path, engine, proxy, WHERRY_BAKE="60") as after:
        assert proxy.asked.wait(60)
        for _ in range(2):  # the first look is over when the second begins
            _look(after, proxy)
        after.until(lambda: not any(thread.name == "heal shop" for thread in threading.enumerate()))
        assert running(after) == [("web.1", 3, True)]
        proxy.answer.set()
        assert after.wait(operation).state == "succeeded"
        assert (running(after), len(engine.started)) == ([("web.1", 3, True)], started)


class Away(MemoryEngine):
    """Does not answer an operation, once, after a container of the image was started."""

    def __init__(self, image: str) -> None:
        super().__init__()
        self.image, self.away = image, True

    def observe(self, app: str | None = None) -> list[Observed]:
        seen = super().observe(app)
        if self.away and threading.current_thread().name.startswith("operation ") and any(one.image == self.image for one in seen):
            self.away = False
            raise Unavailable("Docker does not answer")
        return seen


def test_a_writer_that_boots_when_docker_is_away_is_not_ended_for_the_one_before_it(tmp_path: Path) -> None:
    engine = Away("good2")
    with machine(tmp_path, engine) as here:
        with_volume(here)
        before = len(engine.started)
        operation = here.begin("shop", "b", image="good2", web="run")
        here.until(lambda: here.loop.wake() or operations.get(here.services, ADMIN, operation.id).done)
        assert any(line.endswith("Docker does not answer; trying again") for line in here.log(operation))
        assert (running(here), len(engine.started)) == ([("web.1", 3, True)], before + 1)


def _die_at_commit(here: Machine, operation: Operation) -> None:
    """Visitors see the new release, the database has the old one, and the owner of the operation is no more."""
    with here.outside.database.write() as connection:
        app = stored_apps.get(connection, "shop")
        stored_apps.change(connection, app, release=2, running=2)
        connection.execute("UPDATE operations SET state = 'running', owner = 'a dead engine' WHERE id = ?", (operation.id,))
    here.outside.database.close()


def _look(here: Machine, proxy: Asked) -> None:
    before = proxy.looks
    here.loop.wake()
    here.until(lambda: proxy.looks > before)


def test_a_worker_that_writes_is_replaced_while_web_serves_on(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run", worker="work")
    here.wait(formation.scale(here.services, ADMIN, "shop", {"worker": 1}))
    storage.create(here.services, ADMIN, "shop", "data")
    here.wait(storage.mount(here.services, ADMIN, "shop", "data", "/data", types=["worker"]))
    before = len(here.proxy.published)
    log = here.log(here.push("shop", "b", image="good2", web="run", worker="work"))
    assert {route.state for route in here.proxy.published[before:]} == {"serving"}
    assert any("worker.1 of v" in line and "stopped first" in line for line in log)
    assert not any("waited" in line for line in log)


def test_a_release_command_is_alone_with_its_volume(here: Machine) -> None:
    with_volume(here, release="migrate")
    here.push("shop", "b", image="good2", web="run", release="migrate")
    log = here.log(operations.recent(here.services, ADMIN, "shop")[0])
    stopped = next(number for number, line in enumerate(log) if "web.1 of v2 stopped first" in line)
    assert log[stopped + 1] == "-----> Running release command: migrate"
    assert running(here) == [("web.1", 3, True)]


def test_a_release_command_that_fails_brings_the_writer_back(here: Machine) -> None:
    with_volume(here)
    operation = here.push("shop", "b", image="good2", web="run", release="false")
    assert operation.error is not None and operation.error["code"] == "release_command"
    assert here.targets("shop") == ["web.1"]
    here.until(lambda: running(here) == [("web.1", 2, True)])
    assert "v2 was stopped for" in here.log(operation)[-1]


def test_a_volume_of_one_writer_does_not_get_a_second_one(here: Machine) -> None:
    with_volume(here, worker="work")
    for wished in ({"web": 2}, {"worker": 1}):
        with pytest.raises(Conflict, match="data is written to by one instance at a time"):
            formation.scale(here.services, ADMIN, "shop", wished)
    storage.share(here.services, ADMIN, "shop", "data", True)
    assert here.wait(formation.scale(here.services, ADMIN, "shop", {"web": 2, "worker": 1})).state == "succeeded"
    with pytest.raises(Conflict, match="these would: web=2, worker=1"):
        storage.share(here.services, ADMIN, "shop", "data", False)


def test_a_shared_volume_is_replaced_without_a_pause(here: Machine) -> None:
    with_volume(here, shared=True)
    log = here.log(here.push("shop", "b", image="good2", web="run"))
    assert not any("stopped first" in line for line in log)
    assert "held" not in {route.state for route in here.proxy.published}


def test_an_app_goes_with_its_volumes_and_another_keeps_its_own(here: Machine) -> None:
    with_volume(here)
    here.push("blog", "a", image="good", web="run")
    storage.create(here.services, ADMIN, "blog", "data")
    here.wait(storage.mount(here.services, ADMIN, "blog", "data", "/data"))
    assert sorted(here.engine.volumes.values()) == ["blog", "shop"]
    here.wait(apps.destroy(here.services, ADMIN, "shop", "shop"))
    assert list(here.engine.volumes.values()) == ["blog"]


def test_a_volume_is_destroyed_by_its_name_when_nothing_has_it_mounted(here: Machine) -> None:
    with_volume(here)
    with pytest.raises(Conflict, match="data is mounted in shop"):
        storage.destroy(here.services, ADMIN, "shop", "data", "data")
    here.wait(storage.unmount(here.services, ADMIN, "shop", "data"))
    here.until(lambda: running(here) == [("web.1", 3, False)] and len(here.engine.observe("shop")) == 1)
    assert here.wait(storage.destroy(here.services, ADMIN, "shop", "data", "data")).state == "succeeded"
    assert here.engine.volumes == {}
    assert storage.of_app(here.services, ADMIN, "shop").volumes == ()


def test_one_offs_see_the_volumes(here: Machine) -> None:
    from wherry.reconciler.desired import mounts_of

    with_volume(here, worker="work")
    here.wait(storage.mount(here.services, ADMIN, "shop", "data", "/read", read_only=True, types=["worker"]))
    app = apps.get(here.services, ADMIN, "shop")
    assert [mount.path for mount in mounts_of(app, "run")] == ["/data", "/read"]
    assert [mount.path for mount in mounts_of(app, "web")] == ["/data"]
    assert len(mounts_from_json(app.mounts)) == 2


def test_sizes_are_taken_now_and_then(here: Machine) -> None:
    with_volume(here)
    work.measure(here.outside)
    (volume,) = storage.of_app(here.services, ADMIN, "shop").volumes
    assert volume.size == 4096 and volume.measured_at
    work.measure(here.outside)
    assert storage.of_app(here.services, ADMIN, "shop").volumes == (volume,)


def test_an_engine_that_dies_while_a_writer_is_being_replaced_leaves_nobody_waiting(tmp_path: Path) -> None:
    with machine(tmp_path) as first:
        with_volume(first)
        engine, proxy = first.engine, first.proxy
    (old,) = engine.observe("shop")
    proxy.publish(replace(proxy.routes()["shop"], targets=(), state="held"))
    engine.stop(old.id, 0)
    with machine(tmp_path, engine, proxy) as second:
        second.until(lambda: second.targets("shop") == ["web.1"])
        assert second.proxy.visit("shop.localhost")[0] == 200
    assert engine.together == []


def test_a_push_whose_engine_died_between_the_old_and_the_new_writer_is_finished_by_the_next_one(tmp_path: Path) -> None:
    with machine(tmp_path) as first:
        with_volume(first)
        engine, proxy = first.engine, first.proxy
        (old,) = engine.observe("shop")
        push = first.push("shop", "b", image="good2", web="run")
        (new,) = [seen for seen in engine.observe("shop") if seen.id != old.id]
        with first.outside.database.write() as connection:
            connection.execute("UPDATE operations SET state = 'running', owner = 'dead' WHERE id = ?", (push.id,))
            connection.execute("UPDATE apps SET release = 2, running = 2")
            connection.execute("DELETE FROM release_outcomes WHERE release_id = (SELECT max(id) FROM releases)")
    proxy.publish(replace(proxy.routes()["shop"], targets=(), state="held"))
    with machine(tmp_path, engine, proxy) as second:
        done = second.wait(push)
        assert done.state == "succeeded", done
        second.until(lambda: second.targets("shop") == ["web.1"])
        assert {seen.image for seen in engine.observe("shop") if seen.running} == {"good2"}
        assert second.proxy.visit("shop.localhost")[0] == 200
    assert engine.together == [] and new.image == "good2"
