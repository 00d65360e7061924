"""Where bytes of strangers come in, each as a function of bytes: it returns, or refuses in plain words, or there is a defect.

A new reader of foreign bytes gets a function here, and is fuzzed, replayed and thrown random bytes at from then on.
"""

from __future__ import annotations

import datetime as dt
import json
import tarfile
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from fuzz import archives
from wherry.building import app_json, archive, dockerfile, ignore, plan, procfile, release_yaml, slugignore, static_json, trace, versions
from wherry.building.buildpack import Buildpack, load_all
from wherry.building.progress import Progress
from wherry.errors import WherryError
from wherry.faces.api import bodies
from wherry.model import cron, drain, envfile, front, limits, origin, volume, wire
from wherry.model.log_line import MAX_LINE, LogRecord
from wherry.receiving import packed, public_key, refs, requests, saved_image, tree
from wherry.receiving.terminal import Terminal
from wherry.routing import router_lines, x509
from wherry.running.log_source import LogSource
from wherry.running.log_stream import BrokenStream

ROOT = Path(__file__).parents[2]
NOW = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
LIMIT = 2**20
PATHS = ("src/a/b.txt", "node_modules/x/y.js", ".env", "a" * 60)


def text(data: bytes) -> str:
    """As the rooms before a parser hand it over: whole characters, whatever the bytes were."""
    return data.decode("utf-8", "replace")


def refused(error: WherryError) -> None:
    """What a refusal must be: one line that a terminal can show, with a code, of a length that somebody reads."""
    assert error.code
    assert error.message.isprintable(), ascii(error.message)[:300]
    assert 0 < len(error.message) < 1000, len(error.message)


def _json_body(data: bytes) -> None:
    assert isinstance(bodies.parse(data), dict)


def _ssh_command(data: bytes) -> None:
    found = requests.parse(data)
    if isinstance(found, requests.Run):
        assert found.words and "\0" not in "".join(found.words)


def _refs(data: bytes) -> None:
    updates = refs.read(data)
    decision = refs.decide(updates, "main", "shop") if updates else None
    if isinstance(decision, refs.Deploy):
        assert decision.update.ref in ("refs/heads/main", "refs/heads/master")
    for update in updates:
        assert update.short.isprintable()


def _file_names(data: bytes) -> None:
    """`git ls-tree -z` of a hostile tree: git's own words are right, the names are anything without NUL."""
    listing = b"".join(b"100644 blob %s      12\t%s\0" % (b"a" * 40, name) for name in data.split(b"\0") if name)
    tree.check(tree.entries([listing]), lambda small: [entry.path for entry in small])


def _build_progress(data: bytes) -> None:
    said: list[str] = []
    progress = Progress(said.append, lambda: 0.0)
    for seen in trace.decode(data):
        progress.see(seen)
    progress.tick()
    step = progress.failed()
    if step:
        said += progress.last_lines()
        with suppress(WherryError):
            raise dockerfile.explain(step.error, step)
    assert all(line.isprintable() for line in said), said


def _router_line(data: bytes) -> None:
    line = router_lines.read(data)
    if line is not None:
        for query in (False, True):
            said = router_lines.shown(line, query)
            assert "\n" not in said and "\0" not in said
        assert router_lines.stands_for(line) > 0


class _Pieces:
    """A socket that hands out bytes in pieces, then the end."""

    def __init__(self, data: bytes, size: int) -> None:
        self._pieces = [data[at : at + size] for at in range(0, len(data), size)]

    def recv(self, _: int) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    def close(self) -> None:
        pass


def _docker_log(data: bytes) -> None:
    """The engine's answer, in pieces of a size that the first byte names; whole or in pieces, the lines are the same."""
    heard = [_lines_of(data[1:], size) for size in (1 + data[0] if data else 1, 65536)]
    assert heard[0] == heard[1]


def _lines_of(data: bytes, size: int) -> list[LogRecord] | None:
    source, batch = LogSource("c" * 64, "shop", "web.1"), list[LogRecord]()
    source.socket = _Pieces(data, size)  # type: ignore[assignment]
    try:
        while source.receive(batch):
            if source.floods():
                return None
        source.after_answer()
    except BrokenStream:
        return None
    assert all(len(record.text) <= MAX_LINE + 100 for record in batch)
    return batch


def _archive(data: bytes) -> None:
    """An upload becomes the spool's tar or nothing, and the tar is one that the builder reads."""
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "given"), Path(folder, "made.tar")
        given.write_bytes(archives.with_checksums(data))
        try:
            found = packed.convert(given, made, LIMIT)
        except WherryError:
            assert not made.exists()
            raise
        assert found.size <= LIMIT
        members = archive.open_tree(made).members
        assert not any(name.startswith("/") or ".." in name.split("/") for name in members)


def _saved_image(data: bytes) -> None:
    """An image becomes an archive with one name, ours, or nothing."""
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "given"), Path(folder, "made.tar")
        given.write_bytes(archives.with_checksums(data))
        try:
            saved_image.convert(given, made, "shop:v2", lambda _: "ours:1", LIMIT)
        except WherryError:
            assert not made.exists()
            raise
        with tarfile.open(made) as tar:
            files = {member.name: found.read() for member in tar if (found := tar.extractfile(member))}
        (image,) = json.loads(files.pop("manifest.json"))
        assert image["RepoTags"] == ["ours:1"] and {image["Config"], *image["Layers"]} == set(files)


def _pushed_tar(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tar")
        path.write_bytes(archives.with_checksums(data))
        found = archive.open_tree(path)
        for name in list(found.members)[:20]:
            with suppress(WherryError):
                found.text(name)


@cache
def _packs() -> tuple[Buildpack, ...]:
    return load_all(ROOT / "buildpacks")


def _pushed_app(data: bytes) -> None:
    """A whole app: names and contents of files, see `archives.app_of`. It is planned as a build would be, but for the build."""
    with tempfile.TemporaryDirectory() as folder:
        path = archives.app_of(data, Path(folder, "tar"))
        said: list[str] = []
        planned = plan.plan(archive.open_tree(path), _packs(), said.append)
        language = planned.language
        if language:
            version = versions.choose(
                planned.wish, "3.13", ("1.22", "3.2", "3.12", "3.13", "20", "22"), language.title, later=True, patches=True
            )
            plan.heading(planned, version)
        plan.notes(planned)
        plan.context(planned)
        assert all(line.isprintable() for line in said), said


def _dockerignore(data: bytes) -> None:
    rules = ignore.parse(text(data))
    for path in PATHS:
        rules.leaves_out(path)


def _slugignore(data: bytes) -> None:
    leaves_out = slugignore.parse(text(data))
    for path in PATHS:
        leaves_out(path)


def _envfile(data: bytes) -> None:
    """What was read is written so that it is read again."""
    found = envfile.read(text(data))
    assert envfile.read(envfile.write(found)) == found


def _certificate(data: bytes) -> None:
    with suppress(x509.Refused):
        x509.inspect(data.decode("utf-8", "replace"), NOW)


def _public_key(data: bytes) -> None:
    found = public_key.parse(text(data))
    assert public_key.parse(f"{found.type} {found.blob}").fingerprint == found.fingerprint


def _wire(data: bytes) -> None:
    with suppress(wire.BrokenWire):
        whole = wire.Frames().feed(data)
        pieces = wire.Frames()
        assert [frame for at in range(len(data)) for frame in pieces.feed(data[at : at + 1])] == whole
        for found in whole:
            with suppress(wire.BrokenWire):
                wire.read_size(found.payload)
            with suppress(wire.BrokenWire):
                wire.read_credit(found.payload)


def _terminal(data: bytes) -> None:
    assert Terminal(data, 80, 24).term.isascii()


def _values(data: bytes) -> None:
    """What people type as values, all forms at once."""
    given = text(data)
    room = limits.Room(3800, 4)
    for check in (
        origin.parse_remote, origin.check_archive_url, origin.parse_image, drain.check_url, front.check_redirect, front.check_network,
        volume.check_path, volume.parse_mount, cron.check_schedule, lambda words: limits.check_memory(words, room),
        lambda words: limits.check_cpu(words, room), limits.check_pids, lambda words: versions.fits("3.12", words),
    ):  # fmt: skip
        try:
            check(given)
        except WherryError as error:
            refused(error)


TARGETS: dict[str, Callable[[bytes], object]] = {
    "app-json": lambda data: app_json.parse(text(data)),
    "archive": _archive,
    "build-progress": _build_progress,
    "certificate": _certificate,
    "docker-log": _docker_log,
    "dockerignore": _dockerignore,
    "envfile": _envfile,
    "file-names": _file_names,
    "json-body": _json_body,
    "procfile": lambda data: procfile.parse(text(data)),
    "public-key": _public_key,
    "pushed-app": _pushed_app,
    "pushed-tar": _pushed_tar,
    "refs": _refs,
    "release-yaml": lambda data: release_yaml.process_types(text(data)),
    "router-line": _router_line,
    "saved-image": _saved_image,
    "slugignore": _slugignore,
    "ssh-command": _ssh_command,
    "static-json": lambda data: static_json.parse(text(data)),
    "terminal": _terminal,
    "values": _values,
    "wire": _wire,
}

SLOWEST = 5.0
"""Seconds of processor that a few kilobytes may take: what takes longer stands still for everybody."""


def tried(name: str, data: bytes) -> None:
    """One input of one target. Raises whatever is a defect."""
    began = time.process_time()
    try:
        TARGETS[name](data)
    except WherryError as error:
        refused(error)
    took = time.process_time() - began
    assert took < SLOWEST, f"{len(data)} bytes took {took:.1f} s"
