"""Config vars: which keys and values an app may have. Values arrive in the app byte for byte."""

from __future__ import annotations

import re

from wherry.errors import InvalidInput

MAX_KEYS = 500
MAX_VALUE = 64 * 1024
MAX_ALL = 1024 * 1024
"""Bytes of all keys and values: with twice as many the kernel starts no program any more, neither in a build nor in an instance."""
PLATFORM_KEYS = frozenset({"PORT", "DYNO", "WHERRY_APP", "WHERRY_RELEASE", "WHERRY_INSTANCE", "WHERRY_COMMIT"})
DANGEROUS_KEYS = frozenset({"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "BASH_ENV", "ENV", "IFS"})


def check_key(key: str) -> str:
    """Returns `key` when it may be set. Raises InvalidInput with the allowed form and an example."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,127}", key):
        raise InvalidInput(
            f'config key "{ascii(key[:60])[1:-1]}": use letters, digits and "_", not starting with a digit (e.g. DATABASE_URL)',
            field="config",
        )
    if key in PLATFORM_KEYS:
        raise InvalidInput(f"{key} is set by the platform; choose another name, e.g. APP_{key}", field=key)
    if key in DANGEROUS_KEYS:
        raise InvalidInput(f"{key} changes how every program in the image starts; set it in a Dockerfile instead", field=key)
    return key


def check_value(key: str, value: object) -> str:
    """Returns `value` when it is text of at most 64 KiB without NUL."""
    if not isinstance(value, str):
        raise InvalidInput(f'{key}: give text in quotes, e.g. "1"', field=key)
    if "\0" in value:
        raise InvalidInput(f"{key}: a value can not hold a NUL byte", field=key)
    if len(value.encode("utf-8", "surrogateescape")) > MAX_VALUE:
        raise InvalidInput(f"{key}: a value may have up to {MAX_VALUE // 1024} KiB", field=key)
    return value


def merged(config: dict[str, str], changes: dict[str, str | None]) -> dict[str, str]:
    """`config` with `changes` applied; None removes a key. Raises InvalidInput over the limits of an app."""
    after = {**config, **{key: value for key, value in changes.items() if value is not None}}
    for key in (key for key, value in changes.items() if value is None):
        after.pop(key, None)
    if len(after) > MAX_KEYS:
        raise InvalidInput(f"{len(after)} config vars: an app may have up to {MAX_KEYS}", field="config")
    size = sum(len(text.encode("utf-8", "surrogateescape")) for pair in after.items() for text in pair)
    if size > MAX_ALL:
        told = f"config vars of {size / 1024:.0f} KiB: an app may have up to {MAX_ALL // 1024} KiB of them in all"
        raise InvalidInput(told, hint="Keep what is large in a file of a volume, or fetch it when the app starts.", field="config")
    return after


def words(before: dict[str, str], after: dict[str, str], kind: str = "") -> str:
    """What changed, by key, e.g. `Set A, B and remove C`; values stay out of descriptions."""
    keys_set = sorted(key for key, value in after.items() if before.get(key) != value)
    removed = sorted(key for key in before if key not in after)
    parts = [f"Set {kind}{', '.join(keys_set)}"] if keys_set else []
    parts += [f"{'remove' if parts else 'Remove'} {kind}{', '.join(removed)}"] if removed else []
    return " and ".join(parts) or "Keep config"
