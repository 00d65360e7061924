"""`wherry git:…`, `ps:rebuild` and `plan`: deploys without a push, and what a deploy would do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import IO, Any

from wherry.errors import InvalidInput, NotFound
from wherry.faces.cli import follow
from wherry.faces.cli.render import printable, quoted
from wherry.faces.cli.session import Session

CHUNK = 256 * 1024


def from_image(session: Session) -> int:
    return _deploy(session, {"image": session.given.word("IMAGE")})


def from_archive(session: Session) -> int:
    """An address goes to the platform as it is; a file, or standard input, goes there byte by byte."""
    where = session.given.maybe("ARCHIVE") or "-"
    if where.startswith(("http://", "https://")):
        return _deploy(session, {"archive": where})
    query = {name: "true" for name, wished in _options(session).items() if wished}
    with _opened(session, where, f"git:from-archive {printable(session.given.app)}") as file:
        return follow.settle(session, session.api.upload(session.app_path("/sources"), _pieces(file), query))


def load_image(session: Session) -> int:
    """A file, or standard input, goes to the platform byte by byte."""
    image, where = session.given.word("IMAGE"), session.given.maybe("ARCHIVE") or "-"
    query = {"image": image, **{name: "true" for name, wished in _options(session).items() if wished}}
    with _opened(session, where, f"git:load-image {printable(session.given.app)} {printable(image)}") as file:
        return follow.settle(session, session.api.upload(session.app_path("/sources"), _pieces(file), query))


def sync(session: Session) -> int:
    return _deploy(session, {"git": session.given.word("URL"), "ref": session.given.maybe("REF") or ""})


def rebuild(session: Session) -> int:
    return _deploy(session, {"rebuild": True})


def plan(session: Session) -> int:
    return follow.settle(session, session.api.send("POST", session.app_path("/actions/plan")))


def public_key(session: Session) -> int:
    document = session.api.send("POST", session.app_path("/deploy-key"))
    return session.show(document, printable(document["public_key"]))


def _deploy(session: Session, body: dict[str, Any]) -> int:
    return follow.settle(session, session.api.send("POST", session.app_path("/sources"), {**body, **_options(session)}))


def _options(session: Session) -> dict[str, bool]:
    given = session.given.options
    return {"force": "--force" in given, "no_cache": "--no-cache" in given}


def _opened(session: Session, where: str, command: str) -> Any:
    """Over SSH there is no file of the person's to open, only the machine's."""
    if where == "-":
        if session.terminal.asked_by_person:
            raise InvalidInput(f"give the archive as a file or on standard input, e.g. wherry {command} FILE")
        return nullcontext(session.terminal.stdin)
    if session.terminal.environ.get("WHERRY_VIA") == "ssh":
        raise InvalidInput(f"over ssh give the archive on standard input: ssh … {command} < {printable(where)}")
    try:
        return open(where, "rb")  # noqa: PTH123 - pathlib costs 5 ms at every start; the caller closes it
    except OSError as error:
        raise NotFound(f"{quoted(where)}: {(error.strerror or 'can not be read').lower()}", code="no_such_file") from error


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while data := file.read(CHUNK):
        yield data
