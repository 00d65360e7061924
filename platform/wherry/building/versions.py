"""Decides which version of a language an app gets, from what it asks for and what the stack offers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from wherry.building.archive import Tree
from wherry.building.buildpack import Buildpack, VersionRule
from wherry.building.failure import refuse, shown
from wherry.building.look import Look, find

CODE = "version_invalid"
LONGEST = 200
"""Characters of what an app asks for."""
NEWEST_PATCH = 10**6
"""A stack gives the newest patch of a version, so `3.12` stands for `3.12.<newest>` when a range is checked."""


@dataclass(frozen=True)
class Wish:
    """What an app asks for: a version such as `3.12`, or a range such as `>=3.12,<4`; `source` is the file that says so.
    `least` says that a later version than the one asked for does as well; `patch` is the whole version where it names one;
    `form` is how the file asks for a `{version}`, empty where it is no file to write by hand."""

    text: str
    source: str
    range: bool = False
    least: bool = False
    patch: str = ""
    form: str = ""


def wish(tree: Tree, pack: Buildpack) -> Wish | None:
    """The first file that says something decides. Raises DeployFailed for a version file that can not be understood."""
    for rule in pack.versions:
        text = find(tree, Look(rule.file, rule.key)) if rule.key else tree.text(rule.file) if tree.has(rule.file) else None
        found = None if text is None else _read(rule, text)
        if found:
            version, patch = found
            if len(version) > LONGEST:
                raise refuse(f"{rule.file} asks for a version of {len(version):,} characters", f"Give one, e.g. {rule.example}", code=CODE)
            return Wish(rule.sign + version, rule.file, rule.range, rule.least, patch, rule.form)
    return None


def choose(asked: Wish | None, default: str, offers: Sequence[str], title: str, *, later: bool = False, patches: bool = False) -> str:
    """The version to build with: what was asked for, or within a range the default if it fits, else the newest that does.
    `later`: versions that came after those offered may be had too; `patches`: the very one that the app names.
    Raises DeployFailed naming what is offered."""
    if asked is None:
        return default
    if asked.range:
        fitting = [version for version in sorted(offers, key=_numbers, reverse=True) if fits(version, asked.text)]
        if fitting:
            return default if default in fitting else fitting[0]
    elif asked.text in offers or (later and _after(asked.text, offers)):
        return asked.patch if asked.patch and patches else asked.text
    elif asked.least and not _after(asked.text, offers):
        return default
    raise refuse(
        f"{title} {shown(asked.patch or asked.text)}, which {asked.source} asks for, is not offered: {_listed(offers)}",
        f"Ask for {'one of these' if len(offers) > 1 else 'this one'} in {asked.source}{_example(asked, default)},"
        " or build with a Dockerfile.",
        code="version_unavailable",
    )


def _example(asked: Wish, version: str) -> str:
    return f", e.g. {asked.form.replace('{version}', version)}" if asked.form else ""


def _after(text: str, offers: Sequence[str]) -> bool:
    return re.fullmatch(r"\d+(\.\d+)*", text) is not None and _numbers(text) > max(map(_numbers, offers))


def _listed(offers: Sequence[str]) -> str:
    """`3.12, 3.13 are`, or the first and the last of many."""
    many = f"{offers[0]} to {offers[-1]}" if len(offers) > 12 else ", ".join(offers)
    return f"{many} {'is' if len(offers) == 1 else 'are'}"


def fits(version: str, text: str) -> bool:
    """True when the newest patch of `version` lies in the range `text`: PEP 440's operators, `^` as Poetry has it, and npm's
    ranges, with `||`, `1.x` and `1 - 2`, and RubyGems' `~>`. What a bound says beyond the parts that `version` has does not count
    for `==` and `~`."""
    return any(all(_fits_one(version, clause) for clause in _clauses(choice)) for choice in re.split(r"\|\|?", text))


def _clauses(text: str) -> list[str]:
    text = re.sub(r"(\S+)\s+-\s+(\S+)", r">=\1 <=\2.*", text.strip())
    text = re.sub(r"([<>=~^!])\s+", r"\1", re.sub(r"\.[xX*](?![0-9A-Za-z])", ".*", text))
    return [re.sub(r"(\.\*)+$", ".*", clause) for clause in re.split(r"[,\s]+", text) if clause]


def _fits_one(version: str, clause: str) -> bool:
    match = re.fullmatch(r"(>=|<=|==|!=|~=|~>|>|<|\^|~|=)?\s*v?(\d+(?:\.\d+)*)(\.\*)?", clause)
    if not match:
        return True
    sign, bound = match[1] or "==", _numbers(match[2])
    have, parts = (*_numbers(version), NEWEST_PATCH), len(_numbers(version))
    if sign == "<=" and (match[3] or len(bound) == parts == 1):
        return have[: len(bound)] <= bound
    if sign in ("==", "="):
        return have[: min(len(bound), parts)] == bound[:parts]
    if sign == "!=":
        return len(bound) > 2 or have[: len(bound)] != bound
    if sign == "^":
        return bound <= have < (bound[0] + 1,)
    if sign in ("~=", "~>", "~"):
        kept = bound[:-1] if sign != "~" or len(bound) > 2 else bound
        return bound <= have and have[: min(len(kept), parts)] == kept[:parts]
    return {">=": have >= bound, ">": have > bound, "<=": have <= bound, "<": have < bound}[sign]


def _read(rule: VersionRule, text: str) -> tuple[str, str] | None:
    """The version that the text asks for, and the whole of it when it names a patch."""
    if not rule.whole:
        return _parts(rule.pattern.search(text))
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            if line.strip() in rule.names:
                return rule.names[line.strip()], ""
            whole = rule.pattern.fullmatch(line.strip())
            if not whole:
                raise refuse(
                    f'{rule.file} line {number}: "{shown(line.strip())}" is not a version', f"Give one, e.g. {rule.example}", code=CODE
                )
            return _parts(whole)
    raise refuse(f"{rule.file} is empty", f"Give a version, e.g. {rule.example}, or remove the file.", code=CODE)


def _parts(match: re.Match[str] | None) -> tuple[str, str] | None:
    return (match[1], match.groupdict().get("patch") or "") if match else None


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
