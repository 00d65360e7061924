"""Rules of the router that are matched and never built from: the API hands out no address by the name of a route.

For each rule werkzeug writes, compiles and keeps two functions that build its address. For all of ours that is most of the time of
the start, and 300 kB.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from werkzeug.routing import Rule


class MatchedRule(Rule):
    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        return _no_address


def _no_address(rule: Rule, **_: str) -> tuple[str, str]:
    raise NotImplementedError(f"no address is built from {rule.rule}")


class MatchingFlask(Flask):
    url_rule_class = MatchedRule
