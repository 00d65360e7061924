"""Writes the web server's configuration of a static site, from checked values only.

Every text of a user's that reaches the configuration fully matches a form (static_json.py), stands between double quotes,
and has `\\`, `"` and `$` taken care of, so that it can neither end its string nor name a variable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from wherry.building import static_json
from wherry.building.archive import Tree
from wherry.building.buildpack import Buildpack, fill
from wherry.building.failure import refuse
from wherry.building.static_json import StaticJSON

INDEX = "index.html"
Rule = TypeVar("Rule")


@dataclass(frozen=True)
class Site:
    """`root` is the folder of the tree that is served, empty for all of it; of a site that is built, the folder that the
    build makes, empty when it is to be found. `config` is nginx's, but for the port."""

    root: str
    config: str
    warnings: tuple[str, ...]

    def served(self, tree: Tree, kept: Sequence[str]) -> tuple[Tree, list[str]]:
        """The tree below the root, and which of `kept` lie there."""
        prefix = f"{self.root}/" if self.root else ""
        return tree.below(self.root), [name.removeprefix(prefix) for name in kept if name.startswith(prefix)]


def read(tree: Tree, pack: Buildpack, *, built: bool, routed: bool) -> Site:
    """`built`: the site is made by the build. `routed`: it has a router of its own, so that every path is its first page.
    Raises DeployFailed for a static.json that is wrong, and for a root that is not there."""
    text = tree.text(static_json.NAME)
    asked = static_json.parse(text) if text is not None else StaticJSON()
    root = "" if asked.root == "." and not built else asked.root
    if not built and not tree.has(f"{root}/{INDEX}" if root else INDEX):
        where = root or "the top of the push"
        fix = f'Commit one, or name its folder in {static_json.NAME}: {{"root": "public"}}'
        raise refuse(f"there is no {INDEX} in {where}", fix, code="no_index")
    if routed and not asked.routes:
        asked.routes["/**"] = INDEX
    return Site(root, fill(pack.template("site.conf"), _values(asked, built)), tuple(asked.warnings))


def _values(asked: StaticJSON, built: bool) -> dict[str, str | bool]:
    header_maps, header_lines = _headers(asked.headers)
    return {
        "built": built,
        "https_only": asked.https_only,
        "header_maps": header_maps,
        "header_lines": header_lines,
        "redirects": "".join(
            f"    location = {_quoted(path)} {{ return {code} {_quoted(url)}; }}\n" for path, (url, code) in asked.redirects.items()
        ),
        "clean": "$uri.html " if asked.clean_urls else "",
        "routes": "".join(f"      rewrite {_pattern(glob)} {_quoted('/' + file)} break;\n" for glob, file in _nearest(asked.routes)),
        "error_page": _quoted("/site/" + (asked.error_page or "404.html")),
    }


def _redirect(path: str, url: str, status: int) -> str:
    return f"    location = {_quoted(path)} {{ return {status} {_quoted(url)}; }}\n"


def _headers(asked: dict[str, dict[str, str]]) -> tuple[str, str]:
    """The maps from a path to a header's value, and the lines that send them. Nothing is sent where no pattern fits."""
    by_name: dict[str, list[tuple[str, str]]] = {}
    for glob, headers in _nearest(asked):
        for name, value in headers.items():
            by_name.setdefault(name.lower(), []).append((glob, value))
    maps, lines = "", ""
    for number, (name, rules) in enumerate(sorted(by_name.items())):
        inside = "".join(f"    {_pattern(glob, '~')} {_quoted(value)};\n" for glob, value in rules)
        default = "    default $fresh;\n" if name == "cache-control" else ""
        maps += f"  map $path $header{number} {{\n{default}{inside}  }}\n"
        lines += f'    add_header "{name}" $header{number} always;\n'
    return maps, lines + ("" if "cache-control" in by_name else "    add_header cache-control $fresh;\n")


def _nearest(rules: Mapping[str, Rule]) -> list[tuple[str, Rule]]:
    """The most particular first: nginx takes the first that fits."""
    return sorted(rules.items(), key=lambda rule: (len(rule[0].replace("*", "")), -rule[0].count("*")), reverse=True)


def _pattern(glob: str, sign: str = "") -> str:
    parts = re.split(r"(\*\*|\*)", glob)
    inner = "".join({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts)
    return f'"{sign}^{inner}$"'


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "${dollar}") + '"'
