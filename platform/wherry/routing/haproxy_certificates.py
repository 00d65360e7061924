"""Gives HAProxy certificates while it runs: a file for its next start, and the runtime API for the next connection.

What is served is read from HAProxy itself, so a half-done change (a crash between file and socket) is seen and mended.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from wherry.errors import InvalidInput, Unavailable
from wherry.routing.certificates import FALLBACK
from wherry.routing.haproxy_config import Files
from wherry.routing.haproxy_socket import HaproxySession

SUFFIX = ".pem"


class HaproxyCertificates:
    """The certificates of one HAProxy, but for the fallback, which it is started with."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def loaded(self) -> dict[str, str]:
        """Name to SHA-1, of those that HTTPS is served with."""
        with HaproxySession(self._files.socket) as session:
            listed = set(session.ask(f"show ssl crt-list {self._folder}").split())
            return {_name(path): _fingerprint(session.ask(f"show ssl cert {path}")) for path in sorted(listed) if self._is_ours(path)}

    def put(self, name: str, pem: str) -> None:
        path = self._path(name)
        _write(path, pem)
        with HaproxySession(self._files.socket) as session:
            if str(path) not in session.ask("show ssl cert").split():
                _expect(session.ask(f"new ssl cert {path}"), "New empty certificate store")
            try:
                _expect(session.load(f"set ssl cert {path}", pem), "Transaction ")
                _expect(session.ask(f"commit ssl cert {path}"), "Committing", "Success!")
            except Unavailable:
                session.ask(f"abort ssl cert {path}")
                raise
            if str(path) not in session.ask(f"show ssl crt-list {self._folder}").split():
                _expect(session.ask(f"add ssl crt-list {self._folder} {path}"), "Inserting certificate", "Success!")

    def read(self, name: str) -> str:
        try:
            text = self._path(name).read_text("ascii")
        except FileNotFoundError:
            return ""
        return text[: text.index("-----BEGIN PRIVATE")] if "-----BEGIN PRIVATE" in text else text

    def drop(self, name: str) -> None:
        path = self._path(name)
        with HaproxySession(self._files.socket) as session:
            session.ask(f"del ssl crt-list {self._folder} {path}")
            session.ask(f"del ssl cert {path}")
        path.unlink(missing_ok=True)

    @property
    def _folder(self) -> str:
        """As the configuration names it."""
        return str(self._files.certificates)

    def _path(self, name: str) -> Path:
        if not re.fullmatch(r"[0-9a-z][0-9a-z._-]{0,300}", name):
            raise InvalidInput(f"certificate {name[:60]!a}: not a name", code="bad_route")
        return self._files.certificates / f"{name}{SUFFIX}"

    def _is_ours(self, path: str) -> bool:
        return path.startswith(f"{self._folder}/") and path.endswith(SUFFIX) and not path.endswith(f"/{FALLBACK}")


def _name(path: str) -> str:
    return Path(path).name.removesuffix(SUFFIX)


def _fingerprint(answer: str) -> str:
    found = re.search(r"^SHA1 FingerPrint: ([0-9A-F]{40})$", answer, re.MULTILINE)
    return found[1] if found else ""


def _expect(answer: str, *words: str) -> None:
    if not all(word in answer for word in words):
        raise Unavailable(f"HAProxy refused a certificate: {' '.join(answer.split())[:200]}", code="proxy_refused")


def _write(path: Path, pem: str) -> None:
    """In one step, never readable by others, and on the disk: a certificate can not be made again at will."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # HAProxy loads every file of the folder; the fresh one waits beside it.
    fresh = path.parent.parent / f".{path.name}.new"
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
