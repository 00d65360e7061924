"""Runs the scripts of `app.json` that follow a deploy, each in a one-off of the new release. None of them takes it back."""

from __future__ import annotations

from dataclasses import replace

from wherry.errors import WherryError
from wherry.model.build import FIRST_DEPLOY, POSTDEPLOY, Build
from wherry.model.release import Release
from wherry.reconciler.converge import ensure_network
from wherry.reconciler.desired import spec_of
from wherry.reconciler.work import Work

TIMEOUT = 600


def scripts_of(build: Build, first: bool) -> list[str]:
    """The commands to run after this deploy, in order."""
    wanted = [FIRST_DEPLOY, POSTDEPLOY] if first else [POSTDEPLOY]
    return [build.scripts[name] for name in wanted if name in build.scripts]


def run_scripts(work: Work, release: Release, scripts: list[str]) -> None:
    """Runs them in order; one that fails is told, and the next runs all the same."""
    ensure_network(work.outside, work.operation.app)
    for script in scripts:
        work.say(f"-----> Running postdeploy script: {script}")
        failure = _run(work, release, script)
        if failure:
            work.say(f" !     the postdeploy script {failure}; {release.version} is live all the same")


def _run(work: Work, release: Release, script: str) -> str:
    """How it failed, empty when it did not."""
    spec = replace(spec_of(work.app(), release, POSTDEPLOY, 0, work.outside.settings), command=script)
    try:
        ended = work.outside.engine.run(spec, TIMEOUT, lambda text: work.say(f"       {text}"))
    except WherryError as error:
        return f"could not be run: {error.message}"
    return "ran out of memory" if ended.oom else f"exited with code {ended.exit_code}" if ended.exit_code else ""
