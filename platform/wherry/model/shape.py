"""A release's shape: how an app ran beside its image and config. Every change of it is a release.

Code (image, config, Procfile, checks, limits) goes back with a rollback. Capacity and names (formation, domains,
volumes) do not: they stay as they are today. To go back to a release with the same code means its formation and domains.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from wherry.model.app import App
from wherry.model.build import Build
from wherry.model.process import quantities


@dataclass(frozen=True)
class Shape:
    """`formation` maps process type to quantity. `domains` are the app's own, `default_host` says whether it answers at
    the platform's for it too. `limits`, `checks` and `mounts` are plain JSON, as `App` has them; their nouns' files in
    this room say what is in them. `global_keys` are the config vars that came from the global ones."""

    formation: dict[str, int] = field(default_factory=dict)
    domains: tuple[str, ...] = ()
    default_host: bool = True
    limits: dict[str, Any] = field(default_factory=dict)
    checks: dict[str, Any] = field(default_factory=dict)
    mounts: list[Any] = field(default_factory=list)
    global_keys: tuple[str, ...] = ()


def shape_of(app: App, build: Build) -> Shape:
    """What `app` would be with `build`, as it is wished now."""
    formation = quantities(build.processes, {**build.formation, **app.formation})
    shared = tuple(sorted(key for key in app.shared if key not in app.config))
    return Shape(formation, app.domains, app.front.default_host, app.limits, app.checks, app.mounts, shared)


def to_json(shape: Shape) -> dict[str, Any]:
    return asdict(shape)


def from_json(document: dict[str, Any]) -> Shape:
    """A release that was made before there were shapes has an empty one."""
    known = {name: document[name] for name in Shape.__dataclass_fields__ if name in document}
    tuples = {name: tuple(known.get(name, ())) for name in ("domains", "global_keys")}
    return Shape(**{**known, **tuples})
