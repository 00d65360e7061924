"""What a person set for an app's checks, over what its `app.json` says; and how long it may take to boot, to drain, to be watched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from wherry.errors import InvalidInput
from wherry.model.check import READINESS, STARTUP, HealthCheck, of_kind

EVERY = "*"
"""The process type that means all of them."""
DISABLED, SKIPPED = "disabled", "skipped"
"""Lists of process types: none of their checks is asked, and the old instance is stopped before the new one starts; they get
their visitors without a startup check."""
NUMBERS = {
    "attempts": (1, 100),
    "bake": (0, 3600),
    "boot": (1, 3600),
    "drain": (0, 3600),
    "timeout": (1, 600),
    "wait": (1, 600),
}
"""What may be set to a number, and its bounds; all but `attempts` are seconds."""
DEFAULT = "default"
"""What a person says to have no word of their own any more."""

CheckSettings = dict[str, Any]
"""As `App.checks` has them: DISABLED, SKIPPED and the numbers, as far as somebody set them."""


def is_disabled(settings: Mapping[str, Any], process_type: str) -> bool:
    """Whether instances of this type are not checked, and may not run beside their successors."""
    return _names(settings.get(DISABLED, ()), process_type)


def is_skipped(settings: Mapping[str, Any], process_type: str) -> bool:
    return _names(settings.get(SKIPPED, ()), process_type)


def applied(settings: Mapping[str, Any], checks: Mapping[str, tuple[HealthCheck, ...]]) -> dict[str, tuple[HealthCheck, ...]]:
    """The checks in force: with the numbers that were set, without those of types that are not checked."""
    said = {name: settings[name] for name in ("attempts", "timeout", "wait") if name in settings}
    return {name: tuple(replace(check, **said) for check in found) for name, found in checks.items() if not is_disabled(settings, name)}


def before_visitors(settings: Mapping[str, Any], process_type: str, checks: Iterable[HealthCheck]) -> tuple[HealthCheck, ...]:
    """The checks that a new instance must pass first."""
    return () if is_skipped(settings, process_type) else of_kind(checks, STARTUP, READINESS)


def number(settings: Mapping[str, Any], name: str, default: int) -> int:
    """What is in force of one of NUMBERS."""
    return int(settings.get(name, default))


def changed(settings: Mapping[str, Any], wished: Mapping[str, Any]) -> CheckSettings:
    """The settings with these numbers; None takes one back. Raises InvalidInput naming the number, its bounds and an example."""
    if not wished:
        raise InvalidInput("nothing to set: give e.g. timeout=10", field="checks")
    given = {name: None if value is None else _number(name, value) for name, value in wished.items()}
    return {name: value for name, value in {**settings, **given}.items() if value is not None}


def moved(settings: Mapping[str, Any], types: Iterable[str], into: str | None) -> CheckSettings:
    """The settings with these types in the list `into`, and in no other; None puts them in neither. EVERY stands for all."""
    wanted = tuple(types) or (EVERY,)
    lists = {name: _without(settings.get(name, []), wanted) for name in (DISABLED, SKIPPED)}
    if into:
        lists[into] = [EVERY] if EVERY in wanted or EVERY in lists[into] else sorted({*lists[into], *wanted})
    rest = {name: value for name, value in settings.items() if name not in lists}
    return {**rest, **{name: found for name, found in lists.items() if found}}


def words(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What changed, for people: `Set checks: timeout=10`, `Disable checks of web`."""
    verbs = {DISABLED: "Disable checks of", SKIPPED: "Skip startup checks of"}
    said = [f"{verb} {_types(after[name])}" for name, verb in verbs.items() if after.get(name) and after.get(name) != before.get(name)]
    if any(before.get(name) and not after.get(name) for name in verbs) and not said:
        said.append("Enable checks")
    numbers = [name for name in NUMBERS if before.get(name) != after.get(name)]
    if numbers:
        said.append("Set checks: " + " ".join(f"{name}={after.get(name, DEFAULT)}" for name in numbers))
    return "; ".join(said) or "Change checks"


def check_types(types: Iterable[str], known: Iterable[str]) -> list[str]:
    """Raises InvalidInput for a process type that the release does not have; EVERY and Dokku's `_all_` are all."""
    found, there = [], list(known)
    for name in types:
        if name not in (EVERY, "_all_", *there):
            raise InvalidInput(f'no process "{ascii(name[:60])[1:-1]}"; this release has: {", ".join(there)}', field="types")
        found.append(EVERY if name == "_all_" else name)
    return found


def _number(name: str, value: object) -> int:
    if name not in NUMBERS:
        raise InvalidInput(f'"{ascii(name[:40])[1:-1]}": set one of {", ".join(NUMBERS)}, e.g. timeout=10', field="checks")
    low, high = NUMBERS[name]
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidInput(f"{name}={ascii(value)[:40]}: give a whole number from {low} to {high}, e.g. {name}={max(low, 10)}", field=name)
    return value


def _names(types: Iterable[str], process_type: str) -> bool:
    return EVERY in types or process_type in types


def _without(types: list[str], gone: tuple[str, ...]) -> list[str]:
    return [] if EVERY in gone else [name for name in types if name not in gone]


def _types(types: list[str]) -> str:
    return "all processes" if EVERY in types else ", ".join(types)
