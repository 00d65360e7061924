"""Says that nothing tells how to build an app: what was looked for, what is there, and the way out."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from wherry.building.archive import Tree
from wherry.building.buildpack import Buildpack
from wherry.building.deeper import further_down
from wherry.building.dockerfile import DOCKERFILE
from wherry.building.failure import refuse, shown
from wherry.errors import DeployFailed

TOP = "The app's files must lie at the top of the repository."


def nothing(tree: Tree, packs: Sequence[Buildpack]) -> DeployFailed:
    there = [shown(name) for name in tree.top()]
    more = f" and {len(there) - 12} more" if len(there) > 12 else ""
    looked = {pack.title: files for pack in packs if (files := _files(pack))}
    return refuse(
        f"nothing says how to build this app: no {DOCKERFILE}, and no file of a known language; found {', '.join(there[:12])}{more}",
        _way_out(tree, packs, [DOCKERFILE, *(name for files in looked.values() for name in files)]),
        code="not_detected",
        heading="Looked for:",
        evidence=(DOCKERFILE, *(f"{title}: {', '.join(files)}" for title, files in looked.items())),
    )


def _files(pack: Buildpack) -> list[str]:
    """What each way of building starts from. What another language builds first is named there."""
    return list(dict.fromkeys(plan.lock or plan.files[0] for plan in pack.plans if not plan.by))


def _way_out(tree: Tree, packs: Sequence[Buildpack], looked: Sequence[str]) -> str:
    """The folder that holds what was looked for, or the name that only its letters' case keeps from being it."""
    spelled = {name.lower(): name for name in looked}
    other = next((name for name in tree.top() if name.lower() in spelled), None)
    if other:
        return f"{shown(other)} has to be called {spelled[other.lower()]}: git mv {shown(other)} {spelled[other.lower()]}"
    found = sorted((folder.count("/"), folder, name) for name in dict.fromkeys(looked) for folder in further_down(tree, name))
    holds = {folder: name for _, folder, name in reversed(found)}
    if not found:
        return _unready_folder(tree, packs) or TOP
    first, *others = dict.fromkeys(folder for _, folder, _ in found)
    more = f" (and {others[0]} has {holds[others[0]]})" if others else ""
    return f"{TOP} {first}/ has {holds[first]}{more}; to build that: wherry build:set APP dir={first}"


def _unready_folder(tree: Tree, packs: Sequence[Buildpack]) -> str:
    """The way out for an app further down that would not be ready at the top either, e.g. a Django project without requirements."""
    names = {posixpath.basename(name) for name in tree.members}
    for entry in (entry for pack in packs for entry in pack.unready):
        for name in sorted(name for name in names if (entry.glob.fullmatch(name) if entry.glob else name == entry.file)):
            folder = next(further_down(tree, name), "")
            if folder:
                fix = f"{entry.fix[:1].lower()}{entry.fix[1:]}"
                return f"{TOP} If {folder}/ is the app (it has {name}): in it, {fix} Then: wherry build:set APP dir={folder}"
    return ""
