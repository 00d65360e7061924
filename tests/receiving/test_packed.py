"""An archive becomes the spool's tar: the same tree however it was packed, and nothing that could leave its folder."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from wherry.building.archive import open_tree
from wherry.errors import InvalidInput
from wherry.receiving.packed import Converted, convert

FILES = {"Procfile": b"web: ./run", "lib/caf\u00e9.txt": b"x" * 5000, "run": b"#!/bin/sh\n", "empty/": b""}
MB = 2**20


def add(tar: tarfile.TarFile, name: str, data: bytes = b"", **facts: object) -> None:
    info = tarfile.TarInfo(name.rstrip("/"))
    info.size, info.mode = len(data), 0o755 if name.endswith("run") else 0o644
    info.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
    for key, value in facts.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(data))


def tar_of(path: Path, mode: str = "w", top: str = "") -> Path:
    with tarfile.open(path, mode) as tar:
        for name, data in FILES.items():
            add(tar, top + name, data)
        add(tar, top + "link", type=tarfile.SYMTYPE, linkname="lib/caf\u00e9.txt")
    return path


def zip_of(path: Path, top: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in {**FILES, "link": "lib/caf\u00e9.txt".encode()}.items():
            info = zipfile.ZipInfo(top + name)
            info.create_system = 3
            kind = stat.S_IFLNK if name == "link" else stat.S_IFDIR if name.endswith("/") else stat.S_IFREG
            info.external_attr = (kind | (0o755 if name == "run" else 0o644)) << 16
            packed.writestr(info, data)
    return path


def taken(path: Path, limit: int = MB) -> tuple[Converted, dict[str, tarfile.TarInfo]]:
    target = path.with_name(f"{path.name}.out.tar")
    made = convert(path, target, limit)
    return made, open_tree(target).members


@pytest.mark.parametrize("top", ["", "shop-1.0/", "./"])
def test_the_same_tree_comes_out_however_it_was_packed(tmp_path: Path, top: str) -> None:
    packed = [tar_of(tmp_path / "a.tar", top=top), tar_of(tmp_path / "a.tgz", "w:gz", top), zip_of(tmp_path / "a.zip", top)]
    results = [taken(path) for path in packed]
    assert len({made.digest for made, _ in results}) == 1
    for made, members in results:
        assert {name for name, member in members.items() if not member.isdir()} == {"Procfile", "lib/caf\u00e9.txt", "run", "link"}
        assert members["run"].mode & 0o100 and not members["Procfile"].mode & 0o100
        assert members["link"].linkname == "lib/caf\u00e9.txt"
        assert (made.files, made.size) == (3, 5020)


def test_another_byte_is_another_tree(tmp_path: Path) -> None:
    first = taken(tar_of(tmp_path / "a.tar"))[0].digest
    with tarfile.open(tmp_path / "a.tar", "a") as tar:
        add(tar, "more", b"y")
    (tmp_path / "a.tar.out.tar").unlink()
    assert taken(tmp_path / "a.tar")[0].digest != first


def test_what_a_mac_adds_does_not_count_as_a_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(zip_of(tmp_path / "a.zip", "shop/"), "a") as packed:
        packed.writestr("__MACOSX/shop/._run", b"x")
    assert "Procfile" in taken(tmp_path / "a.zip")[1]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def one(**facts: object) -> Callable[[tarfile.TarFile], None]:
    return lambda tar: add(tar, str(facts.pop("name", "thing")), **facts)  # type: ignore[arg-type]


HOSTILE: dict[str, tuple[Callable[[tarfile.TarFile], None], str]] = {
    "an absolute path": (one(name="/etc/passwd"), "leaves its folder"),
    "a path upwards": (one(name="a/../../b"), "leaves its folder"),
    "a link out": (one(type=tarfile.SYMTYPE, linkname="../../etc/passwd"), "is a link to ../../etc/passwd"),
    "a link to the root": (one(type=tarfile.SYMTYPE, linkname="/etc/passwd"), "is a link to /etc/passwd"),
    "a device": (one(type=tarfile.BLKTYPE), "is a device, a pipe or a hard link"),
    "a pipe": (one(type=tarfile.FIFOTYPE), "is a device, a pipe or a hard link"),
    "a hard link": (one(type=tarfile.LNKTYPE, linkname="Procfile"), "is a device, a pipe or a hard link"),
    "a control character": (one(name="new\nline"), "without control characters"),
    "a name that is not UTF-8": (one(name="caf\udce9"), "have to be UTF-8"),
    "a very deep path": (one(name="/".join("a" * 150)), "too long"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_may_not_be_in_an_archive_is_named_and_nothing_is_made(tmp_path: Path, what: str) -> None:
    write, said = HOSTILE[what]
    with tarfile.open(tmp_path / "a.tar", "w", encoding="utf-8", errors="surrogateescape") as tar:
        add(tar, "Procfile", b"web: x")
        write(tar)
    with pytest.raises(InvalidInput, match=f"^the archive can not be taken: .*{said}"):
        taken(tmp_path / "a.tar")
    assert names(tmp_path) == ["a.tar"]


def test_a_file_can_not_lie_behind_a_link(tmp_path: Path) -> None:
    for order in ((0, 1), (1, 0)):
        path = tmp_path / f"{order[0]}.tar"
        with tarfile.open(path, "w") as tar:
            steps = [lambda t: add(t, "a", type=tarfile.SYMTYPE, linkname="b"), lambda t: add(t, "a/x", b"1")]
            for step in order:
                steps[step](tar)
        with pytest.raises(InvalidInput, match=r"not a folder|two kinds of thing"):
            taken(path)


def test_a_link_that_stays_inside_only_thanks_to_the_folder_around_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        add(tar, "top/x", b"1")
        add(tar, "top/l", type=tarfile.SYMTYPE, linkname="../top/x")
    with pytest.raises(InvalidInput, match=r"l is a link to \.\./top/x"):
        taken(tmp_path / "a.tar")
    assert names(tmp_path) == ["a.tar"]


@pytest.mark.parametrize("mode", ["gz", "zip"])
def test_a_bomb_is_refused_before_a_byte_of_it_is_written(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "bomb"
    if mode == "gz":
        with tarfile.open(path, "w:gz") as tar:
            add(tar, "zeros", bytes(20 * MB))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("zeros", bytes(20 * MB))
    assert path.stat().st_size < 100_000
    with pytest.raises(InvalidInput, match="more than 10 MB together"):
        taken(path, 10 * MB)
    assert names(tmp_path) == ["bomb"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "neither a tar, a tar.gz nor a zip"),
        (b"<html>not found</html>", "neither a tar, a tar.gz nor a zip"),
        (b"\x1f\x8bnot really", "can not be read"),
        (b"PK\x03\x04not really", "can not be read"),
        (b"x" * 512, "can not be read"),
    ],
)
def test_what_is_no_archive_is_said_to_be_none(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(InvalidInput, match=said) as refused:
        taken(tmp_path / "a")
    assert refused.value.code == "archive_unreadable"


def test_a_half_archive_leaves_nothing(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "a.tgz", "w:gz")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InvalidInput, match="can not be read"):
        taken(path)
    assert names(tmp_path) == ["a.tgz"]


def test_pointers_of_git_lfs_are_named(tmp_path: Path) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12345\n"
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        add(tar, ".gitattributes", b"*.bin filter=lfs")
        add(tar, "model.bin", pointer)
    with pytest.raises(InvalidInput, match=r"model\.bin"):
        taken(tmp_path / "a.tar")
