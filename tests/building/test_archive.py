"""A pushed tar is read without unpacking it, and written again for the builder without loss."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

import building_support as support
from wherry.building.archive import Tree, open_tree
from wherry.building.context import Context
from wherry.errors import DeployFailed

HOSTILE = {
    b"caf\xe9.txt": b"latin",
    b"new\nline": b"line",
    b"a" * 180 + b"/" + b"b" * 200 + b".txt": b"long",
    "naïve ☃.txt".encode(): b"snow",
    b"-rf": b"dash",
}


def hostile_source(folder: Path) -> Path:
    for name, content in HOSTILE.items():
        path = Path(str(folder)) / name.decode("utf-8", "surrogateescape")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return support.push(folder, {"run.sh": "#!/bin/sh\n", "link": "-> run.sh"}).archive


def sent(tree: Tree, names: list[str]) -> tarfile.TarFile:
    context = Context()
    context.add_text("Dockerfile", b"FROM x\n")
    context.add_tree("app/", tree, names)
    body = io.BytesIO(b"".join(context.stream(tree.path)))
    return tarfile.open(fileobj=body, encoding="utf-8", errors="surrogateescape")


def test_names_of_any_bytes_arrive_byte_for_byte(tmp_path: Path) -> None:
    tree = open_tree(hostile_source(tmp_path))
    with sent(tree, list(tree.members)) as tar:
        found = {
            member.name.removeprefix("app/").encode("utf-8", "surrogateescape"): tar.extractfile(member).read()  # type: ignore[union-attr]
            for member in tar
            if member.isfile()
        }
    assert HOSTILE.items() <= found.items()


def test_modes_links_and_owners_are_what_git_keeps(tmp_path: Path) -> None:
    support.push(tmp_path, {"run.sh": "#!/bin/sh\n", "plain.txt": "x", "link": "-> run.sh"})
    (tmp_path / "run.sh").chmod(0o755)
    tree = open_tree(support.push(tmp_path, {}).archive)
    with sent(tree, list(tree.members)) as tar:
        modes = {member.name: (member.mode, member.uid, member.linkname) for member in tar}
    assert modes["app/run.sh"] == (0o755, 0, "")
    assert modes["app/plain.txt"] == (0o644, 0, "")
    assert modes["app/link"][2] == "run.sh"


def test_the_tar_is_gnu_for_pax_confuses_the_builder(tmp_path: Path) -> None:
    tree = open_tree(hostile_source(tmp_path))
    with sent(tree, list(tree.members)) as tar:
        assert not any(member.pax_headers for member in tar)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../b"])
def test_a_path_that_leaves_the_tree_is_refused(name: str, tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    with pytest.raises(DeployFailed, match="leaves the app's folder"):
        open_tree(archive)


def test_folders_without_end_are_refused(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as tar:
        tar.addfile(tarfile.TarInfo("a/" * 200 + "b"))
    with pytest.raises(DeployFailed, match="nested deeper than 100"):
        open_tree(archive)


@pytest.mark.parametrize("content", [b"not a tar", b"\0" * 100, b"x" * 2000])
def test_an_archive_that_is_none_is_said_to_be_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(DeployFailed, match="can not be read"):
        open_tree(tmp_path / "a.tar")


def test_an_empty_commit_is_an_empty_tree(tmp_path: Path) -> None:
    assert support.tree(tmp_path, {}).members == {}
