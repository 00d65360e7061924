"""The key by which clients recognise this machine: made once, private to the receiver, its public half beside it."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from wherry.settings import Settings


def path_of(settings: Settings) -> Path:
    return settings.ssh / "host_ed25519"


def ensure(settings: Settings) -> Path:
    """Makes the key unless it is there. The private file is never readable by others, not even while it is written."""
    path = path_of(settings)
    if path.exists():
        return path
    settings.ssh.mkdir(mode=0o755, parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    _write(path.with_suffix(".pub"), public + b" wherry\n", 0o644)
    _write(path, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()), 0o600)
    return path


def _write(path: Path, data: bytes, mode: int) -> None:
    """Whole or not at all: a power cut leaves no half a key."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
