"""Which of the ports that a platform needs are taken, and by whom: the kernel's tables know both."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from wherry.errors import Conflict
from wherry.settings import Settings

LISTENING = "0A"
UNKNOWN = "another program"


def check(settings: Settings) -> str:
    """Raises Conflict naming the port, who has it, and the setting that moves ours."""
    wanted = {
        "WHERRY_HTTP_PORT": settings.http_port,
        "WHERRY_HTTPS_PORT": settings.https_port,
        "WHERRY_SSH_PORT": settings.ssh_port,
        "WHERRY_API_PORT": settings.api_port,
    }
    for key, port in wanted.items():
        holder = holder_of(port)
        if holder:
            raise Conflict(
                f"port {port} is taken by {holder}",
                hint=f"Stop that program, or give Wherry another port: sudo {key}={_suggestion(port)} scripts/up",
                code="port_taken",
            )
    return ""


def holder_of(port: int) -> str:
    """Who listens on `port`: `nginx (process 812)`, `another program` (`UNKNOWN`: we may not look), or nothing."""
    sockets = _listening(port)
    if not sockets:
        return ""
    for process in Path("/proc").glob("[0-9]*"):
        if sockets & _sockets_of(process):
            return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return UNKNOWN


def _suggestion(port: int) -> int:
    return next(number for number in range(port + 8000 if port < 1024 else port + 1, 65536) if not _listening(number))


def _listening(port: int) -> set[str]:
    """The inodes of the sockets that listen on `port`, on any address."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:] if Path(table).exists() else []:
            fields = line.split()
            if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found


def _sockets_of(process: Path) -> set[str]:
    """Files that close, and processes that end, while we look are no sockets that listen."""
    found = set()
    with suppress(OSError):
        for entry in (process / "fd").iterdir():
            with suppress(OSError):
                found.add(str(entry.readlink()))
    return found
