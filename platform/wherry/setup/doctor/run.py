"""All checks in the order in which a person would ask, and the ways to hear what they found."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from wherry.errors import InvalidInput
from wherry.settings import Settings
from wherry.setup.doctor import bundle, on_machine, on_platform, on_state, on_volumes
from wherry.setup.doctor.finding import FAIL, Check, Finding, findings_of, lines_of, summary, to_json


def examine(settings: Settings) -> Iterator[Finding]:
    """Looks at everything, each finding as it comes. Changes nothing."""
    return (found.of(settings.name) for found in _examined(settings))


def _examined(settings: Settings) -> Iterator[Finding]:
    yield from findings_of(_outside_the_database(settings))
    found: list[on_state.State] = []
    yield from findings_of({"database": lambda: _database(settings, found)})
    if found:
        yield from findings_of(_inside(settings, found[0]))


def _outside_the_database(settings: Settings) -> dict[str, Check]:
    return {
        "docker": on_machine.docker,
        "disk": lambda: on_machine.disk(settings),
        "memory": on_machine.memory,
        "clock": on_machine.clock,
        "platform": lambda: on_platform.processes(settings),
        "ports": lambda: on_platform.ports_free(settings),
        "proxy": lambda: on_platform.proxy(settings),
        "firewall": lambda: on_platform.wall(settings),
        "files": lambda: on_platform.modes(settings),
    }


def _database(settings: Settings, found: list[on_state.State]) -> Iterator[Finding]:
    yield from on_state.database(settings)
    if settings.database.exists():
        found.append(on_state.read(settings))


def _inside(settings: Settings, state: on_state.State) -> dict[str, Check]:
    return {
        "containers": lambda: on_state.containers(settings, state),
        "volumes": lambda: on_volumes.volumes(settings, state),
        "operations": lambda: on_state.work(state),
        "apps": lambda: on_state.crashes(state),
        "logs": lambda: on_state.logs(settings, state),
        "certificates": lambda: on_state.certificates_of(state),
        "names": lambda: on_state.names(settings, state),
    }


def doctor(settings: Settings, as_json: bool, with_bundle: bool, output: str) -> int:
    """The command: prints what was found; 1 when something is broken. A bundle goes to `output`, else to a file here, or to
    a pipe, and then the words go to standard error."""
    piped = with_bundle and not output and not sys.stdout.isatty()
    out = sys.stderr if piped else sys.stdout
    findings: list[Finding] = []
    for finding in examine(settings):
        findings.append(finding)
        if not as_json:
            print("\n".join(lines_of(finding)), file=out, flush=True)
    print(json.dumps(to_json(findings), indent=2) if as_json else summary(findings), file=out, flush=True)
    if with_bundle:
        _hand_over(bundle.make(settings, findings), output, piped, out is sys.stderr or as_json)
    return 1 if any(finding.level == FAIL for finding in findings) else 0


def _hand_over(body: bytes, output: str, piped: bool, silent: bool) -> None:
    if piped:
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
        return
    path = Path(output or time.strftime("wherry-doctor-%Y%m%d-%H%M%S.tar.gz", time.gmtime()))
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), "wb") as file:
            file.write(body)
    except OSError as error:
        raise InvalidInput(f"{str(path)!a}: {(error.strerror or 'can not be written').lower()}", field="output") from error
    if not silent:
        print(f"{path}: {len(body) / 1000:.0f} KB, without config vars, keys and tokens. Look at it before you send it.")
