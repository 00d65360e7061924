"""Bytes by app, each layer once; and the sentence when there are too few."""

import errno
import os

import pytest

from wherry.errors import Unavailable
from wherry.model.disk import AppUsage, refuse_when_full, shares_of, together, trouble_of
from wherry.model.shares import MB

BASE = [("a", 100)]
IMAGES = {"base": BASE, "one": [*BASE, ("b", 20), ("c", 3)], "one again": [*BASE, ("b", 20), ("d", 4)], "two": [*BASE, ("e", 50)]}
APPS = {"one": "shop", "one again": "shop", "two": "blog"}


def test_what_only_an_apps_own_images_share_is_its_own() -> None:
    assert shares_of(IMAGES, APPS) == {"shop": AppUsage(images=2, own=27, shared=100), "blog": AppUsage(images=1, own=50, shared=100)}


def test_a_layer_counts_once() -> None:
    assert together(IMAGES) == 177


def test_a_full_disk_is_told_with_the_megabytes_that_are_missing() -> None:
    with pytest.raises(Unavailable) as caught:
        refuse_when_full("a push to shop", 300 * MB, 500 * MB, 90.0, 1024 * MB)
    assert caught.value.message == (
        "the disk is too full: a push to shop needs 300 MB and 1024 MB stay free, 500 MB are: 824 MB are missing"
    )
    assert caught.value.code == "disk_low"


def test_a_disk_without_inodes_is_full_too() -> None:
    with pytest.raises(Unavailable, match=r"too full for a push to shop: 0\.5 % of its inodes are left"):
        refuse_when_full("a push to shop", 0, 500 * MB, 0.5, 0)


def test_where_there_is_room_nothing_is_said() -> None:
    refuse_when_full("a push to shop", 300 * MB, 1324 * MB, 90.0, 1024 * MB)


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "disk_full"), (errno.EDQUOT, "disk_full"), (errno.EIO, "disk_broken"), (errno.EROFS, "disk_broken")]
)
def test_an_error_of_the_disk_is_told_as_such(number: int, code: str) -> None:
    trouble = trouble_of(OSError(number, os.strerror(number)))
    assert trouble is not None and trouble.code == code and trouble.hint


def test_other_errors_are_not_blamed_on_the_disk() -> None:
    assert trouble_of(OSError(errno.EPERM, "no")) is None and trouble_of(ValueError("no")) is None
