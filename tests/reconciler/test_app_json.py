"""What app.json asks of a deploy: config vars before the first one, scripts after it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_support import ADMIN, Machine, TextBuilder, machine
from wherry.routing.memory_proxy import MemoryProxy
from wherry.running.memory_engine import MemoryEngine
from wherry.services import apps, config_vars, global_config, releases
from wherry.store import events


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path) as made:
        yield made


def config_of(here: Machine) -> dict[str, str]:
    return apps.get(here.services, ADMIN, "shop").config


def told(here: Machine, kind: str) -> list[dict[str, object]]:
    with here.outside.database.read() as connection:
        return [event.data for event in events.since(connection, 0) if event.type == kind]


def test_the_first_deploy_brings_config_vars_and_the_build_sees_them(here: Machine) -> None:
    operation = here.push("shop", "a", image="good", web="run", **{"env.GREETING": "hello", "env.KEY": "generated", "env.X": "optional"})
    assert operation.state == "succeeded"
    found = config_of(here)
    assert sorted(found) == ["GREETING", "KEY"] and found["GREETING"] == "hello" and len(found["KEY"]) == 64
    assert "       config vars from app.json: GREETING, KEY (generated)" in here.log(operation)
    assert found["KEY"] not in "\n".join(here.log(operation))
    builder = here.outside.builder
    assert isinstance(builder, TextBuilder) and builder.seen == found
    assert releases.of_app(here.services, ADMIN, "shop")[0].config == found
    (event,) = told(here, "config.changed")
    assert event == {"keys": ["GREETING", "KEY"], "origin": "app.json"}


def test_what_is_set_already_stays_and_later_deploys_bring_nothing(here: Machine) -> None:
    apps.create(here.services, ADMIN, "shop")
    config_vars.change(here.services, ADMIN, "shop", {"GREETING": "mine"})
    here.push("shop", "a", image="good", web="run", **{"env.GREETING": "hello", "env.KEY": "generated"})
    first = config_of(here)
    assert first["GREETING"] == "mine"
    here.push("shop", "b", image="good2", web="run", **{"env.GREETING": "hello", "env.KEY": "generated", "env.NEW": "late"})
    assert config_of(here) == first


def test_a_config_var_that_a_build_makes_up_is_kept_told_and_in_the_release(here: Machine) -> None:
    operation = here.push("shop", "a", **{"image": "good", "web": "run", "made.SEED": "it grows"})
    found = config_of(here)
    assert re.fullmatch("[0-9a-f]{128}", found["SEED"])
    assert "       SEED set: 128 random hex digits, kept from now on (it grows)" in here.log(operation)
    assert found["SEED"] not in "\n".join(here.log(operation))
    builder = here.outside.builder
    assert isinstance(builder, TextBuilder) and builder.seen == found
    assert releases.of_app(here.services, ADMIN, "shop")[0].config == found
    assert told(here, "config.changed") == [{"keys": ["SEED"], "origin": "generated"}]
    assert "SEED set" not in "\n".join(here.log(here.push("shop", "b", **{"image": "good2", "web": "run", "made.SEED": "it grows"})))
    assert config_of(here) == found


def test_a_later_deploy_makes_up_what_is_missing_and_never_what_is_set_for_the_app_or_for_all(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    config_vars.change(here.services, ADMIN, "shop", {"MINE": "mine"})
    global_config.change(here.services, ADMIN, {"SHARED": "all"})
    here.push("shop", "b", **{"image": "good2", "web": "run", "made.MINE": "x", "made.SHARED": "x", "made.NEW": "x"})
    found = config_of(here)
    assert sorted(found) == ["MINE", "NEW"] and found["MINE"] == "mine" and len(found["NEW"]) == 128


def test_a_config_var_that_is_set_for_all_apps_while_it_is_made_up_stays_that(here: Machine, tmp_path: Path) -> None:
    begun = here.begin("shop", "a", **{"image": "good", "web": "run", "until": str(tmp_path / "go"), "made.SEED": "it grows"})
    builder = here.outside.builder
    assert isinstance(builder, TextBuilder)
    here.until(lambda: builder.begun)  # what it is told of the app's config has no SEED
    global_config.change(here.services, ADMIN, {"SEED": "all"})
    (tmp_path / "go").touch()
    operation = here.wait(begun)
    assert operation.state == "succeeded" and config_of(here) == {} and builder.seen == {"SEED": "all"}
    assert "SEED set" not in "\n".join(here.log(operation))


def test_a_required_config_var_that_nobody_gave_refuses_the_push_with_the_command(here: Machine) -> None:
    words = {"env.A": "set", "env.API_KEY": "required", "env.MAIL": "required"}
    operation = here.push("shop", "a", image="good", web="run", **words)
    assert (operation.state, operation.error and operation.error["code"]) == ("failed", "config_missing")
    log = here.log(operation)
    assert " !     app.json requires config vars that nobody has set: API_KEY, MAIL" in log
    assert "       Set them, then push again: wherry config:set shop API_KEY=VALUE MAIL=VALUE" in log
    assert config_of(here) == {}
    config_vars.change(here.services, ADMIN, "shop", {"API_KEY": "k", "MAIL": "m"})
    assert here.push("shop", "a", image="good", web="run", **words).state == "succeeded"
    assert config_of(here) == {"A": "set", "API_KEY": "k", "MAIL": "m"}


def test_herokus_postdeploy_runs_once_and_dokkus_after_every_deploy(here: Machine) -> None:
    operation = here.push("shop", "a", image="good", web="run", first_deploy="seed", postdeploy="tell it")
    log = here.log(operation)
    live = next(number for number, line in enumerate(log) if line.startswith("-----> Live in "))
    assert log[live + 1 : live + 5] == [
        "-----> Running postdeploy script: seed",
        "       ran seed",
        "-----> Running postdeploy script: tell it",
        "       ran tell it",
    ]
    assert operation.result == {"release": "v1"}
    here.push("shop", "b", image="good2", web="run", first_deploy="seed", postdeploy="tell it")
    assert here.engine.one_offs == ["seed", "tell it", "tell it"]


def test_a_failing_postdeploy_script_is_told_and_takes_nothing_back(here: Machine) -> None:
    operation = here.push("shop", "a", image="good", web="run", first_deploy="false", postdeploy="tell it")
    assert operation.state == "succeeded"
    assert " !     the postdeploy script exited with code 1; v1 is live all the same" in here.log(operation)
    assert here.engine.one_offs == ["false", "tell it"]
    assert here.targets("shop") == ["web.1"]
    assert [(one.version, one.outcome) for one in releases.of_app(here.services, ADMIN, "shop")] == [("v1", "live")]


def test_a_release_that_does_not_go_live_runs_no_script(here: Machine) -> None:
    assert here.push("shop", "a", image="crash", web="run", first_deploy="seed").state == "failed"
    assert here.engine.one_offs == []
    here.push("shop", "b", image="good", web="run", first_deploy="seed")
    assert here.engine.one_offs == ["seed"]


def test_an_engine_that_dies_during_a_script_leaves_a_live_release_and_the_next_ends_the_push(tmp_path: Path) -> None:
    engine, proxy = MemoryEngine(), MemoryProxy()
    with machine(tmp_path, engine, proxy) as before:
        operation = before.push("shop", "a", image="good", web="run", first_deploy="seed")
        with before.outside.database.write() as connection:
            connection.execute(
                "UPDATE operations SET state = 'running', owner = 'a dead engine', result = '{}' WHERE id = ?", (operation.id,)
            )
    with machine(tmp_path, engine, proxy) as after:
        assert after.wait(operation).state == "succeeded"
        assert engine.started == ["shop/web.1"] and engine.one_offs == ["seed", "seed"]
        assert [one.version for one in releases.of_app(after.services, ADMIN, "shop")] == ["v1"]
