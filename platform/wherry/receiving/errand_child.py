"""The process that an errand is: reads its job from standard input, fetches, writes one archive into the spool, says so.

Jobs, each with the `app`: `url` (an archive by its address), `upload` (a file in the spool), `git` (a remote with a ref and
perhaps a key), `load` (an image as a file in the spool), `pushed` (what was pushed last), `settle` (the branch follows a commit
that went live), `submodule` (one commit of another repository). It runs as the receiver's user, who owns the repositories, with
limits on memory and on the size of a file.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0:1] = [str(Path(__file__).resolve().parents[2])]

import fcntl
import json
import os
import resource
import signal
import tempfile
import threading
import traceback
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from wherry import command, settings
from wherry.errors import InvalidInput, NotFound, WherryError
from wherry.model.app import check_name
from wherry.model.origin import Remote, check_archive_url, check_ref, loaded_name, parse_image, parse_remote
from wherry.receiving import download, packed, remote, repositories, saved_image, submodules
from wherry.receiving.archive import Commit, Source
from wherry.receiving.repositories import GIT_ENVIRONMENT
from wherry.settings import Settings

MEMORY = 768 * 2**20
"""Address space while an archive is read: a header in it may ask for anything."""
SPREAD = 4
"""How many times larger than what was sent its files may be together."""
FETCHED = "refs/wherry/fetched"


def main() -> int:
    """Does the job that standard input names; each line of standard output is one thing said, the last how it ended."""
    job = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_die_with_parent, daemon=True).start()
    os.umask(0o007)
    try:
        known = settings.load()
        _limit(known, reads=job["kind"] in ("url", "upload", "load"))
        got = JOBS[job["kind"]](job, known)
        _tell({"got": got})
    except WherryError as error:
        _tell({"error": {"kind": type(error).__name__, "message": error.message, "hint": error.hint, "code": error.code}})
    except MemoryError:
        _tell({"error": {"kind": "InvalidInput", "message": "it takes too much memory to read", "hint": "", "code": "too_large"}})
    except Exception:
        traceback.print_exc()
        return 1
    return 0


def _url(job: Mapping[str, Any], known: Settings) -> dict[str, str]:
    limits = download.Limits(known.max_push * 2**20, known.fetch_internal == "yes")
    path = known.spool / f"{uuid.uuid4()}.download"
    try:
        size = download.download(check_archive_url(job["url"]), path, limits)
        _detail(f"{_size(size)} fetched")
        return _converted(path, known)
    finally:
        path.unlink(missing_ok=True)


def _upload(job: Mapping[str, Any], known: Settings) -> dict[str, str]:
    return _converted(known.spool / Path(job["file"]).name, known)


def _converted(path: Path, known: Settings) -> dict[str, str]:
    target = known.spool / f"{uuid.uuid4()}.tar"
    made = packed.convert(path, target, SPREAD * known.max_push * 2**20)
    _detail(f"{made.files:,} file{'s' if made.files != 1 else ''}, {_size(made.size)}")
    return {"commit": made.digest, "tree": f"archive:{made.digest}", "archive": target.name}


def _load(job: Mapping[str, Any], known: Settings) -> dict[str, str]:
    """The commit is the digest of the image's config."""
    target, app = known.spool / f"{uuid.uuid4()}.tar", check_name(job["app"])

    def name_of(digest: str) -> str:
        return loaded_name(known.name, app, digest).text

    limit = SPREAD * known.max_push * 2**20
    made = saved_image.convert(known.spool / Path(job["file"]).name, target, parse_image(job["image"]).text, name_of, limit)
    _detail(f"{made.layers} layer{'s' if made.layers != 1 else ''}, {_size(made.size)}")
    return {"commit": made.digest, "tree": f"image:{made.digest}", "archive": target.name}


def _size(count: int) -> str:
    """Bytes as people say them: `12 KB`, `3.4 MB`."""
    return f"{count / 2**20:.1f} MB" if count >= 2**20 else f"{max(1, round(count / 2**10))} KB"


def _git(job: Mapping[str, Any], known: Settings) -> dict[str, str]:
    wanted = parse_remote(job["url"])
    repository = repositories.ensure(known, check_name(job["app"]))
    with _key(job.get("key", "")) as key:
        access = remote.Access(known.ssh / "known_hosts", known.fetch_internal == "yes", key)
        remote.fetch(repository, wanted, f"+{check_ref(job['ref']) or 'HEAD'}:{FETCHED}", access)
        source = _source(repository)
        commit = source.commit_of(FETCHED)
        if commit is None:
            raise InvalidInput(f"{wanted.url} has no commit there", code="not_a_commit")
        return _archived(source, commit, known, _store(repository, access), wanted)


def _pushed(job: Mapping[str, Any], known: Settings) -> dict[str, str]:
    repository = repositories.path_of(known, check_name(job["app"]))
    source = _source(repository)
    branches = [known.branch, *(["master"] if known.branch == "main" else [])]
    commit = next((found for name in branches if repository.is_dir() and (found := source.commit_of(f"refs/heads/{name}"))), None)
    if commit is None:
        raise NotFound(f"nothing was pushed to {job['app']} with git", hint="Push first: git push wherry main", code="nothing_pushed")
    access = remote.Access(known.ssh / "known_hosts", known.fetch_internal == "yes")
    return _archived(source, commit, known, _store(repository, access), None)


def _archived(source: Source, commit: Commit, known: Settings, store: submodules.Store, base: Remote | None) -> dict[str, str]:
    with source.archived(commit.id, known.spool) as archive:
        links = source.check_tree(commit.tree)
        path = archive.finish(submodules.collect(source, commit.tree, links, store, base))
    return {"commit": commit.id, "tree": commit.tree, "archive": path.name}


def _settle(job: Mapping[str, Any], known: Settings) -> dict[str, str]:
    """The branch follows what went live, so that a clone gets it and a push builds on it; unless a push is under way."""
    repository = repositories.path_of(known, check_name(job["app"]))
    commit = _source(repository).look_up(job["commit"], "HEAD")
    lock = repositories.open_lock(repository)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _detail("a push is under way: the branch stays where it is")
    else:
        argv = ["git", "update-ref", "-m", "git:sync", f"refs/heads/{known.branch}", commit.id]
        command.run(argv, env={**GIT_ENVIRONMENT, "GIT_DIR": str(repository)})
    finally:
        os.close(lock)
    return {"commit": commit.id, "tree": commit.tree}


def _submodule(job: Mapping[str, Any], known: Settings) -> dict[str, str]:
    repository = repositories.path_of(known, check_name(job["app"]))
    access = remote.Access(known.ssh / "known_hosts", known.fetch_internal == "yes")
    submodules.fetch_pinned(repository, parse_remote(job["url"]), job["commit"], access)
    return {"commit": job["commit"], "tree": ""}


def _store(repository: Path, access: remote.Access) -> submodules.Store:
    def bring(wanted: Remote, commit: str) -> None:
        _detail(f"fetching {wanted.url}")
        submodules.fetch_pinned(repository, wanted, commit, access)

    return submodules.Store(repository, bring)


JOBS = {"url": _url, "upload": _upload, "load": _load, "git": _git, "pushed": _pushed, "settle": _settle, "submodule": _submodule}


def _source(repository: Path) -> Source:
    return Source({**GIT_ENVIRONMENT, "GIT_DIR": str(repository)})


@contextmanager
def _key(text: str) -> Iterator[Path | None]:
    """The private key as the file that ssh wants, for as long as it is needed."""
    if not text:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="wherry-") as folder:
        path = Path(folder) / "key"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        yield path


def _limit(known: Settings, reads: bool) -> None:
    largest = SPREAD * known.max_push * 2**20 + 2**27
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    if reads:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(10)


def _die_with_parent() -> None:
    """Standard input ends when the engine does; then git and ssh end with us, for all are one process group."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.killpg(0, signal.SIGKILL)


def _detail(text: str) -> None:
    _tell({"line": f"       {text}"})


def _tell(what: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
