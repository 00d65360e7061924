"""The child that gets sources: from real git servers, web servers and the spool; hostile words and slow servers end well."""

from __future__ import annotations

import http.server
import io
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from git_server_support import add_submodule, git, git_daemon, https_git, repository
from receiving_support import person, place
from waiting import until
from wherry.errors import DeployFailed, Forbidden, InvalidInput, NotFound
from wherry.receiving import errand, repositories
from wherry.receiving.errand import Got
from wherry.settings import Settings, load

APP = {"Procfile": "web: ./run\n", "run": "#!/bin/sh\n"}


@pytest.fixture
def known(tmp_path: Path) -> Settings:
    made = load({"WHERRY_HOME": str(tmp_path / "home"), "WHERRY_USER": "root", "WHERRY_FETCH_INTERNAL": "yes", "WHERRY_MAX_PUSH": "4"})
    for folder in (made.spool, made.repositories, made.ssh):
        folder.mkdir(parents=True)
    return made


@pytest.fixture
def remotes(tmp_path: Path) -> Path:
    folder = tmp_path / "remotes"
    folder.mkdir()
    return folder


@pytest.fixture
def daemon(remotes: Path) -> Iterator[str]:
    with git_daemon(remotes) as url:
        yield url


def run(known: Settings, kind: str, lines: list[str] | None = None, **words: Any) -> Got:
    return errand.run(known, {"kind": kind, "app": "shop", **words}, ([] if lines is None else lines).append)


def names(known: Settings, got: Got) -> set[str]:
    with tarfile.open(known.spool / got.archive) as tar:
        return {member.name for member in tar if member.isfile()}


def spooled(known: Settings) -> list[str]:
    return sorted(path.name for path in known.spool.iterdir())


def test_a_remote_is_synced_by_branch_tag_commit_or_its_own_choice(known: Settings, remotes: Path, daemon: str) -> None:
    first = repository(remotes / "shop", APP)
    git(remotes / "shop", "tag", "-a", "v1", "-m", "one", first)
    second = repository(remotes / "shop", {"more": "x"})
    for ref, commit in (("", second), ("main", second), ("v1", first), ("refs/heads/main", second)):
        got = run(known, "git", url=f"{daemon}/shop", ref=ref)
        assert (got.commit, got.tree) == (commit, git(remotes / "shop", "rev-parse", f"{commit}^{{tree}}"))
    assert names(known, got) == {"Procfile", "run", "more"}


def test_what_went_live_becomes_the_branch_that_a_clone_gets(known: Settings, remotes: Path, daemon: str) -> None:
    commit = repository(remotes / "shop", APP)
    run(known, "git", url=f"{daemon}/shop", ref="")
    assert git(repositories.path_of(known, "shop"), "for-each-ref", "refs/heads") == ""
    run(known, "settle", commit=commit)
    assert git(repositories.path_of(known, "shop"), "rev-parse", "main") == commit
    assert run(known, "pushed").commit == commit


@pytest.mark.parametrize(
    ("path", "ref", "kind", "said"),
    [
        ("/nope", "", Forbidden, "is not there, or does not let us in"),
        ("/shop", "nope", NotFound, "has no branch, tag or commit nope"),
        ("/shop", "0" * 39 + "1", NotFound, "has no|does not give out"),
        ("/shop", "--upload-pack=id", InvalidInput, "give a branch, a tag or a commit"),
    ],
)
def test_what_is_not_there_is_said(known: Settings, remotes: Path, daemon: str, path: str, ref: str, kind: Any, said: str) -> None:
    repository(remotes / "shop", APP)
    with pytest.raises(kind, match=said):
        run(known, "git", url=f"{daemon}{path}", ref=ref)
    assert spooled(known) == []


@pytest.mark.parametrize("url", ["/etc", "file:///etc", "ext::sh -c touch% /tmp/x", "http://127.0.0.1/x"])
def test_what_is_no_remote_never_reaches_git(known: Settings, url: str) -> None:
    with pytest.raises(InvalidInput, match="give https://HOST/PATH"):
        run(known, "git", url=url, ref="")


def test_inner_addresses_are_refused_without_the_setting(known: Settings, remotes: Path, daemon: str, tmp_path: Path) -> None:
    strict = load({"WHERRY_HOME": str(known.home), "WHERRY_USER": "root"})
    for job in ({"kind": "git", "url": f"{daemon}/shop", "ref": ""}, {"kind": "url", "url": "http://localhost/x.tgz"}):
        with pytest.raises(Forbidden, match="private or local address"):
            errand.run(strict, {"app": "shop", **job}, print)


def test_a_private_remote_opens_to_the_deploy_key_and_only_to_it(known: Settings, tmp_path: Path) -> None:
    with place(tmp_path / "theirs") as theirs:
        ada = person(tmp_path, "ada", theirs.port)
        theirs.add_user("ada", "read", ada.public_key)
        repository(tmp_path / "lib", {"Procfile": "web: x\n"})
        git(repositories.ensure(theirs.settings, "lib"), "fetch", "-q", str(tmp_path / "lib"), "main:refs/heads/main")
        url = f"ssh://wherry@127.0.0.1:{theirs.port}/lib"
        with pytest.raises(Forbidden, match="does not let us in") as refused:
            run(known, "git", url=url, ref="main")
        assert "git:public-key" in refused.value.hint
        got = run(known, "git", url=url, ref="main", key=(ada.home / "key").read_text())
        assert names(known, got) == {"Procfile"}
        stranger = (ada.home / "key.pub").read_text().split()[1]
        lines = (known.ssh / "known_hosts").read_text().split()
        (known.ssh / "known_hosts").write_text(f"{lines[0]} ssh-ed25519 {stranger}\n")
        with pytest.raises(Forbidden, match="shows another host key than before"):
            run(known, "git", url=url, ref="main", key=(ada.home / "key").read_text())


def test_submodules_over_https_are_in_the_archive_and_fetched_once(known: Settings, remotes: Path, daemon: str) -> None:
    with https_git(remotes) as (url, certificate):
        inner = repository(remotes / "inner", {"deep.txt": "d"})
        lib = repository(remotes / "lib", {"lib.py": "1"})
        lib = add_submodule(remotes / "lib", "inner", "../inner", inner)
        repository(remotes / "lib", {"lib.py": "2"})
        repository(remotes / "shop", APP)
        pinned = add_submodule(remotes / "shop", "vendor/lib", f"{url}/lib", lib)
        store = repositories.ensure(known, "shop") / "wherry-submodules"
        git(known.home, "init", "-q", "--bare", str(store))
        git(store, "config", "http.sslCAInfo", str(certificate))
        for _ in range(2):
            got = run(known, "git", url=f"{daemon}/shop", ref="")
            assert got.commit == pinned
            assert names(known, got) == {
                "Procfile",
                "run",
                ".gitmodules",
                *(f"vendor/lib/{name}" for name in ("lib.py", ".gitmodules", "inner/deep.txt")),
            }
            with tarfile.open(known.spool / got.archive) as tar:
                lib_file = tar.extractfile("vendor/lib/lib.py")
                assert lib_file and lib_file.read() == b"1"
        asked = (remotes / "asked.log").read_text()
        assert asked.count("GET /lib/info/refs") == 1


@pytest.mark.parametrize("url", ["git@github.com:me/lib.git", "http://127.0.0.1/lib", "../lib", "/srv/lib"])
def test_a_submodule_without_https_is_named(known: Settings, remotes: Path, daemon: str, url: str) -> None:
    lib = repository(remotes / "lib", {"lib.py": "1"})
    repository(remotes / "shop", APP)
    add_submodule(remotes / "shop", "lib", url, lib)
    with pytest.raises(InvalidInput, match=r"the submodule lib can not be fetched: its address is") as refused:
        run(known, "git", url=f"{daemon}/shop", ref="")
    assert refused.value.code == "submodule"
    assert spooled(known) == []


def test_nothing_pushed_is_said(known: Settings) -> None:
    with pytest.raises(NotFound, match="nothing was pushed to shop"):
        run(known, "pushed")


def archive(**files: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(f"top/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return made.getvalue()


def test_an_upload_becomes_the_same_source_however_often(known: Settings) -> None:
    (known.spool / "1.upload").write_bytes(archive(Procfile=b"web: x"))
    first, second = (run(known, "upload", file="1.upload") for _ in range(2))
    assert (first.tree, first.commit) == (second.tree, second.commit)
    assert first.tree == f"archive:{first.commit}" and len(first.commit) == 64
    assert names(known, first) == {"Procfile"}


def test_an_archive_is_fetched_and_nothing_but_the_tar_stays(known: Settings, tmp_path: Path) -> None:
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "a.tgz").write_bytes(archive(Procfile=b"web: x"))
    handler = lambda *words: http.server.SimpleHTTPRequestHandler(*words, directory=str(tmp_path / "www"))  # noqa: E731
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        got = run(known, "url", url=f"http://127.0.0.1:{server.server_port}/a.tgz")
        server.shutdown()
    assert spooled(known) == [got.archive]


def test_more_than_a_push_may_have_is_refused(known: Settings) -> None:
    (known.spool / "1.upload").write_bytes(archive(zeros=bytes(17 * 2**20)))
    with pytest.raises(InvalidInput, match="more than 16 MB together"):
        run(known, "upload", file="1.upload")
    assert spooled(known) == ["1.upload"]


def test_a_header_that_asks_for_much_memory_gets_none(known: Settings) -> None:
    bomb = tarfile.TarInfo("x")
    bomb.type, bomb.size = tarfile.GNUTYPE_LONGNAME, 3 * 2**30
    made = io.BytesIO()
    import gzip

    # A gzip file may be many, one after the other: so much is made in no time.
    made.write(gzip.compress(bomb.tobuf(tarfile.GNU_FORMAT)) + 900 * gzip.compress(bytes(2**20)))
    (known.spool / "1.upload").write_bytes(made.getvalue())
    with pytest.raises(InvalidInput):
        run(known, "upload", file="1.upload")


def test_a_remote_that_never_answers_is_left_when_nobody_waits_any_more(known: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url, began = f"git://127.0.0.1:{deaf.getsockname()[1]}/shop", time.monotonic()
        with pytest.raises(DeployFailed, match="cancelled"):
            errand.run(known, {"kind": "git", "app": "shop", "url": url, "ref": ""}, print, lambda: time.monotonic() > began + 1)
        short = load({"WHERRY_HOME": str(known.home), "WHERRY_USER": "root", "WHERRY_FETCH_INTERNAL": "yes", "WHERRY_BUILD_TIMEOUT": "1"})
        with pytest.raises(DeployFailed, match="took too long"):
            errand.run(short, {"kind": "git", "app": "shop", "url": url, "ref": ""}, print)
    look = ["pgrep", "-f", url.replace("127.0.0.1", "127[.]0[.]0[.]1")]
    until(lambda: not subprocess.run(look, capture_output=True, check=False).stdout, what="git gone")
