"""Keeps apps away from the host: from their bridges only visitors' ports are reachable, and no cloud metadata.

Two chains of our own per platform, hooked once into INPUT and DOCKER-USER; applying them again changes nothing.
"""

from __future__ import annotations

import tempfile

from wherry import command
from wherry.errors import CommandFailed

METADATA = "169.254.0.0/16"


def apply(platform: str, bridges: str, ports: tuple[int, ...]) -> str | None:
    """Makes the rules true for interfaces whose names begin with `bridges`. `ports` are the host's TCP ports that apps
    may reach like any visitor. Returns None, or why the machine does not let us."""
    chain = f"WHERRY-{platform}"[:28]
    try:
        _rebuild(chain, ports)
        _hook("INPUT", ["-i", f"{bridges}+", "-j", chain])
        _hook("DOCKER-USER", ["-i", f"{bridges}+", "-d", METADATA, "-j", "DROP"])
    except CommandFailed as error:
        return error.message
    return None


def missing(platform: str, bridges: str) -> list[str] | None:
    """The chains that lack our rule; None where the machine does not let us look."""
    chain = f"WHERRY-{platform}"[:28]
    wanted = {"INPUT": ["-i", f"{bridges}+", "-j", chain], "DOCKER-USER": ["-i", f"{bridges}+", "-d", METADATA, "-j", "DROP"]}
    try:
        if _iptables(["-S", "INPUT"], check=False).status:
            return None
        return [parent for parent, rule in wanted.items() if _iptables(["-C", parent, *rule], check=False).status]
    except CommandFailed:
        return None


def clear(platform: str, bridges: str) -> None:
    """Takes the rules away; rules that are not there are fine."""
    chain = f"WHERRY-{platform}"[:28]
    for argv in (
        ["-D", "INPUT", "-i", f"{bridges}+", "-j", chain],
        ["-D", "DOCKER-USER", "-i", f"{bridges}+", "-d", METADATA, "-j", "DROP"],
        ["-F", chain],
        ["-X", chain],
    ):
        _iptables(argv, check=False)


def _rebuild(chain: str, ports: tuple[int, ...]) -> None:
    """Fills the chain in one stroke, so there is no moment without it."""
    allowed = [f"-A {chain} -p tcp --dport {port} -j RETURN" for port in ports]
    rules = [
        f":{chain} - [0:0]",
        f"-A {chain} -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN",
        f"-A {chain} -p icmp -j RETURN",
        *allowed,
        f"-A {chain} -p tcp -j REJECT --reject-with tcp-reset",
        f"-A {chain} -j DROP",
    ]
    with tempfile.TemporaryFile() as file:
        file.write(("\n".join(["*filter", *rules, "COMMIT"]) + "\n").encode())
        file.seek(0)
        command.run(["iptables-restore", "-w", "10", "--noflush"], stdin=file, timeout=30)


def _hook(parent: str, rule: list[str]) -> None:
    if _iptables(["-C", parent, *rule], check=False).status:
        _iptables(["-I", parent, "1", *rule])


def _iptables(argv: list[str], *, check: bool = True) -> command.Result:
    return command.run(["iptables", "-w", "10", *argv], check=check, timeout=30)
