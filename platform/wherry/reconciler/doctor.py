"""Looks at everything on behalf of somebody who is not root: the doctor itself is a short-lived process of its own."""

from __future__ import annotations

import json
import sys
from typing import Any

from wherry import command
from wherry.errors import CommandFailed
from wherry.reconciler.work import Work
from wherry.settings import as_environment, source_root

PATIENCE = 120.0


def doctor(work: Work) -> None:
    """The findings are the operation's log and its result; a bundle waits in the spool folder, for an hour at least."""
    settings = work.outside.settings
    name = f"doctor-{work.operation.id}.tar.gz" if work.operation.payload.get("bundle") else ""
    argv = [sys.executable, "-I", str(source_root() / "platform" / "wherry" / "main.py"), "doctor", "--json"]
    argv += ["--bundle", "--output", str(settings.spool / name)] if name else []
    ran = command.run(argv, env=as_environment(settings), timeout=PATIENCE, check=False)
    try:
        told: dict[str, Any] = json.loads(ran.out)
    except ValueError as error:
        raise CommandFailed(f"the doctor ended with {ran.status} and no answer", hint="Look yourself: sudo wherry doctor") from error
    for finding in told["findings"]:
        work.say(f"{finding['level']:<5} {finding['check']}: {finding['what']}")
        if finding["fix"]:
            work.say(f"      {finding['fix']}")
    with work.outside.database.write() as connection:
        work.succeed(connection, **told, **({"bundle": name} if name else {}))
