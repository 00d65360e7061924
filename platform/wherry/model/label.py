"""Labels: words that people put on apps to find them again, such as env=prod."""

from __future__ import annotations

import re
from collections.abc import Mapping

from wherry.errors import InvalidInput

MAX_LABELS, MAX_VALUE = 30, 100


def check_key(key: str) -> str:
    """Raises InvalidInput with the allowed form and an example."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9._/-]{0,61}[a-z0-9])?", key):
        raise InvalidInput(f'label "{_shown(key)}": use a-z, 0-9 and "._/-", 1-63 characters (e.g. env)', field="labels")
    return key


def check_value(key: str, value: object) -> str:
    """Raises InvalidInput; a comma would end it in a filter."""
    if not isinstance(value, str) or len(value) > MAX_VALUE or "," in value or (value and not value.isprintable()):
        raise InvalidInput(
            f"{key}={_shown(str(value))}: give one line of up to {MAX_VALUE} characters without a comma, e.g. {key}=prod", field="labels"
        )
    return value


def changed(labels: Mapping[str, str], changes: Mapping[str, object]) -> dict[str, str]:
    """`labels` with `changes` applied; None takes one away. Raises InvalidInput for a bad one and for too many."""
    after = dict(labels)
    for key, value in changes.items():
        if value is None:
            after.pop(check_key(key), None)
        else:
            after[check_key(key)] = check_value(key, value)
    if len(after) > MAX_LABELS:
        raise InvalidInput(f"{len(after)} labels: an app may have up to {MAX_LABELS}", field="labels")
    return dict(sorted(after.items()))


def parse_filter(text: str) -> dict[str, str | None]:
    """Reads `env=prod,team`: that value, and any value. Raises InvalidInput."""
    found: dict[str, str | None] = {}
    for part in text.split(","):
        key, sign, value = part.partition("=")
        found[check_key(key)] = check_value(key, value) if sign else None
    return found


def matches(labels: Mapping[str, str], wanted: Mapping[str, str | None]) -> bool:
    """Whether all that is wanted is there."""
    return all(key in labels and value in (None, labels[key]) for key, value in wanted.items())


def _shown(text: str) -> str:
    return ascii(text[:60])[1:-1]
