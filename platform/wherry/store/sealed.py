"""What is secret in the database is sealed there, with a key that is a file outside of it: a copy of the database alone tells nothing.

A sealed column is the text `sealed:1:<name of the key>:<base64>`. The name is a digest, so that a wrong key is told from a damaged row.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from wherry.errors import Unavailable
from wherry.store import aes
from wherry.store.aes import Broken

MARK = "sealed:1:"


class Keyed(sqlite3.Connection):
    """A connection that knows the key of its database."""

    key: Key

    def __del__(self) -> None:
        """A thread lets go of its connection by ending; Python 3.13 wants it closed and not only forgotten."""
        with suppress(sqlite3.Error):
            self.close()


class Key:
    """The key of one database, read from its file when it is first needed. Safe to share between threads.

    The file holds one key on a line; while the key is being changed, the new one and below it those before. All open, the first seals.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._key = b""
        self._stamp = (0, 0)
        self._known: dict[str, bytes] = {}

    @property
    def name(self) -> str:
        return _name(self._read())

    def ensure(self, group: int) -> None:
        """Makes the key when there is none, for root and `group` alone; whole or not at all."""
        if not self.path.exists():
            self._write([os.urandom(aes.KEY)], group)

    def begin_change(self, group: int) -> bool:
        """From now on a new key seals, and the one before still opens. False when such a change was cut short before: it goes on."""
        keys = self._load()
        if len(keys) == 1:
            self._write([os.urandom(aes.KEY), *keys], group)
        return len(keys) == 1

    def end_change(self, group: int) -> None:
        """Nothing is sealed with the keys before any more. Who read the file before goes on knowing them until it ends."""
        self._write(self._load()[:1], group)

    @property
    def is_changing(self) -> bool:
        return len(self._load()) > 1

    def _write(self, keys: list[bytes], group: int) -> None:
        draft = self.path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), "w", encoding="ascii") as file:
            os.fchmod(file.fileno(), 0o640)  # a umask may have taken the group's right
            os.fchown(file.fileno(), -1, group)
            file.write("".join(f"{key.hex()}\n" for key in keys))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)  # rows are sealed with it from now on
        finally:
            os.close(folder)

    def seal(self, text: str) -> str:
        """Raises Unavailable when the key is not there."""
        key = self._read()
        sealed = aes.seal(key, text.encode("utf-8", "surrogatepass"))
        return f"{MARK}{_name(key)}:{base64.b64encode(sealed).decode('ascii')}"

    def unseal(self, text: str) -> str:
        """Raises Unavailable for a key that is gone or another, and for a text that was damaged."""
        name, _, body = text.removeprefix(MARK).partition(":")
        first = self._read()
        try:
            return aes.unseal(self._known.get(name, first), base64.b64decode(body)).decode("utf-8", "surrogatepass")
        except (Broken, ValueError) as error:
            raise self._other(name) from error

    def reseal(self, text: str) -> str:
        """What was sealed with any key of the file, sealed with the first."""
        return text if name_in(text) == self.name else self.seal(self.unseal(text))

    def _read(self) -> bytes:
        """The key as the file has it now. A file that goes away is missed at the next start: what runs remembers its keys."""
        try:
            seen = self.path.stat()
            stamp = (seen.st_mtime_ns, seen.st_ino)
        except OSError:
            stamp = self._stamp
        if not self._key or stamp != self._stamp:
            keys = self._load()
            named = {_name(key): key for key in keys}
            self._known = {**self._known, **named} if self._known.keys() & named.keys() else named  # else somebody put another file there
            self._key, self._stamp = keys[0], stamp
        return self._key

    def _load(self) -> list[bytes]:
        try:
            text = self.path.read_text("ascii").strip()
        except FileNotFoundError as error:
            raise Unavailable(f"the key of the database, {self.path}, is gone", code="key_lost", hint=WAY_OUT) from error
        except (OSError, UnicodeDecodeError) as error:
            raise Unavailable(f"the key of the database, {self.path}, can not be read", code="key_lost", hint=WAY_OUT) from error
        if not re.fullmatch(r"[0-9a-f]{64}(\n[0-9a-f]{64})*", text):
            raise Unavailable(f"{self.path} holds no key: that is 64 digits of 0-9 and a-f", code="key_lost", hint=WAY_OUT)
        return [bytes.fromhex(line) for line in text.splitlines()]

    def _other(self, name: str) -> Unavailable:
        if name in self._known:
            return Unavailable("a secret in the database was damaged", code="key_lost", hint="Put the database back from a copy.")
        return Unavailable(f"the database was sealed with another key than {self.path} (with {name})", code="key_lost", hint=WAY_OUT)


COLUMNS = frozenset({"config", "shared", "payload", "private", "build", "settings", "url"})
"""The columns that may hold what is sealed: config vars, wishes that are or were waiting, deploy keys, build args, drains."""

WAY_OUT = "Put the file back from your backup. Without one: sudo wherry migrate --forget-secrets (docs/security.md)"


def row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> sqlite3.Row:
    """The row factory: what is read from a column that holds secrets is opened, whatever asks for it. Other columns are left
    as they are: there, a person's own text may look like a sealed one."""
    if any(isinstance(value, str) and value.startswith(MARK) for value in values):
        names = [column[0] for column in cursor.description]
        values = tuple(_opened(cursor, name, value) for name, value in zip(names, values, strict=True))
    return sqlite3.Row(cursor, values)


def seal(connection: sqlite3.Connection, text: str) -> str:
    """`text` as it may stand in one of COLUMNS."""
    return _key(connection).seal(text)


def name_in(text: str) -> str:
    """The name of the key that sealed this."""
    return text.removeprefix(MARK).partition(":")[0]


def _name(key: bytes) -> str:
    return hashlib.sha256(b"name of " + key).hexdigest()[:8]


def _opened(cursor: sqlite3.Cursor, name: str, value: Any) -> Any:
    if name in COLUMNS and isinstance(value, str) and value.startswith(MARK):
        return _key(cursor.connection).unseal(value)
    return value


def _key(connection: sqlite3.Connection) -> Key:
    assert isinstance(connection, Keyed), "only the connections of Database know the key"
    return connection.key
