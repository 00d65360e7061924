"""Decides what a push means: one deploy at most, and which; or why nothing is deployed. Pure.

Rules: the platform's branch deploys (`main` also goes by `master`). Tags and other branches that come along with it
are stored and said so; on their own they are refused, because a push that deploys nothing should not look like one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from wherry.errors import InvalidInput

LINE = rb"([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) ([^ \n\0]+)"
HEADS, TAGS = "refs/heads/", "refs/tags/"


@dataclass(frozen=True)
class Update:
    """One line of what pre-receive reads: `ref` goes from commit `old` to `new`; all zeros is "not there"."""

    old: str
    new: str
    ref: str

    @property
    def deletes(self) -> bool:
        return not self.new.strip("0")

    @property
    def short(self) -> str:
        """The name as a person says it, made harmless to print."""
        name = self.ref.removeprefix(HEADS).removeprefix(TAGS)
        return ascii(name)[1:-1][:60]


@dataclass(frozen=True)
class Deploy:
    """Deploy what `update` brings; `notes` are sentences about the other refs."""

    update: Update
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Store:
    """Nothing to deploy and nothing wrong: `notes` say what happened."""

    notes: tuple[str, ...]


@dataclass(frozen=True)
class Refuse:
    """`reason` says what, `hint` the way out."""

    reason: str
    hint: str = ""


Decision = Deploy | Store | Refuse


def read(data: bytes) -> list[Update]:
    """The updates on pre-receive's standard input. Raises InvalidInput when it is not git that speaks."""
    updates = []
    for line in data.splitlines():
        found = re.fullmatch(LINE, line)
        if found is None:
            raise InvalidInput("git sent a ref update that can not be read", code="bad_refs")
        old, new, ref = (part.decode("utf-8", "surrogateescape") for part in found.groups())
        updates.append(Update(old, new, ref))
    return updates


def decide(updates: Sequence[Update], branch: str, app: str) -> Decision:
    """`branch` is the one that deploys."""
    names = [HEADS + branch, *([HEADS + "master"] if branch == "main" else [])]
    ours = sorted((update for update in updates if update.ref in names), key=lambda update: names.index(update.ref))
    others = [update for update in updates if update.ref not in names]
    if any(update.deletes for update in ours):
        return Refuse(f"{branch} is what {app} runs and is not deleted.", f"To take the app down: wherry apps:destroy {app}")
    if ours:
        return Deploy(ours[0], tuple(_note(update, ours[0]) for update in [*ours[1:], *others]))
    if all(update.deletes for update in others):
        return Store(tuple(f"deleted {update.short}; {app} runs on as it was" for update in others))
    return _nothing_of_ours([update for update in others if not update.deletes], branch)


def _nothing_of_ours(updates: list[Update], branch: str) -> Refuse:
    hint = f"Push what you want live as {branch}: git push wherry HEAD:{branch}"
    if len(updates) > 1:
        return Refuse(f"none of these {len(updates)} refs is deployed: wherry deploys {branch}.", hint)
    (update,) = updates
    kind = "tag" if update.ref.startswith(TAGS) else "branch" if update.ref.startswith(HEADS) else "ref"
    return Refuse(f"the {kind} {update.short} is not deployed: wherry deploys {branch}.", hint)


def _note(update: Update, deployed: Update) -> str:
    what = "deleted" if update.deletes else "stored, not deployed"
    return f"{update.short}: {what} (this push deploys {deployed.short})"
