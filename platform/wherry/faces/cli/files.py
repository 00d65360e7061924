"""What a command reads from a file or from standard input."""

from __future__ import annotations

from wherry.errors import InvalidInput, NotFound
from wherry.faces.cli.render import quoted
from wherry.faces.cli.session import Session


def content(session: Session, path: str | None, largest: int, advice: str) -> bytes:
    """The bytes of a file, or of standard input for None and `-`; never more than `largest` and one.

    Raises InvalidInput with `advice` when that would wait for somebody to type, and for a file over SSH: there it would be one
    of the machine's, not of the person's. NotFound for a file that can not be read.
    """
    if path in (None, "-"):
        if session.terminal.asked_by_person:
            raise InvalidInput(advice)
        return session.terminal.stdin.read(largest + 1)
    if session.terminal.environ.get("WHERRY_VIA") == "ssh":
        name = session.given.command.name
        raise InvalidInput(f"over ssh give {quoted(str(path))} on standard input: ssh … {name} … - < {quoted(str(path))}", code="usage")
    try:
        with open(str(path), "rb") as file:  # noqa: PTH123 - pathlib costs 5 ms at every start
            return file.read(largest + 1)
    except OSError as error:
        raise NotFound(f"{quoted(str(path))}: {(error.strerror or 'can not be read').lower()}", code="no_such_file") from error


def text(raw: bytes, what: str) -> str:
    """Raises InvalidInput for what is not UTF-8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{what}: not UTF-8 text at byte {error.start}") from error
