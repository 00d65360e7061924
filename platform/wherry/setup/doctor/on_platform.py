"""Are the platform's own parts well: its processes, its ports, the proxy, the wall around the apps."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

from wherry.errors import Conflict
from wherry.routing.haproxy_config import Files
from wherry.running import firewall
from wherry.running.docker_networks import bridge_prefix
from wherry.settings import Settings
from wherry.setup import folders, identity, machine, ports, proxy_file, service
from wherry.setup.doctor.finding import Finding, fail, ok, warn


def processes(settings: Settings) -> Iterator[Finding]:
    if not service.is_running(settings):
        by_unit = f"sudo systemctl start {settings.name}, or " if machine.has_systemd() else ""
        yield fail("platform", "it does not run", f"Start it: {by_unit}sudo scripts/up")
        return
    doors = [("the engine", _engine(settings)), *service.parts(settings)]
    silent = [name for name, answers in doors if not answers]
    why = f"journalctl -u {settings.name} -n 50" if machine.has_systemd() else f"tail -n 50 {settings.platform_log}"
    if silent:
        yield fail("platform", f"{', '.join(silent)} {'does' if len(silent) == 1 else 'do'} not answer", f"Its log says why: {why}")
    else:
        yield ok("platform", "engine, API, SSH and proxy answer")
    if identity.running(settings) != identity.of(settings):
        fix = "Start it anew, without a lost request: sudo scripts/up"
        yield warn("version", "what runs is not what is installed, or the settings changed since", fix)


def _engine(settings: Settings) -> bool:
    """Whether somebody listens for hints."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        try:
            door.connect(str(settings.engine_socket))
        except OSError:
            return False
    return True


def ports_free(settings: Settings) -> Iterator[Finding]:
    """While the platform runs, its ports are its own, unless another program was there before its proxy."""
    if service.is_running(settings):
        if taken := _taken(settings):
            yield fail("ports", taken, "Stop that program; the platform takes the port by itself then.")
            return
        yield ok("ports", f"{settings.http_port}, {settings.https_port}, {settings.ssh_port} and {settings.api_port} are ours")
        return
    try:
        ports.check(settings)
        yield ok("ports", "free for the platform")
    except Conflict as error:
        yield fail("ports", error.message, error.hint)


def _taken(settings: Settings) -> str:
    """Which port of visitors another program than HAProxy listens on; empty when none does. In a container the kernel does not say whose
    socket it is, not even our own proxy's, so there nobody can tell."""
    holders = {port: ports.holder_of(port) for port in (settings.http_port, settings.https_port)}
    return next(
        (
            f"port {port} is taken by {who}"
            for port, who in holders.items()
            if who not in ("", ports.UNKNOWN) and not who.startswith("haproxy ")
        ),
        "",
    )


def proxy(settings: Settings) -> Iterator[Finding]:
    config = Files(settings).config
    if not config.exists():
        yield warn("proxy", "it has no configuration yet", "The engine writes it when it starts: sudo scripts/up")
        return
    if why := proxy_file.refusal(settings):
        anew = "Write it anew, without a lost request: sudo scripts/up"
        away = "Move that file away, then bring the certificate again: wherry certs:add or certs:renew"
        yield fail("proxy", f"its configuration is refused: {why}", away if proxy_file.is_of_certificate(why) else anew)
        return
    pid = _pid(settings.run / "haproxy.pid")
    if pid and Path(f"/proc/{pid}").exists():
        yield ok("proxy", f"HAProxy runs (process {pid}), its configuration is sound")
    else:
        yield fail("proxy", "HAProxy does not run", "Start the platform anew: sudo scripts/up")


def wall(settings: Settings) -> Iterator[Finding]:
    """The rules that keep apps off the host."""
    missing = firewall.missing(settings.name, bridge_prefix(settings.name))
    if missing is None:
        yield warn("firewall", "this machine does not let us look at its rules", "Install iptables, and give the container NET_ADMIN.")
    elif missing:
        yield fail("firewall", f"apps can reach the host: no rule in {' and '.join(missing)}", "Put them back: sudo scripts/up")
    else:
        yield ok("firewall", "apps can not reach the host's own ports, nor cloud metadata")


def modes(settings: Settings) -> Iterator[Finding]:
    """Who may read what: folders as set-up made them, secrets for their owner alone."""
    wrong = [path for path, owner, mode in folders.table(settings) if path.exists() and not _is(path, owner, mode)]
    for path in wrong:
        yield fail("files", f"{path} has another owner or mode than it should", "Put it right: sudo scripts/up")
    for path in _secrets(settings):
        if path.exists() and path.stat().st_mode & 0o007:
            yield fail("files", f"{path} holds a secret and everybody may read it", f"chmod o-rwx {path}")
    if not wrong:
        yield ok("files", "folders belong to whom they should")


def _secrets(settings: Settings) -> list[Path]:
    found = [
        settings.database.parents[1] / "secret.key",
        settings.registry_logins,
        settings.acme,
        settings.database,
        *settings.ssh.glob("*key"),
    ]
    return [*found, *settings.database.parent.glob("*"), *(settings.proxy / "certificates").glob("*.pem")]


def _is(path: Path, owner: str, mode: int) -> bool:
    facts = path.stat()
    return path.owner() == owner and facts.st_mode & 0o7777 == mode


def _pid(path: Path) -> int:
    try:
        return int(path.read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return 0
