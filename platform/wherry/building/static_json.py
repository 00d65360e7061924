"""Reads `static.json`: how a static site is served, in the form of Heroku's static buildpack.

Keys of that buildpack that are not served here are named as having no effect; an unknown key is warned of with the nearest.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from wherry.building import json_text
from wherry.building.failure import refuse, shown
from wherry.building.json_text import Node
from wherry.errors import DeployFailed

NAME = "static.json"
CODE = "static_json_invalid"
USED = ("root", "clean_urls", "routes", "redirects", "error_page", "headers", "https_only")
NOT_USED = ("basic_auth", "basic_auth_list", "canonical_host", "debug", "encoding", "location", "logging", "mime", "proxies")
STATUSES = (301, 302, 303, 307, 308)
MAX_RULES = 200
PLACE_FORM = r"(?!.*(?:^|/)\.)[A-Za-z0-9_][A-Za-z0-9._~-]*(?:/[A-Za-z0-9_][A-Za-z0-9._~-]*)*"
PATH_FORM = r"/[A-Za-z0-9._~%@+,=:!()/-]{0,200}"
GLOB_FORM = r"/[A-Za-z0-9._~%@+,=:!()/*-]{0,200}"
HEADER_FORM = r"[A-Za-z][A-Za-z0-9-]{0,63}"


@dataclass
class StaticJSON:
    """`routes` map a pattern (`*` within a folder, `**` across) to a file; `redirects` a path to (address, status);
    `headers` a pattern to names and values. `root` is empty when it is not given."""

    root: str = ""
    clean_urls: bool = False
    routes: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, tuple[str, int]] = field(default_factory=dict)
    error_page: str = ""
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    https_only: bool = False
    warnings: list[str] = field(default_factory=list)


def parse(text: str) -> StaticJSON:
    """Raises DeployFailed with line, column and the allowed form."""
    try:
        root = json_text.parse(text)
    except json_text.JSONError as error:
        raise refuse(f"{NAME} line {error.line} column {error.column}: {error.what}", error.fix, code=CODE) from error
    members, found = _object(root, NAME, '{"root": "dist"}'), StaticJSON()
    found.warnings = list(_unused(root))
    if "root" in members:
        found.root = _place(members["root"], "root", "dist")
    if "error_page" in members:
        found.error_page = _place(members["error_page"], "error_page", "404.html")
    found.clean_urls, found.https_only = (_flag(members.get(key), key) for key in ("clean_urls", "https_only"))
    found.routes = {path: _place(node, f"routes[{path}]", "index.html") for path, node in _rules(members, "routes", GLOB_FORM, "/**")}
    found.redirects = {path: _redirect(node, path) for path, node in _rules(members, "redirects", PATH_FORM, "/old")}
    found.headers = {path: _headers(node, path) for path, node in _rules(members, "headers", GLOB_FORM, "/**")}
    return found


def _unused(root: Node) -> list[str]:
    lines = []
    for key, (line, _) in (root.keys or {}).items():
        if key in NOT_USED:
            lines.append(f'{NAME} line {line}: "{key}" has no effect here')
        elif key not in USED:
            near = difflib.get_close_matches(key, USED, 1)
            lines.append(f'{NAME} line {line}: unknown key "{shown(key, 40)}"' + (f'; did you mean "{near[0]}"?' if near else ""))
    return lines


def _rules(members: Mapping[str, Node], key: str, form: str, example: str) -> list[tuple[str, Node]]:
    if key not in members:
        return []
    rules = _object(members[key], key, f'{{"{example}": …}}')
    if len(rules) > MAX_RULES:
        raise _bad(members[key], f"{key} has {len(rules)} rules: up to {MAX_RULES} are allowed")
    for path in rules:
        if not re.fullmatch(form, path):
            line, column = (members[key].keys or {})[path]
            raise refuse(f'{NAME} line {line} column {column}: {key} names "{shown(path)}": give a path such as "{example}"', code=CODE)
    return list(rules.items())


def _redirect(node: Node, path: str) -> tuple[str, int]:
    members = _object(node, f"redirects[{path}]", '{"url": "/new"}')
    url, status = members.get("url", node), members.get("status")
    if not isinstance(url.value, str) or not re.fullmatch(r"(?:/|https?://)[!#-\[\]^-z|~]{0,500}", url.value):
        raise _bad(url, f'redirects[{path}].url: give a path or an address, e.g. "/new" or "https://example.org/"')
    if status is not None and status.value not in STATUSES:
        raise _bad(status, f"redirects[{path}].status: give one of {', '.join(map(str, STATUSES))}")
    return url.value, int(str(status.value)) if status else 301


def _headers(node: Node, path: str) -> dict[str, str]:
    found = {}
    for name, value in _object(node, f"headers[{path}]", '{"X-Frame-Options": "DENY"}').items():
        if not re.fullmatch(HEADER_FORM, name) or not isinstance(value.value, str) or not re.fullmatch(r"[ -~]{0,2000}", value.value):
            raise _bad(value, f'headers[{path}]["{shown(name)}"]: give a header and its text on one line, e.g. "X-Frame-Options": "DENY"')
        found[name] = value.value
    return found


def _place(node: Node, place: str, example: str) -> str:
    text = node.value.strip("/") if isinstance(node.value, str) else ""
    if place == "root" and node.value in (".", "./", "/"):
        return "."
    if not re.fullmatch(PLACE_FORM, text.removeprefix("./")) or len(text) > 200:
        raise _bad(node, f'{place}: give a path inside the site, e.g. "{example}"')
    return text.removeprefix("./")


def _flag(node: Node | None, place: str) -> bool:
    if node is not None and not isinstance(node.value, bool):
        raise _bad(node, f"{place} is {node.kind}: give true or false")
    return node is not None and node.value is True


def _object(node: Node, place: str, example: str) -> dict[str, Node]:
    if not isinstance(node.value, dict):
        raise _bad(node, f"{place} is {node.kind}: give an object, e.g. {example}")
    return node.value


def _bad(node: Node, what: str) -> DeployFailed:
    return refuse(f"{NAME} line {node.line} column {node.column}: {what}", code=CODE)
