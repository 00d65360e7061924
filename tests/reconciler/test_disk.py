"""Images within a budget of bytes, in a whole platform whose images are only figures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_support import ADMIN, Machine, machine
from stored_platform import event_types
from wherry import clock
from wherry.building.builder import Stored
from wherry.errors import Unavailable
from wherry.model.shares import MB
from wherry.reconciler import disk as work
from wherry.services import disk, releases, runs
from wherry.services.runs import Wanted
from wherry.store import operations


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path, WHERRY_DISK_BUDGET="100", WHERRY_DISK_RESERVE="1") as made:
        yield made


def lie(here: Machine, **images: int) -> None:
    """On the disk lie these images, by id, of so many MB; each is of the app `shop`."""
    layers = {image: [(image, size * MB)] for image, size in images.items()}
    here.outside.builder.stored_images = Stored(layers, {"base": [("ground", 7 * MB)]}, dict.fromkeys(images, "shop"), 11 * MB)


def lying(here: Machine) -> set[str]:
    return set(here.outside.builder.stored().apps)


def four_releases(here: Machine) -> None:
    here.engine.images |= {"good1", "good3", "good4"}
    for number, image in enumerate(("good1", "good2", "good3", "good4")):
        here.push("shop", "abcd"[number], image=image, web="run")


def test_the_oldest_images_go_when_they_are_too_many_bytes_and_no_more_than_must(here: Machine) -> None:
    four_releases(here)
    lie(here, good1=40, good2=40, good3=40, good4=40)
    work.collect(here.outside)
    assert lying(here) == {"good3", "good4"}
    assert [(one.version, bool(one.build.gone)) for one in releases.of_app(here.services, ADMIN, "shop")] == [
        ("v4", False), ("v3", False), ("v2", True), ("v1", True),
    ]  # fmt: skip
    assert event_types(here.services).count("release.image_gone") == 2


def test_what_runs_and_what_a_rollback_would_go_back_to_stay_whatever_the_budget_says(here: Machine) -> None:
    four_releases(here)
    lie(here, good1=400, good2=400, good3=400, good4=400)
    work.collect(here.outside)
    assert lying(here) == {"good3", "good4"}


def test_an_app_that_is_being_worked_on_keeps_all_for_it_may_be_on_its_way_back(here: Machine) -> None:
    four_releases(here)
    with here.outside.database.write() as connection:
        under_way = operations.add(connection, "shop", "rollback", "alice", {"to": 1}, clock.now())
        assert operations.claim(connection, under_way, "somebody else", clock.now())
    lie(here, good1=40, good2=40, good3=40, good4=40)  # after it: the engine's own first sweep may come late on a busy machine
    work.collect(here.outside)
    assert lying(here) == {"good1", "good2", "good3", "good4"}
    assert "release.image_gone" not in event_types(here.services)


def test_within_the_budget_nothing_goes(here: Machine) -> None:
    four_releases(here)
    lie(here, good1=10, good2=10, good3=10, good4=10)
    work.collect(here.outside)
    assert lying(here) == {"good1", "good2", "good3", "good4"}


def test_an_image_that_is_built_again_is_kept_again(here: Machine) -> None:
    four_releases(here)
    lie(here, good1=40, good2=40, good3=40, good4=40)
    work.collect(here.outside)
    here.push("shop", "a", ("force",), image="good1", web="run")
    assert [(one.version, bool(one.build.gone)) for one in releases.of_app(here.services, ADMIN, "shop")][-1] == ("v1", False)


def test_whoever_asks_is_told_what_is_there_now(here: Machine) -> None:
    four_releases(here)
    lie(here, good3=40, good4=5)
    (here.services.settings.spool / "x.tar").write_bytes(bytes(MB))
    with here.outside.database.write() as connection:
        connection.execute("UPDATE disk SET measured_at = ''")
    found, _ = disk.usage(here.services, ADMIN)
    assert (found.images, found.base_images, found.cache, found.budget) == (45 * MB, 7 * MB, 11 * MB, 100 * MB)
    assert (found.apps["shop"].images, found.apps["shop"].own) == (2, 45 * MB)
    assert found.spool >= MB and found.free > 0


def test_who_asks_after_a_deploy_is_told_of_it_however_young_the_figures_are(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    disk.usage(here.services, ADMIN)
    lie(here, good1=40)
    here.push("cart", "b", image="good", web="run")
    found, _ = disk.usage(here.services, ADMIN)
    assert found.images == 40 * MB and "cart" in found.apps


def test_with_too_little_room_neither_a_build_nor_a_one_off_starts(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        here.push("shop", "a", image="good", web="run")
    with machine(tmp_path, WHERRY_DISK_RESERVE="999999") as full:
        failed = full.push("shop", "b", image="good", web="run")
        assert failed.error and failed.error["code"] == "disk_low" and "MB are missing" in failed.error["message"]
        with pytest.raises(Unavailable, match=r"a one-off needs 0 MB and 999999 MB stay free"):
            runs.start(full.services, ADMIN, "shop", Wanted(["sh"]))
        full.until(lambda: full.targets("shop") == ["web.1"])
