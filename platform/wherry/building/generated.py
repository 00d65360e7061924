"""Config vars that apps of a language do not run without and that nobody needs to know: made at random for an app without them.

Which these are is in the buildpack's data. Heroku does the same for Rails at the first deploy.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

from wherry.building.archive import Tree
from wherry.building.builder import Line, Source
from wherry.building.buildpack import Buildpack, Generated
from wherry.building.look import holds
from wherry.secret import Secret


def lacking(tree: Tree, pack: Buildpack | None, config: Mapping[str, Secret]) -> tuple[Generated, ...]:
    """What is to be made for the app in `tree` that has `config`."""
    unset = [entry for entry in (pack.generated if pack else ()) if entry.config not in config and entry.without not in config]
    return tuple(entry for entry in unset if holds(tree, entry.when, entry.unless))


def completed(source: Source, wanted: Sequence[Generated], line: Line) -> Source:
    """`source` with the config vars that it lacks, once they are kept for the app; says which are new, and no value."""
    if not wanted:
        return source
    made = {entry.config: Secret(secrets.token_hex(entry.digits // 2)) for entry in wanted}
    kept = source.keep(made)
    for entry in wanted:
        if kept[entry.config] == made[entry.config]:
            line(f"       {entry.config} set: {entry.digits} random hex digits, kept from now on ({entry.why})")
    return replace(source, config={**source.config, **kept})
