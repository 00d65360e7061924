"""An app gets another name, or a copy: what comes along, what stays, and what happens when it does not start."""

from pathlib import Path

import pytest

from draining_support import syslog
from platform_support import ADMIN, Machine, machine
from wherry import clock
from wherry.errors import Conflict, InvalidInput
from wherry.model.log_line import LogRecord
from wherry.model.user import Actor
from wherry.reconciler.converge import subnet_text
from wherry.services import apps, config_vars, domains, drains, formation, limits, releases, storage
from wherry.services.runs import Wanted
from wherry.services.runs import start as start_run
from wherry.store.app_logs import AppLogs

READER = Actor("rita", "read", "test")


def shop(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run", worker="run")
    here.wait(formation.scale(here.services, ADMIN, "shop", {"web": 2, "worker": 1}))
    domains.change(here.services, ADMIN, "shop", ["shop.example.org"], [])
    here.wait(limits.change(here.services, ADMIN, "shop", {"web": {"size": "nano"}}))


def names(here: Machine, app: str) -> list[str]:
    return sorted(seen.name for seen in here.engine.observe(app) if seen.running)


def test_a_renamed_app_serves_its_hosts_under_the_new_name_and_nothing_of_the_old_is_left(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        shop(here)
        done = here.wait(apps.rename(here.services, ADMIN, "shop", "store"))
        assert done.state == "succeeded", done.error
        routes = here.proxy.routes()
        assert "shop" not in routes
        assert here.log(done)[-3].endswith("s: http://shop.example.org") and "ssh://wherry@localhost:2222/store" in here.log(done)[-1]
        assert routes["store"].hosts == ("shop.example.org", "shop.localhost", "store.localhost")
        assert here.targets("store") == ["web.1", "web.2"]
        assert names(here, "store") == ["web.1", "web.2", "worker.1"] and here.engine.observe("shop") == []
        assert list(here.engine.networks) == ["store"]
        assert [app.name for app in apps.every(here.services, ADMIN)] == ["store"]
        assert {one.app for one in formation.seen(here.services, ADMIN, "store")} == {"store"}
        assert {seen.memory for seen in here.engine.observe("store") if seen.type == "web"} == {64}
        newest = releases.of_app(here.services, ADMIN, "store")[0]
        assert (newest.description, newest.shape.domains) == ("Rename shop to store", ("shop.example.org", "shop.localhost"))
        assert any("git remote set-url" in line for line in here.log(done))


def test_the_new_name_is_the_address_although_the_old_one_leads_there_too(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        here.push("shop", "a", image="good", web="run")
        done = here.wait(apps.rename(here.services, ADMIN, "shop", "store"))
        assert here.log(done)[-3].endswith("s: http://store.localhost"), here.log(done)
        assert here.proxy.routes()["store"].hosts == ("shop.localhost", "store.localhost")


def test_the_old_instances_serve_until_the_new_ones_are_ready(tmp_path: Path) -> None:
    """No route that a visitor could meet in between is without a target."""
    with machine(tmp_path) as here:
        shop(here)
        seen: list[tuple[str, tuple[str, ...], int]] = []
        publish = here.proxy.publish

        def watched(route):  # type: ignore[no-untyped-def]
            seen.append((route.app, route.hosts, len(route.targets)))
            publish(route)

        here.proxy.publish = watched  # type: ignore[method-assign]
        here.wait(apps.rename(here.services, ADMIN, "shop", "store"))
        assert all(targets for _, hosts, targets in seen if hosts)
        moved = next(index for index, (app, hosts, _) in enumerate(seen) if app == "store" and hosts)
        assert all(app == "store" for app, _, _ in seen[:moved])


def test_an_app_that_does_not_start_under_the_new_name_keeps_the_old_one(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        shop(here)
        here.engine.needs = 10_000
        done = here.wait(apps.rename(here.services, ADMIN, "shop", "store"))
        assert done.state == "failed" and done.error is not None and done.error["code"] == "R14"
        here.engine.needs = 0
        assert [app.name for app in apps.every(here.services, ADMIN)] == ["shop"]
        here.until(lambda: here.targets("shop") == ["web.1", "web.2"] and "store" not in here.proxy.routes())
        assert here.engine.observe("store") == [] and list(here.engine.networks) == ["shop"]
        assert here.proxy.routes()["shop"].hosts == ("shop.example.org", "shop.localhost")


def test_a_drain_goes_on_with_the_log_of_the_new_name(tmp_path: Path) -> None:
    with syslog() as receiver, machine(tmp_path, WHERRY_DRAIN_INTERNAL="yes") as here:
        shop(here)
        logs = AppLogs(here.services.settings.app_logs)
        drains.add(here.services, ADMIN, "shop", f"syslog+tcp://127.0.0.1:{receiver.port}")
        places = here.services.settings.drain_positions
        here.until(lambda: places.exists() and any(places.iterdir()))
        here.wait(apps.rename(here.services, ADMIN, "shop", "store"))
        here.until(lambda: logs.append("store", [LogRecord(clock.now(), "app", "web.1", "here I am")]) or "here I am" in receiver.texts())


def test_an_app_that_takes_the_old_name_has_a_log_of_its_own(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        shop(here)
        here.logs.append("shop", [LogRecord(clock.now(), "app", "web.1", "of the first")])
        assert here.wait(apps.rename(here.services, ADMIN, "shop", "store")).state == "succeeded"
        here.logs.append("shop", [LogRecord(clock.now(), "app", "web.1", "of the second")])
        assert [line.rpartition(": ")[2] for line in here.logs.tail("store", 10, source="app")] == ["of the first"]
        assert [line.rpartition(": ")[2] for line in here.logs.tail("shop", 10, source="app")] == ["of the second"]


def test_an_engine_that_dies_after_the_switch_leaves_the_rest_to_the_next(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        shop(here)
        here.loop.stop()
        with here.services.database.write() as connection:
            from wherry import clock
            from wherry.store import apps as table
            from wherry.store import operations

            operation = operations.add(connection, "shop", "rename", "alice", {"to": "store"}, clock.now())
            operations.claim(connection, operation, "dead", clock.now())
            table.rename(connection, table.get(connection, "shop"), "store", 99)
            operations.progress(connection, operation, renamed=True)
        engine, proxy = here.engine, here.proxy
    with machine(tmp_path, engine, proxy) as here:
        assert here.wait(operation).state == "succeeded"
        here.until(lambda: names(here, "store") == ["web.1", "web.2", "worker.1"] and here.engine.observe("shop") == [])
        here.until(lambda: "shop" not in here.proxy.routes() and here.targets("store") == ["web.1", "web.2"])
        assert list(here.engine.networks) == ["store"]


def test_what_waits_for_the_old_name_is_done_under_the_new_one(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        shop(here)
        renamed = apps.rename(here.services, ADMIN, "shop", "store")
        scaled = formation.scale(here.services, ADMIN, "shop", {"web": 1})
        assert here.wait(renamed).state == "succeeded"
        assert here.wait(scaled).state == "succeeded"
        here.until(lambda: names(here, "store") == ["web.1", "worker.1"])


def test_a_rename_passes_over_subnets_that_others_on_the_machine_use(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        here.push("shop", "a", image="good", web="run")
        own = int(here.engine.networks["shop"].split(".")[2])
        for number in (own + 1, own + 2):
            here.engine.networks[f"foreign{number}"] = subnet_text(number)
        assert here.wait(apps.rename(here.services, ADMIN, "shop", "store")).state == "succeeded"
        assert here.engine.networks["store"] == subnet_text(own + 3) and here.targets("store") == ["web.1"]


def test_an_app_with_a_volume_of_one_writer_is_renamed_while_it_is_stopped_and_keeps_its_data(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        here.push("shop", "a", image="good", web="run")
        storage.create(here.services, ADMIN, "shop", "data")
        here.wait(storage.mount(here.services, ADMIN, "shop", "data", "/data"))
        (source,) = here.engine.volumes
        refused = here.wait(apps.rename(here.services, ADMIN, "shop", "store"))
        assert refused.state == "failed" and refused.error and refused.error["code"] == "stops_first"
        assert "web writes to a volume of one writer" in refused.error["message"] and "ps:start store" in refused.error["hint"]
        assert here.targets("shop") == ["web.1"] and "store" not in here.engine.networks
        here.wait(formation.stop(here.services, ADMIN, "shop"))
        assert here.wait(apps.rename(here.services, ADMIN, "shop", "store")).state == "succeeded"
        assert here.wait(formation.start(here.services, ADMIN, "store")).state == "succeeded"
        assert here.targets("store") == ["web.1"]
        assert [seen.writes for seen in here.engine.observe("store")] == [{source}] and list(here.engine.volumes) == [source]


def test_a_name_or_host_that_is_taken_is_refused_and_so_is_an_app_with_open_runs(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        shop(here)
        apps.create(here.services, ADMIN, "blog")
        domains.change(here.services, ADMIN, "blog", ["store.localhost"], [])
        for verb in (apps.rename, apps.clone):
            with pytest.raises(Conflict, match='app "blog" exists already'):
                verb(here.services, ADMIN, "shop", "blog")
            with pytest.raises(Conflict, match=r"store.localhost is a domain of blog"):
                verb(here.services, ADMIN, "shop", "store")
            with pytest.raises(InvalidInput, match='app name "Store"'):
                verb(here.services, ADMIN, "shop", "Store")
        start_run(here.services, ADMIN, "shop", Wanted(["sleep"], attached=False))
        with pytest.raises(Conflict) as refusal:
            apps.rename(here.services, ADMIN, "shop", "other")
        assert refusal.value.code == "runs_open"
        assert str(refusal.value).endswith("cut them off: run.1 Wait until they end, or end them: wherry run:stop shop run.1")


def test_a_copy_runs_the_same_image_config_and_limits_beside_the_app(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        shop(here)
        here.wait(config_vars.change(here.services, ADMIN, "shop", {"COLOUR": "red"}))
        done = here.wait(apps.clone(here.services, ADMIN, "shop", "twin"))
        assert done.state == "succeeded", done.error
        assert here.targets("twin") == ["web.1", "web.2"] and here.targets("shop") == ["web.1", "web.2"]
        (first,) = releases.of_app(here.services, ADMIN, "twin")
        assert (first.number, first.description, first.outcome, first.config) == (1, "Clone of shop", "live", {"COLOUR": "red"})
        assert here.proxy.routes()["twin"].hosts == ("twin.localhost",)
        assert {seen.memory for seen in here.engine.observe("twin") if seen.type == "web"} == {64}
        assert any("a database that they name is shared now" in line for line in here.log(done))
        here.wait(apps.destroy(here.services, ADMIN, "twin", "twin"))
        assert here.engine.image_exists("good") and here.targets("shop") == ["web.1", "web.2"]


def test_a_copy_without_a_deploy_has_the_settings_only(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        shop(here)
        assert here.wait(apps.clone(here.services, ADMIN, "shop", "twin", deploy=False)).state == "succeeded"
        made = apps.get(here.services, ADMIN, "twin")
        assert (made.release, made.formation, made.limits) == (None, {"web": 2, "worker": 1}, {"web": {"size": "nano"}})
        assert here.engine.observe("twin") == []


def test_a_copy_that_does_not_start_is_taken_away_again(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        shop(here)
        here.engine.needs = 10_000
        assert here.wait(apps.clone(here.services, ADMIN, "shop", "twin")).state == "failed"
        assert [app.name for app in apps.every(here.services, ADMIN)] == ["shop"]
        here.until(lambda: here.engine.observe("twin") == [] and "twin" not in here.engine.networks)
