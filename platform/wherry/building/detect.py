"""Decides how a pushed tree is built: by its Dockerfile, else by the first buildpack that knows it; and what it runs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from wherry.building import programs
from wherry.building.archive import MAX_LOCK, Tree
from wherry.building.buildpack import ANYTHING, Buildpack, Plan, WebRule
from wherry.building.failure import refuse, shown
from wherry.building.look import Look, find, holds
from wherry.building.programs import Program
from wherry.errors import DeployFailed

DOCKERFILE = "Dockerfile"
MAX_FOLLOWED = 50
NOT_THEIRS = re.compile(r"(?:^|/)(?:\.[^/]*|node_modules|vendor|venv|site-packages|__MACOSX|tests?)/")
"""Folders that hold what others wrote, or what is no app."""


@dataclass(frozen=True)
class Detected:
    """`buildpack` and `plan` are None for a Dockerfile. `files` are the dependency files, `gathered` those that are taken as
    they are; `sources` says that some dependencies lie in the app's own folder; `flags` are for the template; `notes` are
    lines for the person who pushed. `by` is what another buildpack detected, which builds what this one serves. `programs`
    are those of a compiled language."""

    buildpack: Buildpack | None = None
    plan: Plan | None = None
    files: tuple[str, ...] = ()
    sources: bool = False
    notes: tuple[str, ...] = ()
    gathered: tuple[str, ...] = ()
    flags: dict[str, bool] = field(default_factory=dict)
    by: Detected | None = None
    programs: tuple[Program, ...] = ()

    @property
    def installer(self) -> Detected:
        """Whose dependency files and version count."""
        return self.by or self


def detect(tree: Tree, packs: Sequence[Buildpack]) -> Detected:
    """Raises DeployFailed: nothing detected (what was looked for, what is there), or an app that contradicts itself."""
    if DOCKERFILE in tree.members:
        if not tree.has(DOCKERFILE):
            tree.text(DOCKERFILE)
        return Detected()
    if not any(not member.isdir() for member in tree.members.values()):
        raise refuse("the push holds no files", "Commit the app's files and push again.", code="nothing_to_build")
    for pack in packs:
        detected = _with(pack, tree, packs)
        if detected:
            return detected
    # Only now: a file that one language misses something beside may be a mere script in an app of another.
    raise next((found for pack in packs if (found := _unready(pack, tree))), None) or _nothing(tree, packs)


def web_command(tree: Tree, detected: Detected) -> tuple[str, str]:
    """The `web` command of an app without a Procfile, and what it was recognised as. Raises DeployFailed when there is none."""
    pack = detected.buildpack
    assert pack is not None
    lacking = []
    for rule in pack.webs:
        match = _shown_in(tree, rule)
        if match is None or (rule.names and not tree.has(match[rule.names].removeprefix("./"))):
            continue
        if _has_needs(tree, detected, rule):
            command = re.sub(r"\{(\d)\}", lambda place, found=match: str(found[int(place[1])]), rule.command)  # type: ignore[misc]
            return command, f"{rule.what} in {rule.file}"
        lacking.append(rule)
    if lacking:
        raise _lacks(detected, lacking[0])
    return _of_programs(detected.programs, _procfile_hint(pack))


def _shown_in(tree: Tree, rule: WebRule) -> re.Match[str] | None:
    """The match of the rule's pattern. A file that only has to be there is not read: it need be no text of ours."""
    if not tree.has(rule.file):
        return None
    text = "" if rule.pattern is ANYTHING else find(tree, Look(rule.file, rule.key)) if rule.key else tree.text(rule.file)
    return rule.pattern.search(text) if text is not None else None


def _of_programs(found: tuple[Program, ...], hint: str) -> tuple[str, str]:
    """The command and its reason when a compiled app has one program that is meant. Raises DeployFailed."""
    meant = programs.default(found)
    if meant:
        return meant.name, f"{meant.name} is the {'only program' if len(found) == 1 else 'program at the top of the tree'}"
    if found:
        names = ", ".join(program.name for program in found[:12])
        message = f"there is no Procfile, and the app has {len(found)} programs: {names}"
        raise refuse(message, f'Commit a Procfile with a line such as "web: {found[0].name}"', code="no_process")
    raise refuse("there is no Procfile, and no web process was recognised", hint, code="no_process")


def direct(tree: Tree, pack: Buildpack, command: str) -> str:
    """The command that `command` only starts, when it is such a shortcut (`npm start`) and does nothing more; else itself."""
    for shortcut in pack.shortcuts:
        match = shortcut.pattern.fullmatch(command)
        if not match:
            continue
        keys = [tuple(part.replace("{1}", match[1]) for part in key) for key in (shortcut.key, *shortcut.unless)]
        meant, *more = [find(tree, Look(shortcut.file, key)) for key in keys]
        if meant and meant.isprintable() and not any(more) and not (shortcut.not_plain and shortcut.not_plain.search(meant)):
            return meant.strip()
    return command


def _with(pack: Buildpack, tree: Tree, packs: Sequence[Buildpack]) -> Detected | None:
    locks = list(dict.fromkeys(plan.lock for plan in pack.plans if plan.lock and tree.has(plan.lock)))
    if len(locks) > 1:
        names = " and ".join(locks)
        raise refuse(
            f"{names} contradict each other: they are lock files of different tools", "Keep one and remove the other.", code="two_locks"
        )
    for plan in pack.plans:
        if all(tree.has(name) for name in plan.files) and _required(plan, tree) and holds(tree, plan.when, plan.unless):
            by = next((found for other in packs if other.name == plan.by and (found := _with(other, tree, packs))), None)
            if by or not plan.by:
                return _planned(pack, plan, tree, by)
    return None


def _required(plan: Plan, tree: Tree) -> bool:
    return plan.require is None or plan.require.search(tree.text(plan.files[0], MAX_LOCK) or "") is not None


def _planned(pack: Buildpack, plan: Plan, tree: Tree, by: Detected | None) -> Detected:
    texts = {name: tree.text(name, MAX_LOCK) or "" for name in plan.files if not plan.bare}
    files = _followed(plan, tree, texts)
    files += [name for name in plan.also if tree.has(name)]
    sources = plan.sources is not None and any(plan.sources.search(text) for text in texts.values())
    others = [
        other.files[0] for other in pack.plans if not other.lock and not other.bare and plan.lock and other.files[0] not in plan.files
    ]
    notes = [f"{plan.lock} decides; {name} is not used" for name in others if tree.has(name)]
    fitting = [note for note in pack.notes if not note.config and (not note.plans or plan.name in note.plans)]
    notes += [note.text for note in fitting if holds(tree, note.when, note.unless)]
    gathered = tuple(name for name in tree.members if plan.gather and plan.gather.fullmatch(name) and name not in files)
    flags = {flag.name: holds(tree, flag.when, flag.unless) for flag in pack.flags}
    said = (*(by.notes if by else ()), *notes)
    return Detected(pack, plan, tuple(files), sources, said, gathered, flags, by, programs.find(tree, pack))


def _followed(plan: Plan, tree: Tree, texts: dict[str, str]) -> list[str]:
    """The plan's files and every file they name. `texts` gains what is read."""
    waiting = list(texts)
    while plan.follow and waiting:
        name = waiting.pop()
        for target in plan.follow.findall(texts[name]):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
            if path in texts:
                continue
            text = tree.text(path, MAX_LOCK)
            if text is None or len(texts) > MAX_FOLLOWED:
                raise refuse(
                    f"{name} names {shown(target)}, which is not in the push",
                    f"Commit it, or remove the line from {name}.",
                    code="not_ready",
                )
            texts[path] = text
            waiting.append(path)
    return list(texts)


def _unready(pack: Buildpack, tree: Tree) -> DeployFailed | None:
    for plan in pack.plans:
        if all(tree.has(name) for name in plan.files) and not _required(plan, tree):
            return refuse(plan.otherwise, plan.fix, code="not_ready")
    for entry in pack.unready:
        named = [name for name in tree.members if (entry.glob.fullmatch(name) if entry.glob else name == entry.file)]
        if named:
            return refuse(entry.message.replace("{file}", sorted(named)[0]), entry.fix, code="not_ready")
    return None


def _has_needs(tree: Tree, detected: Detected, rule: WebRule) -> bool:
    """The recognised app needs a server among its dependencies; without one it would only fail later."""
    if not rule.needs:
        return True
    form = re.compile(rf"(?i)(?<![A-Za-z0-9_-]){re.escape(rule.needs)}(?![A-Za-z0-9_-])")
    texts = [tree.text(name, MAX_LOCK) or "" for name in detected.files]
    return any(form.search(text) or (rule.brought and rule.brought.search(text)) for text in texts)


def _lacks(detected: Detected, rule: WebRule) -> DeployFailed:
    return refuse(
        f"{rule.file} is a {rule.what} app without a Procfile, and {rule.needs} is not among its dependencies",
        f"Add {rule.needs} to {detected.files[0]}, or commit a Procfile with a web process of your own.",
        code="no_process",
    )


def _procfile_hint(pack: Buildpack) -> str:
    example = next((rule.command.replace("{1}", "app") for rule in reversed(pack.webs) if not rule.command.startswith("{1}")), "./server")
    return f'Commit a Procfile with a line such as "web: {example}"'


def _nothing(tree: Tree, packs: Sequence[Buildpack]) -> DeployFailed:
    looked = [DOCKERFILE, *dict.fromkeys(plan.lock or plan.files[0] for pack in packs for plan in pack.plans)]
    there = [shown(name) for name in tree.top()]
    more = f" and {len(there) - 12} more" if len(there) > 12 else ""
    return refuse(
        f"nothing says how to build this app: looked for {', '.join(looked)}; found {', '.join(there[:12])}{more}",
        _where_else(tree, looked),
        code="not_detected",
    )


def _where_else(tree: Tree, looked: Sequence[str]) -> str:
    """The way out: the folder that holds what was looked for, or the name that only its letters' case keeps from being it."""
    spelled = {name.lower(): name for name in looked}
    other = next((name for name in tree.top() if name.lower() in spelled), None)
    if other:
        return f"{shown(other)} has to be called {spelled[other.lower()]}: git mv {shown(other)} {spelled[other.lower()]}"
    top = "These files must lie at the top of the repository"
    found = sorted((name.count("/"), name) for name in tree.members if posixpath.basename(name) in looked and not NOT_THEIRS.search(name))
    folders = list(dict.fromkeys(posixpath.dirname(name) for _, name in found))
    if not folders or not re.fullmatch(r"[A-Za-z0-9._/-]{1,80}", folders[0]):
        return f"{top}."
    holds = [posixpath.basename(next(name for _, name in found if posixpath.dirname(name) == folder)) for folder in folders[:2]]
    more = f" (and {shown(folders[1])} has {holds[1]})" if folders[1:] else ""
    return f"{top}. {folders[0]}/ has {holds[0]}{more}; to build that: wherry build:set APP dir={folders[0]}"
