"""Decides which config vars an app gets from the `env` of its `app.json`, once, before its first deploy.

Source of the rules: devcenter.heroku.com, "app.json Schema": a value alone or an object with `value`, `required` (true
unless said) and `generator`, of which `secret` is the only one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from wherry.building.app_json_values import bad, check_keys, flag_of, long_text_of, members_of
from wherry.building.failure import shown
from wherry.building.json_text import Node
from wherry.errors import InvalidInput
from wherry.model.config_var import PLATFORM_KEYS, check_key, check_value

KEYS, NOT_USED = ("description", "value", "required", "generator"), ("sync",)
EXAMPLE = '{"SECRET_KEY": {"generator": "secret"}}'


@dataclass(frozen=True)
class EnvVar:
    """`value` is None when the file gives none; `generated` asks for a random one."""

    value: str | None = None
    required: bool = True
    generated: bool = False


@dataclass(frozen=True)
class FirstConfig:
    """`new` are the config vars to set, `generated` the keys among them whose value was made up here, `missing` the keys
    that somebody has to set."""

    new: dict[str, str]
    generated: tuple[str, ...]
    missing: tuple[str, ...]


def read(node: Node, warnings: list[str]) -> dict[str, EnvVar]:
    """Raises DeployFailed with line and column."""
    found = {}
    for key, entry in members_of(node, "env", EXAMPLE).items():
        line, _ = (node.keys or {})[key]
        if key in PLATFORM_KEYS:
            warnings.append(f"app.json line {line}: {key} is set by the platform; env.{key} has no effect")
            continue
        try:
            check_key(key)
        except InvalidInput as error:
            raise bad(entry, f'env names "{shown(key)}": {error.message}') from error
        found[key] = _read_one(key, entry, warnings)
    return found


def resolve(
    wanted: Mapping[str, EnvVar], present: Mapping[str, str], secret: Callable[[], str] = lambda: secrets.token_hex(32)
) -> FirstConfig:
    """What is set before the first deploy: never what the app has already, and nothing that nobody gave."""
    open_keys = [key for key in wanted if key not in present]
    generated = tuple(key for key in open_keys if wanted[key].value is None and wanted[key].generated)
    given = {key: value for key in open_keys if (value := wanted[key].value) is not None}
    missing = tuple(key for key in open_keys if key not in given and key not in generated and wanted[key].required)
    return FirstConfig({**given, **{key: secret() for key in generated}}, generated, missing)


def _read_one(key: str, entry: Node, warnings: list[str]) -> EnvVar:
    place = f"env.{key}"
    if not isinstance(entry.value, dict):
        return EnvVar(_value(key, entry, place))
    members = members_of(entry, place, EXAMPLE)
    check_keys(warnings, entry, place, KEYS, NOT_USED)
    return EnvVar(
        value=_value(key, members["value"], f"{place}.value") if "value" in members else None,
        required=flag_of(members["required"], f"{place}.required") if "required" in members else True,
        generated=_generated(members["generator"], f"{place}.generator") if "generator" in members else False,
    )


def _value(key: str, node: Node, place: str) -> str:
    if not isinstance(node.value, str):
        raise bad(node, f'{place} is {node.kind}: give text in quotes, e.g. "5"')
    try:
        return check_value(key, node.value)
    except InvalidInput as error:
        raise bad(node, f"{place}: {error.message}") from error


def _generated(node: Node, place: str) -> bool:
    if long_text_of(node, place, "secret") != "secret":
        raise bad(node, f'{place} is "{shown(str(node.value))}": the only generator is "secret"')
    return True
