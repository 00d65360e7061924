"""What git runs before it takes a push: decides, hands the commit to the engine, follows the deploy, says how it went.

The exit status is the deploy's: a push that fails changes nothing that visitors see, and git refuses its refs. The
engine does the work, so when this process dies the deploy goes on; the same push again joins it or finds it done.
"""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass

from wherry import failpoint
from wherry import settings as settings_module
from wherry.errors import Conflict, WherryError
from wherry.faces.git_hook import turn
from wherry.faces.git_hook.screen import PATIENCE, Gone, Screen
from wherry.model.disk import trouble_of
from wherry.model.operation import Operation
from wherry.model.origin import Remote
from wherry.model.user import Actor
from wherry.own_name import USUAL
from wherry.receiving import errand, refs, repositories, submodules
from wherry.receiving.archive import Commit, Module, Source
from wherry.receiving.tree import Entry
from wherry.services import operations, platform, pushes
from wherry.services.platform import Platform

QUIET = 5
"""Seconds in the queue without another operation in sight after which we say that the engine is not there."""


@dataclass(frozen=True)
class Push:
    """Everything a push is, as the receiver and git have told it in `env`."""

    platform: Platform
    actor: Actor
    app: str
    options: tuple[str, ...]
    source: Source
    screen: Screen
    lock: int


def main(env: Mapping[str, str], stdin: bytes, screen: Screen) -> int:
    """Returns 0 when git may take the refs, 1 when not."""
    try:
        push = _read(env, screen)
        return _answer(push, refs.decide(refs.read(stdin), push.platform.settings.branch, push.app))
    except Gone:
        turn.give_up(int(env["WHERRY_LOCK"]))
    except WherryError as error:
        screen.refuse(error)
    return 1


def _read(env: Mapping[str, str], screen: Screen) -> Push:
    options = tuple(env.get(f"GIT_PUSH_OPTION_{number}", "") for number in range(int(env.get("GIT_PUSH_OPTION_COUNT", "0"))))
    actor = Actor(env["WHERRY_ACTOR"], env["WHERRY_ROLE"], "ssh")
    of_git = {key: value for key, value in env.items() if key.startswith("GIT_") and not key.startswith("GIT_PUSH_")}
    known = platform.of(settings_module.load(env))
    failpoint.arm(known.settings.failpoints, known.settings.struck)
    return Push(known, actor, env["WHERRY_APP"], options, Source(of_git), screen, int(env["WHERRY_LOCK"]))


def _answer(push: Push, decision: refs.Decision) -> int:
    if isinstance(decision, refs.Refuse):
        push.screen.warn(decision.reason)
        push.screen.detail(decision.hint)
        return 1
    failpoint.at("receive")
    for note in decision.notes:
        push.screen.detail(note)
    return _deploy(push, decision.update) if isinstance(decision, refs.Deploy) else 0


def _deploy(push: Push, update: refs.Update) -> int:
    turn.take(push.lock, push.screen, push.app)
    failpoint.at("lock")
    commit = push.source.look_up(update.new, update.ref)
    if commit.ref_now != ("" if not update.old.strip("0") else update.old):
        raise Conflict(f"{update.short} moved to {commit.ref_now[:7]} while you were pushing.", hint="Look at it: git fetch wherry")
    push.source.check_history(commit.id)
    pushes.check_options(tuple(option for option in push.options if option != pushes.PLAN))
    if pushes.PLAN in push.options:
        return _plan(push, commit)
    running = None if push.options else pushes.already_running(push.platform, push.app, commit.tree)
    if running:
        same = f"{push.app} already runs {commit.id[:7]} with this config as {running}"
        push.screen.detail(f"{same}; nothing to do (push -o force to deploy anyway)")
        return 0
    return _follow(push, _joined(push, commit) or _queued(push, commit))


def _plan(push: Push, commit: Commit) -> int:
    """Shows what a push would do. git is told no: were the ref taken, the push that is meant would send nothing."""
    with push.source.archived(commit.id, push.platform.settings.spool) as archive:
        modules = _modules(push, commit, push.source.check_tree(commit.tree))
        operation = pushes.plan(push.platform, push.actor, push.app, commit.id, commit.tree, archive.finish(modules))
    push.screen.head(f"Plan for {push.app} at {commit.id[:7]}")
    if _follow(push, operation) == 0:
        push.screen.detail("This was a plan (-o plan): nothing was built, nothing changed. git says rejected, for it took nothing.")
    return 1


def _joined(push: Push, commit: Commit) -> Operation | None:
    """The deploy of this very tree that is under way already: an earlier push whose connection dropped."""
    if push.options:
        return None
    last = next((found for found in _unfinished(push) if found.kind in ("deploy", "rollback")), None)
    if last is None or last.payload.get("tree") != commit.tree:
        return None
    push.screen.head(f"{push.app} at {commit.id[:7]} is being deployed already, by {last.actor}: following operation {last.id}")
    return last


def _queued(push: Push, commit: Commit) -> Operation:
    """Archives the commit while looking at its tree, then queues the deploy. Nothing is created when the tree is refused."""
    pushes.check_room(push.platform, push.app, 0)
    with push.source.archived(commit.id, push.platform.settings.spool) as archive:
        links = push.source.check_tree(commit.tree)
        pushes.app_for(push.platform, push.actor, push.app)
        path = archive.finish(_modules(push, commit, links))
        failpoint.at("archive")
        pushes.check_room(push.platform, push.app, path.stat().st_size)
        before = _unfinished(push)
        operation = pushes.deploy(push.platform, push.actor, push.app, commit.id, commit.tree, path, push.options)
    failpoint.at("queue")
    goes_on = f"Neither Ctrl-C nor a lost connection stops it: {push.platform.settings.name} builds:cancel {operation.id} does"
    push.screen.head(f"{push.app} at {commit.id[:7]} by {push.actor.name}. {goes_on}")
    for other in before[:1]:
        push.screen.detail(f"waiting for operation {other.id} ({other.kind} by {other.actor})")
    return operation


def _modules(push: Push, commit: Commit, links: list[Entry]) -> list[Module]:
    """The files of submodules, fetched now: what is built is what the pusher has before them."""
    if not links:
        return []
    known = push.platform.settings

    def bring(remote: Remote, commit: str) -> None:
        push.screen.detail(f"fetching {remote.url}")
        errand.run(known, {"kind": "submodule", "app": push.app, "url": remote.url, "commit": commit}, push.screen.say)

    store = submodules.Store(repositories.path_of(known, push.app), bring)
    return submodules.collect(push.source, commit.tree, links, store)


def _unfinished(push: Push) -> list[Operation]:
    return operations.unfinished(push.platform, push.actor, push.app)


def _follow(push: Push, operation: Operation) -> int:
    silence = 0
    for line in operations.follow(push.platform, push.actor, operation.id):
        if line is None:
            push.screen.check()
            silence += 1
            if silence == QUIET:
                _explain_silence(push, operation)
        else:
            silence = -sys.maxsize
            push.screen.say(line)
    failpoint.at("unlock")
    return _outcome(push, operations.get(push.platform, push.actor, operation.id))


def _explain_silence(push: Push, operation: Operation) -> None:
    now = operations.get(push.platform, push.actor, operation.id)
    if now.state == "queued" and len(_unfinished(push)) == 1:
        push.screen.detail("queued; the engine has not taken it up yet")


def _outcome(push: Push, operation: Operation) -> int:
    """The engine has written why into the log; only a cancellation of what it had not begun is ours to say."""
    if operation.state == "cancelled" and operation.error is None:
        push.screen.warn(f"operation {operation.id} was cancelled; nothing changed")
    return 0 if operation.state == "succeeded" else 1


def run(env: Mapping[str, str]) -> int:
    """The process: reads git's lines, ends cleanly on a hang-up, and shows no traceback to a pusher."""
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: sys.exit(1))
    screen = Screen(sys.stderr.fileno(), float(env.get("WHERRY_PATIENCE", PATIENCE)), env.get("WHERRY_NAME", USUAL))
    try:
        return main(env, sys.stdin.buffer.read(), screen)
    except Gone:
        return 1
    except Exception as error:
        if trouble := trouble_of(error):
            screen.refuse(trouble)
            return 1
        where = traceback.extract_tb(error.__traceback__)[-1]
        screen.warn(f"an unexpected error of Wherry's own: {type(error).__name__} in {where.name}, line {where.lineno} of {where.filename}")
        screen.detail("Please report it with the output of: wherry doctor --bundle")
        return 1
