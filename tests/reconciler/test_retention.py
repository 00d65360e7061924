"""Old releases go by number; whatever is kept can be rolled back to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_support import ADMIN, Machine, machine
from wherry import clock
from wherry.errors import NotFound
from wherry.reconciler.sweep import OTHER_LOGS, sweep
from wherry.services import config_vars, domains, formation, releases
from wherry.store import builds, events, operations


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path, WHERRY_RELEASES="3") as made:
        yield made


def versions(here: Machine) -> list[str]:
    return [release.version for release in releases.of_app(here.services, ADMIN, "shop")]


def kept_images(here: Machine) -> set[str]:
    with here.outside.database.read() as connection:
        return builds.images(connection)


def test_the_oldest_releases_go_with_their_images(here: Machine) -> None:
    for number, image in enumerate(["good", "good2", "good2", "good2", "good2"], 1):
        here.push("shop", f"{number}", image=image, web=f"run {number}")
    assert kept_images(here) == {"good", "good2"}
    sweep(here.outside)
    assert versions(here) == ["v5", "v4", "v3"]
    assert kept_images(here) == {"good2"}
    with pytest.raises(NotFound, match=r"no release v2 \(v3-v5 exist\)"):
        releases.rollback(here.services, ADMIN, "shop", 2)
    with here.outside.database.read() as connection:
        told = [event for event in events.since(connection, 0, limit=1000) if event.type == "release.expired"]
    assert [(event.actor, event.data) for event in told] == [("wherry", {"versions": ["v1", "v2"]})]


def test_what_runs_and_what_a_rollback_would_take_stay_however_old(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.push("shop", "b", image="good2", web="run")
    for number in range(1, 5):
        domains.change(here.services, ADMIN, "shop", [f"{number}.example.org"], [])
    sweep(here.outside)
    assert versions(here) == ["v6", "v5", "v4", "v2", "v1"]
    assert here.wait(releases.rollback(here.services, ADMIN, "shop")).state == "succeeded"


def test_releases_of_one_image_share_it_until_the_last_has_gone(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    for value in "1234":
        here.wait(config_vars.change(here.services, ADMIN, "shop", {"A": value}))
    sweep(here.outside)
    assert versions(here) == ["v5", "v4", "v3"]
    assert kept_images(here) == {"good"}
    here.wait(formation.scale(here.services, ADMIN, "shop", {"web": 2}))
    assert versions(here)[0] == "v6"


def test_what_a_kept_release_said_is_kept_with_it(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.wait(config_vars.change(here.services, ADMIN, "shop", {"A": "1"}))
    with here.outside.database.write() as connection:
        for _ in range(OTHER_LOGS + 1):
            operations.finish(connection, operations.add(connection, "shop", "restart", "alice", {}, clock.now()), "succeeded", clock.now())
    sweep(here.outside)
    assert releases.output(here.services, ADMIN, "shop", 2)[1][-1].startswith("Set A. v2 live in ")
