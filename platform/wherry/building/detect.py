"""Decides how a pushed tree is built: by its Dockerfile, else by the first buildpack that knows it."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, field

from wherry.building import conflict, programs, undetected
from wherry.building.archive import MAX_LOCK, Tree
from wherry.building.buildpack import Buildpack, Plan
from wherry.building.dockerfile import DOCKERFILE
from wherry.building.failure import refuse, shown
from wherry.building.look import Look, check_object, find, holds
from wherry.building.programs import Program
from wherry.errors import DeployFailed

MAX_FOLLOWED = 50


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
    raise next((found for pack in packs if (found := _unready(pack, tree))), None) or undetected.nothing(tree, packs)


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
    # What is only served may show such lines: a page on git.
    for name, text in () if pack.serves else texts.items():
        conflict.check(name, text)
    if plan.json:
        check_object(plan.lock, texts[plan.lock])
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
