"""The machine's own OpenSSH server on a free port, with a configuration, keys and bare repositories of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from free_ports import free_port
from waiting import until

PROGRAM = "/usr/sbin/sshd"
PRIVILEGES = Path("/run/sshd")
"""The folder that sshd insists on."""
# HOME: what a shell does when it starts (.bashrc) is no part of a push. The key exchange is the one that Wherry uses:
# OpenSSH's default, with sntrup761, would make the floor 0.1 s higher.
CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized
PidFile none
StrictModes no
UsePAM no
UseDNS no
PermitRootLogin yes
PasswordAuthentication no
PrintMotd no
SetEnv HOME={folder}
KexAlgorithms curve25519-sha256
LogLevel ERROR
"""


@contextmanager
def sshd(folder: Path, key: Path) -> Iterator[int]:
    """Runs while the block does, for whoever runs this with `key`; yields its port."""
    folder.mkdir(parents=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "host"], check=True)
    shutil.copy(key.with_suffix(".pub"), folder / "authorized")
    port = free_port()
    (folder / "config").write_text(CONFIG.format(port=port, folder=folder))
    made = not PRIVILEGES.exists()
    PRIVILEGES.mkdir(mode=0o755, exist_ok=True)
    process = subprocess.Popen([PROGRAM, "-D", "-f", folder / "config"])
    try:
        until(lambda: _greets(port), 10, "sshd")
        yield port
    finally:
        process.terminate()
        process.wait()
        if made:
            PRIVILEGES.rmdir()


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
