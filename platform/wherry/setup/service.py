"""Keeps `wherry serve` running: by systemd where it runs, otherwise in the background by a few lines of shell.

What runs unchanged is left alone; what changed is started anew while the proxy serves on.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

from wherry import clock, command
from wherry.errors import Unavailable
from wherry.running import firewall
from wherry.running.docker_networks import bridge_prefix
from wherry.settings import Settings
from wherry.setup import code, identity, machine, ports, proxy_file, unit, venv
from wherry.supervisor import lock

START_LIMIT = 60.0
STOP_LIMIT = 60.0
THRIFT = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "MALLOC_MMAP_THRESHOLD_": "65536",
    "MALLOC_TOP_PAD_": "16384",
}


def ensure(settings: Settings, doing: Callable[[str], None]) -> str:
    """Starts the platform, or starts it anew when its code, packages or settings are others; waits until it answers."""
    rewritten = _write_unit(settings) if machine.has_systemd() else False
    was_running = is_running(settings)
    unchanged = was_running and identity.running(settings) == identity.of(settings)
    if unchanged and answers(settings):
        return f"platform: running, {_mended(settings, doing) or 'unchanged'}"
    if was_running:
        doing("starting it anew, for it does not answer" if unchanged else "starting the new version, the proxy serves on")
        _renew(settings)
    else:
        doing("starting the platform")
        ports.check(settings)
        _start(settings, rewritten)
    wait(settings)
    if was_running:
        return "platform: started anew, all of it answers" if unchanged else "platform: new version running, no request lost"
    return "platform: started"


def _mended(settings: Settings, doing: Callable[[str], None]) -> str:
    """Puts back what somebody took away below a platform that runs on. Empty when nothing was amiss."""
    return ", ".join(done for done in (_walled(settings), _written_anew(settings, doing)) if done)


def _walled(settings: Settings) -> str:
    """Another program may have flushed the firewall's rules, and the engine makes them only when it starts."""
    bridges = bridge_prefix(settings.name)
    if not firewall.missing(settings.name, bridges):
        return ""
    why = firewall.apply(settings.name, bridges, (settings.http_port, settings.https_port))
    return f"but the firewall's rules are gone: {why}" if why else "the firewall's missing rules are back"


def _written_anew(settings: Settings, doing: Callable[[str], None]) -> str:
    """A file that HAProxy would refuse is met by nobody until HAProxy starts again, and then it serves no one. An engine that starts
    writes what the running HAProxy holds."""
    if not (why := proxy_file.refusal(settings)):
        return ""
    if not proxy_file.is_of_certificate(why):
        doing("writing the proxy's configuration anew, it serves on")
        _renew(settings)
        deadline = clock.monotonic() + START_LIMIT
        while (why := proxy_file.refusal(settings)) and clock.monotonic() < deadline:
            clock.sleep(0.2)
        wait(settings)
        if not why:
            return "the proxy's configuration is written anew"
    return f"but HAProxy would not start again: {why}"


def _renew(settings: Settings) -> None:
    """Has the supervisor start all parts anew, from the code that is there now; HAProxy serves on."""
    os.kill(lock.holder_of(_lock(settings)), signal.SIGUSR2)


def is_running(settings: Settings) -> bool:
    return lock.holder_of(_lock(settings)) > 0


def stop(settings: Settings) -> bool:
    """Stops all processes of the platform, for good: a reboot does not bring them back. False when nothing ran."""
    holder = lock.holder_of(_lock(settings))
    if machine.has_systemd() and unit.path(settings).exists():
        command.run(["systemctl", "disable", "--now", settings.name], timeout=STOP_LIMIT + 30, check=False)
    elif holder:
        os.kill(holder, signal.SIGTERM)
    deadline = clock.monotonic() + STOP_LIMIT
    while is_running(settings):
        if clock.monotonic() > deadline:
            raise Unavailable(f"the platform (process {holder}) did not stop within {STOP_LIMIT:g} s", code="not_stopped")
        clock.sleep(0.05)
    return holder > 0


def answers(settings: Settings) -> bool:
    """The API answers, SSH greets, and the proxy accepts."""
    return _api(settings.api_socket) and _greets(settings.ssh_port) and _serves(settings.http_port)


def argv(settings: Settings) -> list[str]:
    return [str(venv.python(settings)), "-I", str(code.folder(settings) / "platform" / "wherry" / "main.py"), "serve"]


def environment(settings: Settings) -> dict[str, str]:
    """The C library gives memory back early and shares its heaps: some 6 MB of the 100 that a small machine has for us."""
    return {"WHERRY_HOME": str(settings.home), "LANG": "C.UTF-8", **THRIFT}


def last_words(settings: Settings, lines: int = 8) -> tuple[str, ...]:
    """The end of what the platform logged."""
    if machine.has_systemd():
        out = command.run(["journalctl", "-u", settings.name, "-n", str(lines), "-o", "cat", "--no-pager"], check=False).out
        return tuple(out.decode("utf-8", "replace").splitlines())
    log = settings.platform_log
    return tuple(log.read_text("utf-8", "replace").splitlines()[-lines:]) if log.exists() else ()


def _lock(settings: Settings) -> Path:
    return settings.run / "serve.lock"


def _write_unit(settings: Settings) -> bool:
    path, text = unit.path(settings), unit.text(settings, argv(settings), environment(settings))
    if path.exists() and path.read_text() == text:
        return False
    path.write_text(text)
    command.run(["systemctl", "daemon-reload"])
    return True


def _start(settings: Settings, rewritten: bool) -> None:
    if machine.has_systemd():
        command.run(["systemctl", "enable", "--quiet", settings.name], check=False)
        command.run(["systemctl", "restart" if rewritten else "start", settings.name], timeout=120)
        return
    keeper = code.folder(settings) / "platform" / "wherry" / "setup" / "keep-running"
    with settings.platform_log.open("ab") as log:
        command.spawn(["/bin/sh", str(keeper), *argv(settings)], env=environment(settings), cwd=Path("/"), stdout=log, stderr=log)


def wait(settings: Settings) -> None:
    """Until the platform of this very code and these settings answers. Raises Unavailable with its last words."""
    deadline = clock.monotonic() + START_LIMIT
    while not (identity.running(settings) == identity.of(settings) and answers(settings)):
        if clock.monotonic() > deadline:
            silent = [name for name, well in parts(settings) if not well] or ["the new version"]
            trouble = Unavailable(f"no answer from {', '.join(silent)} within {START_LIMIT:g} s", hint="It said:", code="not_started")
            trouble.evidence = last_words(settings)  # type: ignore[attr-defined]
            raise trouble
        clock.sleep(0.05)


def parts(settings: Settings) -> list[tuple[str, bool]]:
    """Which of the platform's doors are answered."""
    return [("the API", _api(settings.api_socket)), ("SSH", _greets(settings.ssh_port)), ("the proxy", _serves(settings.http_port))]


def _api(path: Path) -> bool:
    connection = http.client.HTTPConnection("localhost", timeout=5.0)
    try:
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(5.0)
        connection.sock.connect(str(path))
        connection.request("GET", "/api")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 2.0) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _serves(port: int, patience: float = 5.0) -> bool:
    """Whether HTTP is answered there, however: for a proxy that hangs, the kernel still takes connections."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
    try:
        connection.request("GET", "/", headers={"Host": "doctor.invalid"})
        return connection.getresponse().status > 0
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
