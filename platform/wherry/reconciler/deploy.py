"""A push becomes a release that serves: build, release command, boot, switch, commit. Told top to bottom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from wherry import clock, failpoint
from wherry.building.builder import Built
from wherry.errors import DeployFailed
from wherry.model.app import App
from wherry.model.build import Build
from wherry.model.limits import more
from wherry.model.process import RELEASE
from wherry.model.release import Release, serves
from wherry.reconciler import sources
from wherry.reconciler.converge import clear_way, ensure_network
from wherry.reconciler.desired import desired_of, spec_of
from wherry.reconciler.first_config import add_first_config, keep
from wherry.reconciler.scripts import run_scripts, scripts_of
from wherry.reconciler.sources import Found
from wherry.reconciler.switch import go_live, known_release, new_release
from wherry.reconciler.told import address, rest
from wherry.reconciler.work import Work
from wherry.running.engine import InstanceSpec
from wherry.store import apps, builds, releases

RELEASE_TIMEOUT = 600


def deploy(work: Work) -> None:
    """Finishes or fails the operation of a push; goes on from the facts that an earlier owner reached."""
    first = work.operation.progress.get("first", work.app().release is None)
    build = _known_build(work) or _build(work, first)
    if build is None:
        return
    release = known_release(work) or _release(work, build)
    scripts = scripts_of(build, first)
    if work.operation.progress.get("live"):
        _end_after(work, release, scripts)
        return
    work.say(f"-----> Release {release.version}")
    afterwards = partial(_follow, work, release, scripts) if scripts or sources.moves_a_branch(work) else None
    go_live(work, release, lambda: _live_line(work, release), afterwards, _release_phase(work, release))


def _follow(work: Work, release: Release, scripts: list[str]) -> None:
    """What comes after going live and before the end of the operation."""
    sources.settle(work, release.build.commit)
    if scripts:
        run_scripts(work, release, scripts)


def _end_after(work: Work, release: Release, scripts: list[str]) -> None:
    """The release was live when an earlier owner died; only what follows that is left."""
    _follow(work, release, scripts)
    with work.outside.database.write() as connection:
        work.succeed(connection, release=release.version)


def _live_line(work: Work, release: Release) -> str:
    """The last word of a push: where the app is, or why visitors do not see it yet."""
    app = work.app()
    route = work.outside.proxy.routes().get(app.name)
    if route and route.targets:
        return f"-----> Live in {work.seconds():.1f} s: {address(work, app)}"
    ready = f"-----> {release.version} is in place after {work.seconds():.1f} s"
    if app.stopped:
        return f"{ready}; {rest(work, app)}"
    if "web" in release.build.processes:
        return f"{ready}; no web instance runs. Start one: {work.command} ps:scale {app.name} web=1"
    return f"{ready}; it has no web process, so it answers no visitor"


def _known_build(work: Work) -> Build | None:
    number = work.operation.progress.get("build")
    if number is None:
        return None
    with work.outside.database.read() as connection:
        return builds.get(connection, number)


def _build(work: Work, first: bool) -> Build | None:
    """None when that runs already: then the operation has ended."""
    with sources.found(work) as found:
        if "from" in work.operation.payload and _runs_already(work, found):
            return None
        app = work.app()
        built = _built(work, found, app, first)
    failpoint.at("build_end")
    with work.outside.database.write() as connection:
        build = builds.add(
            connection,
            Build(
                id=0,
                app_id=app.id,
                commit=found.commit,
                tree=found.tree,
                buildpack=built.buildpack,
                image=built.image,
                size=built.size,
                processes=built.processes,
                created_at=clock.now(),
                checks=built.checks,
                formation=built.formation,
                root=built.root,
                port=built.port,
                settings=app.build,
                origin=found.origin,
                scripts=built.scripts,
                cron=built.cron,
                sizes=built.sizes,
            ),
        )
        work.reached(connection, build=build.id, first=first)
    return build


def _built(work: Work, found: Found, app: App, first: bool) -> Built:
    builder = work.outside.builder
    with work.turn_to_build():
        failpoint.at("build_start")
        if found.image:
            return builder.adopt(app.name, found.image, work.say)
        if first and add_first_config(work, builder.env(sources.source_of(found, app))):
            app = replace(app, config=work.app().config)
        work.check_room()
        no_cache = "nocache" in work.operation.payload["options"]
        with work.outside.database.read() as connection:
            source = sources.source_of(found, app, builds.newest(connection, app))
        source = replace(source, keep=partial(keep, work))
        return builder.build(source, work.say, no_cache=no_cache, cancelled=partial(_not_wanted, work))


def _not_wanted(work: Work) -> bool:
    """What a builder asks all the time while it builds."""
    failpoint.at("build_middle")
    return work.cancelled()


def _runs_already(work: Work, found: Found) -> bool:
    """What was fetched may be what runs. A push was asked before it came here."""
    with work.outside.database.read() as connection:
        app = apps.get(connection, work.operation.app)
        carried = releases.running(connection, app)
    if carried is None or work.operation.payload["options"] or not serves(carried, app, found.tree):
        return False
    sources.settle(work, found.commit)
    same = f"{app.name} already runs {found.words} with this config as v{app.release}; nothing to do"
    work.detail(f"{same} (--force to deploy anyway)")
    with work.outside.database.write() as connection:
        work.succeed(connection, message=same)
    return True


def _release(work: Work, build: Build) -> Release:
    app = work.app()
    return new_release(work, build, app.config, f"Deploy {_words(build)}")


def _words(build: Build) -> str:
    return f"{build.origin} ({build.commit[:7]})" if build.origin else build.commit[:7]


def _release_phase(work: Work, release: Release) -> Callable[[], None] | None:
    """Runs the release command, or answers with what runs it once the instances that it may not run beside are gone."""
    if RELEASE not in release.build.processes or work.operation.progress.get("release_command_done"):
        return None
    app = work.app()
    spec = spec_of(app, release, RELEASE, 0, work.outside.settings)
    if not spec.needs_alone:
        work.outside.memory.keep_no_longer(app.name)  # it may take minutes, and nothing was moved before it
        _run_release_command(work, spec)
        return None

    def alone() -> None:
        desired = desired_of(app, release, work.outside.settings)
        clear_way(work.outside, desired, spec, work.detail, work.pause)
        _run_release_command(work, spec)

    return alone


def _run_release_command(work: Work, spec: InstanceSpec) -> None:
    """Heroku's release phase: one command in the new image before traffic; its failure fails the release."""
    work.say(f"-----> Running release command: {spec.command}")
    ensure_network(work.outside, work.operation.app)
    ended = work.outside.engine.run(spec, RELEASE_TIMEOUT, lambda text: work.say(f"       {text}"))
    if ended.exit_code or ended.oom:
        how = f"ran out of memory ({spec.memory} MB)" if ended.oom else f"exited with code {ended.exit_code}"
        hint = f"Give it more: wherry ps:type {spec.app} {more(RELEASE, spec.memory)}" if ended.oom else "Its output is above."
        raise DeployFailed(f"the release command {how}", code="release_command", hint=hint)
    with work.outside.database.write() as connection:
        work.reached(connection, release_command_done=True)
