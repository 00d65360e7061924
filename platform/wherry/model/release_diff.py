"""What differs between two releases, line by line, in words for people. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from wherry.model.build import Build
from wherry.model.release import Release
from wherry.model.shape import Shape


@dataclass(frozen=True)
class Difference:
    """`what` is the noun (`config`, `image` …), `name` the one of them; `before` is None for what was added, `after` for
    what was removed. `hidden` says that both values were taken out: they may be secret."""

    what: str
    name: str
    before: str | None
    after: str | None
    hidden: bool = False

    @property
    def change(self) -> str:
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


def differences(before: Release, after: Release) -> list[Difference]:
    """All that changed from `before` to `after`, values of config vars included; `hide` takes those out."""
    old, new = _facts(before), _facts(after)
    return [
        Difference(what, name, old[what].get(name), new[what].get(name))
        for what in new
        for name in sorted({*old[what], *new[what]})
        if old[what].get(name) != new[what].get(name)
    ]


def hide(difference: Difference) -> Difference:
    """Without the values of a config var; whether it was added, removed or changed stays to be seen."""
    if difference.what != "config":
        return difference
    return replace(
        difference,
        before=None if difference.before is None else "",
        after=None if difference.after is None else "",
        hidden=True,
    )


def checks_of(release: Release) -> dict[str, str]:
    """Every check as one line by its name: what the source says, then what a person set in its stead."""
    return {**_source_checks(release.build), **_lines(release.shape.checks)}


def _facts(release: Release) -> dict[str, dict[str, str]]:
    build, shape = release.build, release.shape
    return {
        "commit": {"": build.commit},
        "image": {"": build.image},
        "config": release.config,
        "process": build.processes,
        "formation": {name: str(quantity) for name, quantity in shape.formation.items()},
        "domain": _domains(shape),
        "check": checks_of(release),
        "limit": _lines(shape.limits),
        "volume": {_line(mount): "" for mount in shape.mounts},
    }


def _domains(shape: Shape) -> dict[str, str]:
    own = dict.fromkeys(shape.domains, "")
    return {**own, "the default one": ""} if shape.default_host else own


def _source_checks(build: Build) -> dict[str, str]:
    return {
        f"{process}.{index}": _line({key: value for key, value in asdict(check).items() if value})
        for process, checks in build.checks.items()
        for index, check in enumerate(checks, 1)
    }


def _lines(document: Mapping[str, Any]) -> dict[str, str]:
    return {name: _line(value) for name, value in document.items()}


def _line(value: Any) -> str:
    """`path=/healthz timeout=5` for a flat document, JSON for a deeper one."""
    if isinstance(value, dict) and not any(isinstance(inner, (dict, list)) for inner in value.values()):
        return " ".join(f"{name}={inner}" for name, inner in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
