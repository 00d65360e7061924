"""A platform whose own small disk runs full, of bytes or of inodes, before and in the middle of a push: apps serve on, the reason
is said, and with room again all goes on."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from experiments.lab import Lab
from invariants import hold, versioned
from scenario_support import Repository, Site, site
from waiting import until

SIZE, INODES = "3G", "40000"
MOMENTS = (0.2, 0.5, 0.8, 1.2, 1.8)
"""Seconds after the start of a push at which the last room goes."""
NEARLY, NEARLY_INODES = 300 * 2**20, 0.03
"""What is left before such a push: more bytes, and a larger share of the inodes, than a push that is let in must find."""


def experiment(lab: Lab) -> str:
    with small_disk(lab.folder / "disk") as disk, site(f"wd{os.getpid() % 100_000}", disk / "lab") as made:
        made_lab = lab.over(made)
        with made_lab.app("tight") as shop, made.visitors(shop.app, connections=10) as count:
            version, told = 1, []
            for what, fill in {"bytes": fill_bytes, "inodes": fill_inodes}.items():
                version = before_a_push(made, shop, version + 1, disk, fill, told)
                for moment in MOMENTS:
                    version = during_a_push(made, shop, version + 1, disk, fill, moment)
                version = with_a_new_engine(made, shop, version + 1, disk, fill)
                lab.say(f"no {what} left: {told[-1]}")
        assert count["lost"] == 0, count
    return f"{2 * (len(MOMENTS) + 2)} of {2 * (len(MOMENTS) + 2)} times full and back, {count['lost']} requests lost"


@contextmanager
def small_disk(at: Path) -> Iterator[Path]:
    """A file system of its own in a file."""
    image = at.with_suffix(".img")
    at.mkdir()
    with image.open("wb") as file:
        file.truncate(int(SIZE[:-1]) * 2**30)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", "-N", INODES, str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(at)], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)
        image.unlink()


Fill = Callable[[Path], None]


def weigh_down(disk: Path, leave: int) -> None:
    """Takes all bytes but `leave`, at once."""
    room = os.statvfs(disk)
    if (size := room.f_bavail * room.f_bsize - leave) > 0:
        with (disk / f"weight-{time.monotonic_ns()}").open("wb") as file, suppress(OSError):
            os.posix_fallocate(file.fileno(), 0, size)


def fill_bytes(disk: Path) -> None:
    """Takes every byte."""
    weigh_down(disk, leave=2**20)
    with (disk / "ballast").open("ab", buffering=0) as file, suppress(OSError):
        for size in (2**16, 2**12, 1):
            with suppress(OSError):
                while file.write(b"\0" * size):
                    pass


def fill_inodes(disk: Path, leave: int = 0) -> None:
    """Takes every inode but `leave`."""
    folder = disk / "crumbs"
    folder.mkdir(exist_ok=True)
    with suppress(OSError):
        for _ in range(os.statvfs(disk).f_favail - leave if leave else 1_000_000):
            os.close(os.open(folder / str(time.monotonic_ns()), os.O_CREAT | os.O_WRONLY))


def nearly(disk: Path, fill: Fill) -> None:
    """All but what a push needs."""
    if fill is fill_inodes:
        fill_inodes(disk, int(os.statvfs(disk).f_files * NEARLY_INODES))
    else:
        weigh_down(disk, leave=NEARLY)


def empty(disk: Path) -> None:
    for path in [*disk.glob("ballast"), *disk.glob("weight-*")]:
        path.unlink()
    subprocess.run(["rm", "-rf", str(disk / "crumbs")], check=True)


def before_a_push(made: Site, shop: Repository, version: int, disk: Path, fill: Fill, told: list[str]) -> int:
    fill(disk)
    shop.commit(versioned(shop.app, version))
    refused = shop.push()
    assert refused.status != 0, refused.text
    told.append(next((line for line in refused.text.splitlines() if "disk" in line or "space" in line), refused.text[-200:]).strip())
    changed = made.wherry("config:set", shop.app, f"FULL={version}")
    assert "Traceback" not in refused.text + changed.text, refused.text + changed.text
    assert made.get(shop.app) == (200, f"{shop.app}/{version - 1}")
    return recovered(made, shop, version, disk)


def during_a_push(made: Site, shop: Repository, version: int, disk: Path, fill: Fill, moment: float) -> int:
    nearly(disk, fill)
    shop.commit(versioned(shop.app, version))
    argv = ["git", "-C", str(shop.folder), "push", "-q", "wherry", "main"]
    push = subprocess.Popen(argv, env=shop.env(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(moment)
    fill(disk)
    push.wait(200)
    status, body = made.get(shop.app)
    assert status == 200 and body in (f"{shop.app}/{version - 1}", f"{shop.app}/{version}"), (status, body)
    return recovered(made, shop, version, disk)


def with_a_new_engine(made: Site, shop: Repository, version: int, disk: Path, fill: Fill) -> int:
    """The engine dies on a full disk, and the next one starts on it."""
    fill(disk)
    before = made.pid("engine")
    os.kill(before, 9)
    until(lambda: made.runs_anew("engine", before), what="a new engine")
    time.sleep(5)
    assert made.get(shop.app) == (200, f"{shop.app}/{version - 1}")
    shop.commit(versioned(shop.app, version))
    return recovered(made, shop, version, disk)


def recovered(made: Site, shop: Repository, version: int, disk: Path) -> int:
    """With room again: every operation ends, the push is accepted. Returns the version that is served."""
    empty(disk)
    until(lambda: made.wherry("ps", shop.app).status == 0, 60, "the API")
    until(lambda: shop.push().status == 0, 120, "an accepted push")
    hold(made, {shop.app: {str(version)}}, patience=90)
    return version
