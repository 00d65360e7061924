"""Builds in a whole platform: their queue over a restart, how they are looked at later, and how one is ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_support import ADMIN, Machine, machine
from wherry import clock
from wherry.errors import NotFound
from wherry.model.build import BuildRecord
from wherry.reconciler.sweep import sweep
from wherry.services import apps, builds, operations
from wherry.store import operations as store


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path, WHERRY_BUILDS="1") as made:
        yield made


def build(here: Machine, number: int) -> BuildRecord:
    return builds.get(here.services, ADMIN, number)


def test_a_build_waits_for_another_and_says_so(here: Machine, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    first = here.begin("one", "a", image="good", web="run", until=str(gate))
    here.until(lambda: build(here, first.id).began_at)  # "building" is said already while it goes to the queue
    assert build(here, first.id).state == "building"
    second = here.begin("two", "b", image="good", web="run")
    here.until(lambda: build(here, second.id).waits_for == "waiting for the build of one")
    assert build(here, second.id).state == "waiting"
    gate.touch()
    assert [here.wait(one).state for one in (first, second)] == ["succeeded", "succeeded"]
    assert here.log(second)[0] == "       waiting for the build of one"
    assert (build(here, second.id).state, build(here, second.id).waits_for, build(here, second.id).release) == ("succeeded", "", 1)


def test_what_waited_and_what_was_built_when_the_engine_died_is_built_in_the_same_order(tmp_path: Path) -> None:
    names = ("one", "two", "three", "four")
    with machine(tmp_path) as before:
        for name in names:
            apps.create(before.services, ADMIN, name)
    with before.outside.database.write() as connection:
        left = [store.add(connection, name, "deploy", "alice", source(before, name), clock.now()) for name in names]
        for one in left[:2]:
            assert store.claim(connection, one, "a dead engine", clock.now())
    with machine(tmp_path, WHERRY_BUILDS="1") as after:
        assert [after.wait(one).state for one in left] == ["succeeded"] * 4
        began = [str(build(after, one.id).began_at) for one in left]
        assert began == sorted(began)


def test_a_builder_learns_which_images_this_app_was_built_into_before(here: Machine) -> None:
    """Of another app it learns nothing, and not of an earlier one of that name either."""
    here.push("shop", "a", image="good", web="run")
    here.push("shop", "b", image="better", web="run")
    here.push("blog", "c", image="other", web="run")
    assert here.outside.builder.before == ()  # type: ignore[attr-defined]
    here.push("shop", "d", image="best", web="run")
    assert here.outside.builder.before == ("better", "good")  # type: ignore[attr-defined]
    here.wait(apps.destroy(here.services, ADMIN, "shop", "shop"))
    here.push("shop", "e", image="new", web="run")
    assert here.outside.builder.before == ()  # type: ignore[attr-defined]


def source(here: Machine, name: str) -> dict[str, object]:
    """A wish to deploy what lies in the spool."""
    archive = here.services.settings.spool / f"{name}.tar"
    archive.write_text("image=good\nweb=run\n")
    return {"commit": "a" * 40, "tree": "a" * 40, "archive": archive.name, "options": [], "at": clock.now()}


def test_a_cancelled_build_changes_nothing_and_is_in_the_list(here: Machine, tmp_path: Path) -> None:
    running = here.begin("shop", "a", image="good", web="run", until=str(tmp_path / "never"))
    here.until(lambda: build(here, running.id).state == "building")
    operations.cancel(here.services, ADMIN, running.id)
    assert here.wait(running).state == "cancelled"
    (found,) = builds.recent(here.services, ADMIN, "shop")
    assert (found.state, found.release, found.operation.error and found.operation.error["code"]) == ("cancelled", None, "build_cancelled")


def test_an_app_that_is_destroyed_does_not_wait_for_its_builds(here: Machine, tmp_path: Path) -> None:
    running = here.begin("shop", "a", image="good", web="run", until=str(tmp_path / "never"))
    here.until(lambda: build(here, running.id).state == "building")
    queued = here.begin("shop", "b", image="good", web="run", until=str(tmp_path / "never"))
    end = here.wait(apps.destroy(here.services, ADMIN, "shop", "shop"))
    assert here.log(end) == [f"deploy {running.id} by alice is cancelled", f"deploy {queued.id} by alice is cancelled", "shop is destroyed"]
    assert [here.wait(one).state for one in (running, queued)] == ["cancelled", "cancelled"]


def test_a_failed_build_is_kept_with_its_reason_and_its_output(here: Machine) -> None:
    failed = here.push("shop", "a", fail="no requirements", image="good")
    (found,) = builds.recent(here.services, ADMIN)
    assert (found.number, found.state, found.commit) == (failed.id, "failed", "a" * 40)
    assert builds.has_log(here.services, failed.id)
    assert found.operation.error and found.operation.error["message"] == "no requirements"


def test_a_build_whose_release_failed_was_a_good_build(here: Machine) -> None:
    made = here.push("shop", "a", image="crash", web="run")
    found = build(here, made.id)
    assert (found.state, found.release, found.operation.error and found.operation.error["code"]) == ("succeeded", 1, "H10")


def test_the_latest_builds_keep_their_output_and_what_is_known_of_older_ones_stays(here: Machine) -> None:
    numbers = [here.push("shop", tree, fail="no", image="good").id for tree in "abc"]
    other = here.push("blog", "d", image="good", web="run").id
    sweep(here.outside, build_logs=2)
    assert [builds.has_log(here.services, number) for number in (*numbers, other)] == [False, True, True, True]
    assert build(here, numbers[0]).state == "failed"


def test_a_build_that_says_too_much_is_cut_and_its_end_is_told(here: Machine) -> None:
    for _ in range(6):
        here.services.operation_logs.write(999, "       " + "x" * 1024**2)
    here.services.operation_logs.write(999, " !     the build failed")
    lines = here.services.operation_logs.read(999)[0]
    assert lines[-2:] == ["       … the rest of what it prints is left out: 4 MB of it are kept", " !     the build failed"]
    assert here.services.operation_logs.path(999).stat().st_size < 5 * 1024**2


def test_what_is_no_build_is_not_found_as_one(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    scaled = here.wait(operations.recent(here.services, ADMIN)[0])
    with pytest.raises(NotFound, match="no build 4711"):
        build(here, 4711)
    assert build(here, scaled.id).made
