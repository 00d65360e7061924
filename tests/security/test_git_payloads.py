"""Trees and commits that no git would write, pushed by a git that was made to: refused before anything is queued or kept."""

from __future__ import annotations

import subprocess
import zlib
from collections.abc import Iterator
from hashlib import sha1
from pathlib import Path

import pytest

from receiving_support import Person, Place, admin, place
from waiting import within


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("place")) as found:
        yield found


@pytest.fixture(scope="module")
def ada(here: Place, tmp_path_factory: pytest.TempPathFactory) -> Person:
    return admin(here, tmp_path_factory.mktemp("people"), "ada")


@pytest.fixture
def desk(ada: Person, tmp_path: Path) -> Path:
    """A repository with one honest commit, for objects that are not."""
    ada.desk = tmp_path
    return ada.project("work", {"Procfile": "web: x\n"})


def write(desk: Path, kind: str, content: bytes) -> str:
    """An object as it is, with no check at all; returns its name."""
    data = f"{kind} {len(content)}".encode() + b"\0" + content
    name = sha1(data).hexdigest()
    path = desk / ".git" / "objects" / name[:2] / name[2:]
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        path.write_bytes(zlib.compress(data))
    return name


def tree(desk: Path, *entries: tuple[str, bytes, str]) -> str:
    return write(desk, "tree", b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(of) for mode, name, of in entries))


def commit(desk: Path, of: str, who: str = "Ada <ada@localhost> 1795246985 +0000", more: str = "") -> str:
    made = write(desk, "commit", f"tree {of}\n{more}author {who}\ncommitter {who}\n\nchange\n".encode())
    (desk / ".git" / "refs" / "heads" / "main").write_text(made + "\n")
    return made


def pushed(ada: Person, desk: Path, app: str) -> subprocess.CompletedProcess[str]:
    done = ada.push(desk, app)
    assert "Traceback" not in done.stdout
    return done


def stayed_out(here: Place, done: subprocess.CompletedProcess[str], app: str) -> bool:
    """Whether the push was refused, with a word why, and neither a ref nor an operation nor a file is there of it."""
    assert done.returncode != 0 and ("rejected" in done.stdout or "error" in done.stdout or "fatal" in done.stdout), done.stdout
    repository = here.settings.repositories / f"{app}.git"
    # git tells its client of the end, and clears up then.
    cleared = within(60, lambda: not [*repository.glob("objects/tmp_objdir*"), *here.settings.spool.glob("*")])
    return here.head(app) == "" and here.operations(app) == [] and cleared


NAMES = [b".git", b".GIT", b"git~1", b".git ", b".git\xe2\x80\x8c", b"..", b".", b"a/b", b"/etc", b"", b".git\x5chooks"]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_tree_that_would_leave_its_folder_is_refused(here: Place, ada: Person, desk: Path, name: bytes) -> None:
    app = f"name-{NAMES.index(name)}"
    blob = write(desk, "blob", b"[core]\n\thooksPath = /tmp\n")
    commit(desk, tree(desk, ("100644", name, blob)))
    assert stayed_out(here, pushed(ada, desk, app), app)


def test_a_folder_named_git_is_refused(here: Place, ada: Person, desk: Path) -> None:
    hook = write(desk, "blob", b"#!/bin/sh\ntouch /tmp/wherry-hook-ran\n")
    hooks = tree(desk, ("40000", b"hooks", tree(desk, ("100755", b"post-checkout", hook))))
    commit(desk, tree(desk, ("40000", b".git", hooks)))
    assert stayed_out(here, pushed(ada, desk, "folder"), "folder")


MODULES = [
    b'[submodule "x"]\n\tpath = x\n\turl = --upload-pack=touch /tmp/wherry-was-here\n',
    b'[submodule "../../x"]\n\tpath = x\n\turl = https://example.org/x\n',
    b'[submodule "x"]\n\tpath = --help\n\turl = https://example.org/x\n',
    b'[submodule "x"]\n\tpath = x\n\turl = https://example.org/x\n\tupdate = !touch /tmp/wherry-was-here\n',
    b'[submodule "x"]\n\tpath = x\n\turl = "https://example.org/x\\nHost: y"\n',
]


@pytest.mark.parametrize("text", MODULES, ids=["option", "name", "path", "update", "line"])
def test_a_gitmodules_that_runs_something_is_refused(here: Place, ada: Person, desk: Path, text: bytes) -> None:
    app = f"modules-{MODULES.index(text)}"
    commit(desk, tree(desk, ("100644", b".gitmodules", write(desk, "blob", text)), ("160000", b"x", "a" * 40)))
    assert stayed_out(here, pushed(ada, desk, app), app)
    assert not Path("/tmp/wherry-was-here").exists()


def test_a_gitmodules_that_is_a_link_is_refused(here: Place, ada: Person, desk: Path) -> None:
    commit(desk, tree(desk, ("120000", b".gitmodules", write(desk, "blob", b"../../../etc/passwd"))))
    assert stayed_out(here, pushed(ada, desk, "link"), "link")


def test_names_that_are_there_twice_are_refused(here: Place, ada: Person, desk: Path) -> None:
    one, other = write(desk, "blob", b"web: one\n"), write(desk, "blob", b"web: other\n")
    commit(desk, tree(desk, ("100644", b"Procfile", one), ("100644", b"Procfile", other)))
    assert stayed_out(here, pushed(ada, desk, "twice"), "twice")


@pytest.mark.parametrize(
    ("who", "more"),
    [
        ("Ada 1795246985 +0000", ""),
        ("Ada <ada@localhost> 99999999999999999999 +0000", ""),
        ("Ada <a\0b> 1 +0000", ""),
        ("Ada <a> 1 +0000", f"parent {'0' * 40}\n"),
    ],
    ids=["no address", "no time", "a NUL", "no parent"],
)
def test_a_commit_that_is_none_is_refused(here: Place, ada: Person, desk: Path, who: str, more: str) -> None:
    app = f"commit-{len(who)}-{len(more)}"
    commit(desk, tree(desk, ("100644", b"Procfile", write(desk, "blob", b"web: x\n"))), who, more)
    assert stayed_out(here, pushed(ada, desk, app), app)


def test_a_blob_that_unpacks_to_more_than_its_push_is_refused_by_size(here: Place, ada: Person, desk: Path) -> None:
    """A tree that names one large blob ten thousand times: small to send, without measure to unpack."""
    blob = write(desk, "blob", bytes(8 * 2**20))
    inner = tree(desk, *(("100644", b"%03d" % number, blob) for number in range(100)))
    commit(desk, tree(desk, *(("40000", b"%03d" % number, inner) for number in range(100))))
    done = pushed(ada, desk, "bomb")
    assert "GB of files; at most" in done.stdout
    assert stayed_out(here, done, "bomb")
