"""What a person asks for becomes true, or nothing changes: operations over a real database, engine and proxy in memory."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from platform_support import ADMIN, Machine, machine
from wherry import clock
from wherry.errors import Conflict, NothingToDo
from wherry.model.operation import Operation
from wherry.routing.memory_proxy import MemoryProxy
from wherry.running.memory_engine import MemoryEngine
from wherry.services import apps, config_vars, domains, formation, global_config, operations, pushes, releases
from wherry.store import apps as stored_apps
from wherry.store import fronts as stored_fronts
from wherry.store import instances
from wherry.store import operations as stored_operations
from wherry.store import releases as stored_releases


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path) as made:
        yield made


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path, WHERRY_BOOT_TIMEOUT="3") as made:
        yield made


def rows(here: Machine, app: str = "shop") -> list[tuple[str, str, int]]:
    with here.outside.database.read() as connection:
        return [(row.name, row.state, row.release) for row in instances.of_app(connection, app)]


def test_a_push_goes_live(here: Machine) -> None:
    operation = here.push("shop", "a", image="good", web="run")
    assert operation.state == "succeeded"
    assert here.targets("shop") == ["web.1"]
    log = here.log(operation)
    assert log[0] == "-----> Built in 0.0 s, 1 MB"
    assert log[1] == "-----> Release v1"
    assert log[2].startswith("       web.1 ready in ")
    assert log[3].startswith("-----> Live in ") and log[3].endswith("http://shop.localhost")
    assert rows(here) == [("web.1", "running", 1)]


def test_a_release_that_crashes_changes_nothing(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    before = here.proxy.routes()["shop"]
    operation = here.push("shop", "b", image="crash", web="run")
    assert (operation.state, operation.error and operation.error["code"]) == ("failed", "H10")
    assert here.proxy.routes()["shop"] == before
    assert "v1 keeps serving. More: wherry help H10" in here.log(operation)[-1]
    here.until(lambda: [seen.image for seen in here.engine.observe("shop")] == ["good"])
    here.until(lambda: rows(here) == [("web.1", "running", 1)])
    assert [(one.version, one.outcome) for one in releases.of_app(here.services, ADMIN, "shop")] == [("v2", "failed"), ("v1", "live")]


@pytest.mark.parametrize(("image", "code"), [("deaf", "R10"), ("oom", "R14"), ("crash", "H10"), ("nosuch", "image_gone")])
def test_each_way_to_fail_has_its_code(impatient: Machine, image: str, code: str) -> None:
    here = impatient
    operation = here.push("shop", "a", image=image, web="run")
    assert operation.error is not None and operation.error["code"] == code
    assert here.log(operation)[-1] == f"       Nothing was changed. More: wherry help {code}"
    here.until(lambda: here.engine.observe("shop") == [])


def test_a_failed_build_makes_no_release(here: Machine) -> None:
    operation = here.push("shop", "a", fail="no requirements", image="good")
    assert operation.state == "failed"
    assert "         pip said no" in here.log(operation)
    assert releases.of_app(here.services, ADMIN, "shop") == []


def test_the_release_command_runs_before_traffic(here: Machine) -> None:
    operation = here.push("shop", "a", image="good", web="run", release="migrate")
    assert here.engine.one_offs == ["migrate"]
    assert "       ran migrate" in here.log(operation)
    assert here.targets("shop") == ["web.1"]


def test_a_failing_release_command_fails_the_release(here: Machine) -> None:
    operation = here.push("shop", "a", image="crash", release="migrate")
    assert operation.error is not None and operation.error["code"] == "release_command"
    assert here.engine.started == []
    assert [(one.version, one.outcome) for one in releases.of_app(here.services, ADMIN, "shop")] == [("v1", "failed")]


def test_scaling_two_to_three_starts_one_instance(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.wait(formation.scale(here.services, ADMIN, "shop", {"web": 2}))
    before = len(here.engine.started)
    operation = here.wait(formation.scale(here.services, ADMIN, "shop", {"web": 3}))
    assert here.engine.started[before:] == ["shop/web.3"]
    assert re.fullmatch(r"web 2 -> 3: web\.3 ready in \d+\.\d s \(listening on 5000\)", here.log(operation)[-1])
    assert here.targets("shop") == ["web.1", "web.2", "web.3"]


def test_scaling_is_a_release_that_leaves_instances_alone(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.wait(formation.scale(here.services, ADMIN, "shop", {"web": 3}))
    newest = releases.of_app(here.services, ADMIN, "shop")[0]
    assert (newest.version, newest.description, newest.outcome, newest.shape.formation) == ("v2", "Scale web 1 -> 3", "live", {"web": 3})
    assert rows(here) == [("web.1", "running", 1), ("web.2", "running", 1), ("web.3", "running", 1)]
    assert apps.get(here.services, ADMIN, "shop").release == 2
    here.wait(formation.restart(here.services, ADMIN, "shop"))
    here.until(lambda: rows(here) == [("web.1", "running", 2), ("web.2", "running", 2), ("web.3", "running", 2)])
    assert len(releases.of_app(here.services, ADMIN, "shop")) == 2


def test_a_rollback_keeps_formation_and_domains_of_today(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.push("shop", "b", image="good2", web="run")
    here.wait(formation.scale(here.services, ADMIN, "shop", {"web": 2}))
    domains.change(here.services, ADMIN, "shop", ["shop.example.org"], [])
    operation = here.wait(releases.rollback(here.services, ADMIN, "shop"))
    assert here.log(operation)[0] == "v4 (Add domain shop.example.org) changed no code or config: that stays"
    assert here.log(operation)[-1].startswith("v5 = v1 (image aaaaaaa, config of v1; formation and domains of today). Live in ")
    newest = releases.of_app(here.services, ADMIN, "shop")[0]
    assert (newest.version, newest.description, newest.build.image) == ("v5", "Rollback to v1", "good")
    assert (newest.shape.formation, newest.shape.domains) == ({"web": 2}, ("shop.example.org",))
    here.until(lambda: rows(here) == [("web.1", "running", 5), ("web.2", "running", 5)])


def test_a_rollback_to_the_same_code_brings_formation_and_domains_of_then_back(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.wait(formation.scale(here.services, ADMIN, "shop", {"web": 3}))
    domains.change(here.services, ADMIN, "shop", ["shop.example.org"], ["shop.localhost"])
    operation = here.wait(releases.rollback(here.services, ADMIN, "shop", 1))
    words = r"Back to v1: web 3 -> 1, add domain shop\.localhost and remove domain shop\.example\.org\. In force in \d+\.\d s"
    assert re.fullmatch(words, here.log(operation)[-1])
    assert operation.result == {"release": "v4"}
    newest = releases.of_app(here.services, ADMIN, "shop")[0]
    assert (newest.version, newest.description, newest.outcome) == ("v4", "Rollback to v1", "live")
    assert (newest.shape.formation, newest.shape.domains, newest.shape.default_host) == ({"web": 1}, (), True)
    here.until(lambda: rows(here) == [("web.1", "running", 1)])
    here.until(lambda: here.proxy.routes()["shop"].hosts == ("shop.localhost",))


def test_a_rollback_to_a_domain_that_another_app_has_by_now_changes_nothing(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    domains.change(here.services, ADMIN, "shop", ["shop.example.org"], [])
    domains.change(here.services, ADMIN, "shop", [], ["shop.example.org"])
    apps.create(here.services, ADMIN, "blog")
    domains.change(here.services, ADMIN, "blog", ["shop.example.org"], [])
    refused = here.wait(releases.rollback(here.services, ADMIN, "shop", 2))
    assert refused.error and (refused.state, refused.error["code"]) == ("failed", "domain_taken")
    assert "shop.example.org is a domain of blog" in "\n".join(here.log(refused))
    assert releases.of_app(here.services, ADMIN, "shop")[0].version == "v3"


def test_a_domain_that_comes_during_a_deploy_is_the_release_after_it(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    operation = here.begin("shop", "b", image="deaf", web="run")
    here.until(lambda: len(here.engine.started) == 2)
    domains.change(here.services, ADMIN, "shop", ["shop.example.org"], [])
    assert [one.version for one in releases.of_app(here.services, ADMIN, "shop")] == ["v2", "v1"]
    operations.cancel(here.services, ADMIN, operation.id)
    assert here.wait(operation).state == "cancelled"
    told = [(one.version, one.description, one.outcome, one.build.image) for one in releases.of_app(here.services, ADMIN, "shop")]
    assert told[:2] == [("v3", "Add domain shop.example.org", "live", "good"), ("v2", "Deploy bbbbbbb", "failed", "deaf")]
    assert apps.get(here.services, ADMIN, "shop").release == 3


def test_scaling_to_zero_shows_that_there_is_no_web_process(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.wait(formation.scale(here.services, ADMIN, "shop", {"web": 0}))
    assert here.proxy.routes()["shop"].state == "no-web"
    here.until(lambda: here.engine.observe("shop") == [])


def test_the_same_scale_again_is_nothing_to_do(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    with pytest.raises(NothingToDo, match="shop has web=1 already"):
        formation.scale(here.services, ADMIN, "shop", {"web": 1})


def test_a_config_change_is_a_release(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    operation = here.wait(config_vars.change(here.services, ADMIN, "shop", {"COLOUR": "blue"}))
    assert operation.state == "succeeded"
    assert here.log(operation)[-1].startswith("Set COLOUR. v2 live in ")
    assert config_vars.of_app(here.services, ADMIN, "shop") == {"COLOUR": "blue"}
    here.until(lambda: rows(here) == [("web.1", "running", 2)])


def test_without_a_restart_instances_stay_as_they_are_until_they_are_restarted(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    operation = here.wait(config_vars.change(here.services, ADMIN, "shop", {"COLOUR": "blue"}, restart=False))
    assert here.log(operation)[-1] == "Set COLOUR. v2 is kept, in force with the next release or: wherry ps:restart shop"
    here.loop.wake()
    here.wait(formation.scale(here.services, ADMIN, "shop", {"web": 2}))
    here.engine.die(here.engine.observe("shop")[0].id)
    here.loop.wake()
    here.until(lambda: here.engine.started == ["shop/web.1", "shop/web.2", "shop/web.1"] and here.targets("shop") == ["web.1", "web.2"])
    here.until(lambda: rows(here) == [("web.1", "running", 1), ("web.2", "running", 1)])
    assert config_vars.shown(here.services, ADMIN, "shop").waiting == ["COLOUR"]
    assert pushes.already_running(here.services, "shop", "a" * 40) is None
    here.wait(formation.restart(here.services, ADMIN, "shop"))
    here.until(lambda: rows(here) == [("web.1", "running", 3), ("web.2", "running", 3)])
    assert config_vars.shown(here.services, ADMIN, "shop").waiting == []
    assert pushes.already_running(here.services, "shop", "a" * 40) == "v3"


def test_a_restart_of_one_instance_keeps_to_what_the_others_carry(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.wait(formation.scale(here.services, ADMIN, "shop", {"web": 2}))
    here.wait(config_vars.change(here.services, ADMIN, "shop", {"COLOUR": "blue"}, restart=False))
    here.wait(formation.restart(here.services, ADMIN, "shop", "web.1"))
    here.until(lambda: rows(here) == [("web.1", "running", 1), ("web.2", "running", 1)])
    assert here.engine.started == ["shop/web.1", "shop/web.2", "shop/web.1"]


def test_setting_what_waits_once_more_puts_it_in_force(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.wait(config_vars.change(here.services, ADMIN, "shop", {"COLOUR": "blue"}, restart=False))
    with pytest.raises(NothingToDo):
        config_vars.change(here.services, ADMIN, "shop", {"COLOUR": "blue"}, restart=False)
    operation = here.wait(config_vars.change(here.services, ADMIN, "shop", {"COLOUR": "blue"}))
    assert here.log(operation)[-1].startswith("Set COLOUR. v3 live in ")
    here.until(lambda: rows(here) == [("web.1", "running", 3)])


def test_a_global_config_var_is_a_release_of_each_app_that_sees_it(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.push("blog", "b", image="good", web="run")
    here.wait(config_vars.change(here.services, ADMIN, "blog", {"TZ": "CET"}))
    (operation,) = global_config.change(here.services, ADMIN, {"TZ": "UTC"})
    here.wait(operation)
    newest = releases.of_app(here.services, ADMIN, "shop")[0]
    assert (newest.version, newest.description, newest.config, newest.shape.global_keys) == ("v2", "Set global TZ", {"TZ": "UTC"}, ("TZ",))
    assert config_vars.shown(here.services, ADMIN, "shop").own == {}
    assert releases.of_app(here.services, ADMIN, "blog")[0].version == "v2"


def test_a_rollback_brings_global_config_vars_back_for_this_app_alone(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    for value in ("UTC", "broken"):
        here.wait(*global_config.change(here.services, ADMIN, {"TZ": value}))
    here.wait(releases.rollback(here.services, ADMIN, "shop"))
    assert releases.of_app(here.services, ADMIN, "shop")[0].config == {"TZ": "UTC"}
    assert global_config.every(here.services, ADMIN) == {"TZ": "broken"}
    here.wait(config_vars.change(here.services, ADMIN, "shop", {"A": "1"}))
    assert releases.of_app(here.services, ADMIN, "shop")[0].config == {"TZ": "UTC", "A": "1"}


def test_a_global_config_var_that_came_since_is_left_out_by_a_rollback_and_there_again_after_it(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.wait(*global_config.change(here.services, ADMIN, {"TZ": "UTC"}))
    back = releases.rollback(here.services, ADMIN, "shop")
    here.wait(back)
    assert releases.of_app(here.services, ADMIN, "shop")[0].config == {}
    assert any("config of v1; without the global TZ until the next release)" in line for line in here.log(back))
    here.wait(config_vars.change(here.services, ADMIN, "shop", {"A": "1"}))
    assert releases.of_app(here.services, ADMIN, "shop")[0].config == {"TZ": "UTC", "A": "1"}


def test_config_before_the_first_deploy_waits_for_it(here: Machine) -> None:
    apps.create(here.services, ADMIN, "shop")
    assert config_vars.change(here.services, ADMIN, "shop", {"A": "1"}) is None
    here.push("shop", "a", image="good", web="run")
    assert releases.get(here.services, ADMIN, "shop", 1).config == {"A": "1"}


def test_a_rollback_to_a_release_whose_image_is_gone_says_so_and_changes_nothing(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.push("shop", "b", image="good2", web="run")
    here.engine.remove_image("good")
    refused = here.wait(releases.rollback(here.services, ADMIN, "shop", 1))
    assert refused.state == "failed" and refused.error
    assert (refused.error["code"], refused.error["message"]) == ("image_gone", "the image of v1 is gone")
    assert "Push that commit again" in refused.error["hint"]
    assert here.targets("shop") == ["web.1"] and apps.get(here.services, ADMIN, "shop").release == 2


def test_a_rollback_brings_image_and_config_back_without_a_build(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.wait(config_vars.change(here.services, ADMIN, "shop", {"A": "1"}))
    here.push("shop", "b", image="good2", web="run")
    operation = here.wait(releases.rollback(here.services, ADMIN, "shop", 1))
    assert here.log(operation)[-1].startswith("v4 = v1 (image aaaaaaa, config of v1). Live in ")
    assert config_vars.of_app(here.services, ADMIN, "shop") == {}
    here.until(lambda: [seen.image for seen in here.engine.observe("shop")] == ["good"])


def test_rollback_without_a_version_goes_to_the_last_live_release_before(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.push("shop", "b", image="crash", web="run")
    here.push("shop", "c", image="good2", web="run")
    operation = here.wait(releases.rollback(here.services, ADMIN, "shop"))
    assert operation.state == "succeeded"
    assert releases.of_app(here.services, ADMIN, "shop")[0].description == "Rollback to v1"


def test_the_same_tree_with_the_same_config_is_already_running(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    assert pushes.already_running(here.services, "shop", "a" * 40) == "v1"
    assert pushes.already_running(here.services, "shop", "b" * 40) is None


def test_a_restart_replaces_the_instances_it_names(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.wait(formation.scale(here.services, ADMIN, "shop", {"web": 2}))
    before = len(here.engine.started)
    here.wait(formation.restart(here.services, ADMIN, "shop", "web.2"))
    assert here.engine.started[before:] == ["shop/web.2"]
    here.until(lambda: len(here.engine.observe("shop")) == 2)


def test_stopped_stays_stopped_until_it_is_started(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.wait(formation.stop(here.services, ADMIN, "shop"))
    assert here.engine.observe("shop") == []
    assert here.proxy.routes()["shop"].state == "stopped"
    with pytest.raises(Conflict, match="shop is stopped"):
        formation.restart(here.services, ADMIN, "shop")
    here.wait(formation.start(here.services, ADMIN, "shop"))
    assert here.targets("shop") == ["web.1"]


def test_a_push_to_a_stopped_app_says_that_it_stays_stopped(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.wait(formation.stop(here.services, ADMIN, "shop"))
    operation = here.push("shop", "b", image="good2", web="run")
    assert here.log(operation)[-1].endswith("shop is stopped. Start it: wherry ps:start shop")
    assert here.targets("shop") == []


def test_a_change_of_a_stopped_app_does_not_call_itself_live_and_is_not_watched(tmp_path: Path) -> None:
    waits = "shop is stopped. Start it: wherry ps:start shop"
    with machine(tmp_path, WHERRY_BAKE="30") as here:
        here.push("shop", "a", image="good", web="run")
        here.wait(config_vars.change(here.services, ADMIN, "shop", {"COLOUR": "red"}))
        here.wait(formation.stop(here.services, ADMIN, "shop"))
        changed = here.wait(config_vars.change(here.services, ADMIN, "shop", {"COLOUR": "blue"}))
        assert here.log(changed) == [f"Set COLOUR. v3 is in place; {waits}"]
        back = here.wait(releases.rollback(here.services, ADMIN, "shop"))
        assert here.log(back) == [f"v4 = v2 (image aaaaaaa, config of v2). In place; {waits}"]
        assert here.log(here.wait(formation.scale(here.services, ADMIN, "shop", {"web": 2}))) == [f"web 1 -> 2; {waits}"]
        here.wait(formation.start(here.services, ADMIN, "shop"))
        assert here.targets("shop") == ["web.1", "web.2"]


def test_a_push_says_what_keeps_visitors_from_the_app(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    with here.outside.database.write() as connection:
        app = stored_apps.get(connection, "shop")
        stored_fronts.put(connection, app, replace(app.front, maintenance=True))
    closed = here.push("shop", "b", image="good", web="run")
    assert here.log(closed)[-1].endswith("http://shop.localhost (in maintenance; end it: wherry maintenance:off shop)")
    with here.outside.database.write() as connection:
        stored_fronts.put(connection, app, replace(app.front, default_host=False))
    nowhere = here.push("shop", "c", image="good", web="run")
    assert here.log(nowhere)[-1].endswith("at no address yet. Add one: wherry domains:add shop shop.example.org")


def test_a_push_without_a_web_process_says_so(here: Machine) -> None:
    operation = here.push("shop", "a", image="good", worker="run")
    assert here.log(operation)[-1].endswith("it has no web process, so it answers no visitor")


def test_one_instance_that_is_stopped_stays_down_until_it_is_started(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.wait(formation.scale(here.services, ADMIN, "shop", {"web": 3}))
    operation = here.wait(formation.stop(here.services, ADMIN, "shop", "web.2"))
    assert here.log(operation)[-1] == "web.2 stopped. Start it again: wherry ps:start shop web.2"
    assert here.targets("shop") == ["web.1", "web.3"]
    assert ("web.2", "stopped", 1) in rows(here)
    here.loop.wake()
    here.wait(formation.restart(here.services, ADMIN, "shop"))
    assert here.targets("shop") == ["web.1", "web.3"]
    here.wait(formation.start(here.services, ADMIN, "shop", "web.2"))
    assert here.targets("shop") == ["web.1", "web.2", "web.3"]
    with pytest.raises(NothingToDo, match=r"web\.2 of shop is started already"):
        formation.start(here.services, ADMIN, "shop", "web.2")


def test_destroying_an_app_leaves_nothing(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    assert here.wait(apps.destroy(here.services, ADMIN, "shop", "shop")).state == "succeeded"
    assert here.engine.observe() == [] and here.engine.networks == {} and here.proxy.routes() == {}
    assert apps.every(here.services, ADMIN) == []


def test_destroying_an_app_leaves_an_image_that_another_app_has(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.push("twin", "a", image="good", web="run")
    here.wait(apps.destroy(here.services, ADMIN, "twin", "twin"))
    assert here.engine.image_exists("good")


def test_a_crashed_instance_comes_back(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.engine.die(here.engine.observe("shop")[0].id)
    here.loop.wake()
    here.until(lambda: len(here.engine.started) == 2 and here.targets("shop") == ["web.1"])


def test_an_operation_that_is_cancelled_while_it_boots_changes_nothing(here: Machine) -> None:
    operation = here.begin("shop", "a", image="deaf", web="run")
    here.until(lambda: here.engine.started)
    operations.cancel(here.services, ADMIN, operation.id)
    assert here.wait(operation).state == "cancelled"


def test_after_a_power_cut_every_app_comes_back(tmp_path: Path) -> None:
    engine = MemoryEngine()
    with machine(tmp_path, engine) as before:
        before.push("shop", "a", image="good", web="run", worker="work")
        before.wait(formation.scale(before.services, ADMIN, "shop", {"worker": 1}))
        before.push("blog", "b", image="good2", web="run")
    engine.reboot()
    with machine(tmp_path, engine, MemoryProxy()) as after:
        after.until(lambda: after.targets("shop") == ["web.1"] and after.targets("blog") == ["web.1"])
        after.until(lambda: rows(after) == [("web.1", "running", 1), ("worker.1", "running", 1)])


def test_an_operation_whose_engine_died_is_finished_by_the_next(tmp_path: Path) -> None:
    engine, proxy = MemoryEngine(), MemoryProxy()
    with machine(tmp_path, engine, proxy) as before:
        before.push("shop", "a", image="good", web="run")
        operation = formation.scale(before.services, ADMIN, "shop", {"web": 2})
        before.wait(operation)
        with before.outside.database.write() as connection:
            connection.execute("UPDATE operations SET state = 'running', owner = 'a dead engine' WHERE id = ?", (operation.id,))
    with machine(tmp_path, engine, proxy) as after:
        assert after.wait(operation).state == "succeeded"
        assert after.targets("shop") == ["web.1", "web.2"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda here: formation.scale(here.services, ADMIN, "shop", {"web": 2}),
        lambda here: config_vars.change(here.services, ADMIN, "shop", {"A": "1"}),
        lambda here: config_vars.change(here.services, ADMIN, "shop", {"A": "1"}, restart=False),
    ],
    ids=["scale", "config", "config without a restart"],
)
def test_what_is_done_again_after_a_kill_numbers_no_second_release(tmp_path: Path, ask: Callable[[Machine], Operation]) -> None:
    engine, proxy = MemoryEngine(), MemoryProxy()
    with machine(tmp_path, engine, proxy) as before:
        before.push("shop", "a", image="good", web="run")
        operation = before.wait(ask(before))
        with before.outside.database.write() as connection:
            connection.execute("UPDATE operations SET state = 'running', owner = 'a dead engine' WHERE id = ?", (operation.id,))
    with machine(tmp_path, engine, proxy) as after:
        assert after.wait(operation).state == "succeeded"
        assert [one.version for one in releases.of_app(after.services, ADMIN, "shop")] == ["v2", "v1"]
        assert apps.get(after.services, ADMIN, "shop").release == 2


def test_a_release_whose_operation_is_given_up_has_failed(tmp_path: Path) -> None:
    with machine(tmp_path) as before:
        before.push("shop", "a", image="good", web="run")
        with before.outside.database.write() as connection:
            app = stored_apps.get(connection, "shop")
            current = stored_releases.get(connection, app, 1)
            operation = stored_operations.add(connection, "shop", "config", "alice", {"changes": {"A": "1"}}, clock.now())
            release = stored_releases.add(connection, app, current.build, {"A": "1"}, "Set A", "alice", clock.now(), operation.id)
            stored_operations.progress(connection, operation, release=release.number)
            connection.execute("UPDATE operations SET state = 'running', owner = 'dead', attempts = 5 WHERE id = ?", (operation.id,))
    with machine(tmp_path) as after:
        assert after.wait(operation).state == "failed"
        newest = releases.of_app(after.services, ADMIN, "shop")[0]
        assert (newest.version, newest.outcome) == ("v2", "failed") and "ended 5 times" in newest.reason
        assert apps.get(after.services, ADMIN, "shop").release == 1


def test_a_new_engine_changes_nothing_that_serves(tmp_path: Path) -> None:
    engine, proxy = MemoryEngine(), MemoryProxy()
    with machine(tmp_path, engine, proxy) as before:
        before.push("shop", "a", image="good", web="run")
        route = proxy.routes()["shop"]
    with machine(tmp_path, engine, proxy) as after:
        after.loop.wake()
        after.push("blog", "b", image="good", web="run")
        assert proxy.routes()["shop"] == route
        assert engine.started == ["shop/web.1", "blog/web.1"]


def test_an_empty_database_beside_running_containers_refuses_to_start(tmp_path: Path) -> None:
    engine = MemoryEngine()
    with machine(tmp_path / "one", engine) as before:
        before.push("shop", "a", image="good", web="run")
    with pytest.raises(Conflict, match="the database is empty, but containers of shop are there"), machine(tmp_path / "two", engine):
        pass
    assert len(engine.observe("shop")) == 1
