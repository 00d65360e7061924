"""Makes the key pair with which an app's source is fetched from a private remote."""

from __future__ import annotations

import tempfile
from pathlib import Path

from wherry import command
from wherry.secret import Secret


def make(comment: str) -> tuple[str, Secret]:
    """An ed25519 pair without a passphrase: the public line, and the private file's text. Nothing of it stays on the disk."""
    with tempfile.TemporaryDirectory(prefix="wherry-") as folder:
        path = Path(folder) / "key"
        command.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)])
        return path.with_suffix(".pub").read_text("utf-8").strip(), Secret(path.read_text("utf-8"))
