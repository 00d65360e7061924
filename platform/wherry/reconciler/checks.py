"""Work about checks: a change of what a person set for them, and asking all of them now."""

from __future__ import annotations

from wherry import clock
from wherry.errors import Conflict, DeployFailed
from wherry.model.check import HealthCheck, Result
from wherry.model.check_settings import CheckSettings, changed, moved, words
from wherry.reconciler.changes import app_and_release, commit_only
from wherry.reconciler.converge import wish_of
from wherry.reconciler.desired import Desired
from wherry.reconciler.switch import go_live, known_release, new_release
from wherry.reconciler.told import in_force
from wherry.reconciler.work import Work
from wherry.running.checking import ask
from wherry.running.engine import Observed


def change(work: Work) -> None:
    """Other settings are a release; its instances are those that run already."""
    app, current = app_and_release(work)
    after = _wished(work, app.checks)
    if current is None:
        commit_only(work, checks=after)
        return
    release = known_release(work) or new_release(work, current.build, app.config, words(app.checks, after), checks=after)
    go_live(work, release, lambda: in_force(work, release.description, release.version))


def run(work: Work) -> None:
    """Asks every check of the instances that run, whatever its type, and says what each saw. Raises DeployFailed when one fails."""
    desired = wish_of(work.outside, work.operation.app)
    instance = work.operation.payload.get("instance")
    seen = [one for one in work.outside.engine.observe(work.operation.app) if _is_meant(work, one, instance)]
    if desired is None or not seen:
        raise Conflict(f"{instance or work.operation.app} does not run", code="nothing_runs", hint=f"See: wherry ps {work.operation.app}")
    asked = [(one, check) for one in sorted(seen, key=lambda one: (one.type != "web", one.name)) for check in desired.checks_of(one.type)]
    failed = sum(not _told(work, desired, one, check) for one, check in asked)
    if failed:
        raise DeployFailed(f"{failed} of {len(asked)} checks failed", code="checks_failed", hint="Nothing was changed by asking.")
    work.say("1 check passes" if len(asked) == 1 else f"{len(asked)} checks pass" if asked else _none(work))
    with work.outside.database.write() as connection:
        work.succeed(connection)


def _none(work: Work) -> str:
    name, settings = work.operation.app, work.app().checks
    off = any(settings.get(key) for key in ("disabled", "skipped"))
    return f"no check is in force; ask again what is off: {work.command} checks:enable {name}" if off else "no check is in force"


def _told(work: Work, desired: Desired, one: Observed, check: HealthCheck) -> bool:
    began = clock.monotonic()
    result: Result = ask(work.outside.engine, work.outside.look, one, check, desired.main_host)
    name = f" ({check.name})" if check.name else ""
    verdict = "passes" if result.passed else "fails"
    work.say(f"{one.name}  {check.type:<9}  {verdict}  {result.words}{name}, {clock.monotonic() - began:.2f} s")
    return result.passed


def _is_meant(work: Work, one: Observed, instance: str | None) -> bool:
    there = one.running and not work.outside.memory.is_leaving(one.id)
    return there and instance in (None, one.name, one.type)


def _wished(work: Work, settings: CheckSettings) -> CheckSettings:
    payload = work.operation.payload
    if "set" in payload:
        return changed(settings, payload["set"])
    return moved(settings, payload["types"], payload["into"])
