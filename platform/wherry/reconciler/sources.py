"""Finds the source of a deploy: in the spool where a push put it, or out there, fetched now by somebody who holds no keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from wherry.building import logins
from wherry.building.builder import Fetched, Source
from wherry.errors import DeployFailed, WherryError
from wherry.model.app import App
from wherry.model.origin import loaded_name, parse_image_here
from wherry.receiving import errand
from wherry.receiving.errand import Got
from wherry.reconciler.work import Work
from wherry.secret import Secret
from wherry.store import apps, deploy_keys

GONE = "the pushed source is gone from the spool folder"


@dataclass(frozen=True)
class Found:
    """What is to be deployed: an `archive` to build, or an `image` to take as it is. `tree` is equal for equal sources;
    `origin` says where it came from, empty for a push."""

    commit: str
    tree: str
    archive: Path | None = None
    image: Fetched | None = None
    origin: str = ""

    @property
    def words(self) -> str:
        return f"{self.origin} ({self.commit[:7]})" if self.origin else self.commit[:7]


@contextmanager
def found(work: Work) -> Iterator[Found]:
    """The source, fetched if it was not pushed; an image is let go of afterwards. Raises DeployFailed and whatever stands
    in the way out there."""
    source = _find(work)
    try:
        yield source
    finally:
        if source.image:
            work.outside.builder.let_go(source.image)


def _find(work: Work) -> Found:
    payload = work.operation.payload
    wanted = payload.get("from")
    if wanted is None:
        return Found(payload["commit"], payload["tree"], _spooled(work, payload["archive"]))
    if wanted["kind"] == "image":
        return _image(work, wanted["image"])
    if wanted["kind"] == "load":
        return _loaded(work, wanted["image"])
    got = _known(work) or _got(work)
    return Found(got.commit, got.tree, _spooled(work, got.archive), origin=payload["origin"])


def source_of(found: Found, app: App, built: tuple[str, ...] = ()) -> Source:
    """What the builder is given; see Source for `built`."""
    assert found.archive is not None
    config = {key: Secret(value) for key, value in app.environment.items()}
    return Source(app.name, found.commit, found.tree, found.archive, app.build, config, built)


def moves_a_branch(work: Work) -> bool:
    """Whether the source comes from a remote; a push moves the branch itself."""
    return (work.operation.payload.get("from") or {}).get("kind") == "git"


def settle(work: Work, commit: str) -> None:
    """After a sync the branch is what runs, before the operation ends: who clones then gets it. A failure of it fails nothing."""
    if not moves_a_branch(work):
        return
    try:
        errand.run(work.outside.settings, {"kind": "settle", "app": work.operation.app, "commit": commit}, lambda _: None)
    except WherryError as error:
        work.say(f" !     the branch was not moved: {error.message}")


def _known(work: Work) -> Got | None:
    """What an earlier owner of this operation fetched, if it is still there."""
    told = work.operation.progress.get("fetched")
    got = Got(**told) if told else None
    return got if got and (work.outside.settings.spool / got.archive).is_file() else None


def _got(work: Work, doing: str = "Fetching") -> Got:
    payload, app = work.operation.payload, work.operation.app
    work.say(f"-----> {doing} {payload['origin']}")
    job = {**payload["from"], "app": app}
    with work.outside.database.read() as connection:
        known = apps.find(connection, app)
        key = deploy_keys.find(connection, known) if known and job["kind"] == "git" else None
    if key:
        job["key"] = key.private.reveal()
    got = errand.run(work.outside.settings, job, work.say, work.cancelled)
    with work.outside.database.write() as connection:
        work.reached(connection, fetched=asdict(got))
    work.look_again()
    return got


def _image(work: Work, text: str) -> Found:
    name = parse_image_here(text)
    fetched = work.outside.builder.fetch(name, logins.of(work.outside.settings, name.server), work.say, work.cancelled)
    return Found(
        fetched.digest.removeprefix("sha256:"), f"image:{fetched.digest}", image=fetched, origin=text if name.server else name.shown
    )


def _loaded(work: Work, text: str) -> Found:
    got = _known(work) or _got(work, "Loading")
    work.check_room()
    name = loaded_name(work.outside.settings.name, work.operation.app, got.commit)
    fetched = work.outside.builder.load(name, _spooled(work, got.archive), work.say, work.cancelled)
    return Found(fetched.digest.removeprefix("sha256:"), f"image:{fetched.digest}", image=fetched, origin=text)


def _spooled(work: Work, name: str) -> Path:
    archive = work.outside.settings.spool / name
    if not archive.is_file():
        raise DeployFailed(GONE, code="source_gone", hint="Push once more.")
    return archive
