"""What happens to an app stands in its log, once, with who did it."""

from pathlib import Path

from platform_support import ADMIN, machine
from wherry.model.event import Event
from wherry.model.event_words import line_of
from wherry.services import config_vars, formation, fronts


def test_what_people_do_to_an_app_stands_in_its_log(tmp_path: Path) -> None:
    said: list[str] = []
    with machine(tmp_path, lines=said) as platform:
        platform.push("shop", "a", image="good", web="run")
        platform.wait(config_vars.change(platform.services, ADMIN, "shop", {"GREETING": "s3cret"}))
        platform.wait(formation.scale(platform.services, ADMIN, "shop", {"web": 2}))
        fronts.set_maintenance(platform.services, ADMIN, "shop", True)
        platform.until(lambda: any("maintenance" in line for line in said))
    wanted = [
        "shop deploy: requested by alice",
        "shop release: v1 by alice: Deploy aaaaaaa",
        "shop release: v1 is live",
        "shop release: v2 by alice: Set GREETING",
        "shop release: v2 is live",
        "shop release: v3 by alice: Scale web 1 -> 2",
        "shop release: v3 is live",
    ]
    assert [line for line in said if line in wanted] == wanted
    assert "s3cret" not in "".join(said)


def test_a_new_engine_goes_on_where_the_last_one_was(tmp_path: Path) -> None:
    first: list[str] = []
    with machine(tmp_path, lines=first) as platform:
        platform.push("shop", "a", image="good", web="run")
        platform.until(lambda: "shop release: v1 is live" in first)
    second: list[str] = []
    with machine(tmp_path, lines=second, engine=platform.engine, proxy=platform.proxy) as again:
        again.push("shop", "b", image="good", web="run")
        again.until(lambda: "shop release: v2 is live" in second)
    assert "shop release: v1 is live" not in second


def test_a_failure_names_its_code_and_its_owner() -> None:
    event = Event(7, "2026-11-21T07:43:05.123456Z", "alice", "cli", "shop", "deploy.failed", {"operation": 4, "code": "R10"})
    assert line_of(event) == ("deploy", "failed, by alice: code R10")
    assert line_of(Event(8, event.at, "alice", "cli", "shop", "run.started", {})) is None
    assert line_of(Event(9, event.at, "bob", "cli", "shop", "logs.changed", {"router": False, "max_size": None})) == (
        "logs",
        "changed by bob: router no, max size default",
    )
    assert line_of(Event(10, event.at, "bob", "cli", "shop", "allow.changed", {"added": ["203.0.113.0/24"], "removed": []})) == (
        "allow",
        "changed by bob: added 203.0.113.0/24",
    )
