"""The short-lived child that reads certificates and talks to their authority, so that no process of ours holds those libraries.

It has neither root nor the proxy. One JSON document per line: the wish on standard input, then questions on standard
output, each answered by a line on standard input, and at last `{"done": …}` or `{"failed": …}`.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from typing import Any


def main() -> None:
    wished = json.loads(sys.stdin.readline())
    try:
        told = {"done": _do(wished)}
    except Exception as error:
        told = {"failed": _failure(error)}
    _say(told)


def _do(wished: dict[str, Any]) -> dict[str, Any]:
    if wished["do"] == "inspect":
        from wherry.routing import x509

        return x509.inspect(wished["bundle"], dt.datetime.now(dt.UTC))
    from wherry.routing.acme_order import Authority

    authority = Authority(wished)
    return authority.order(_talk) if wished["do"] == "order" else authority.renewal(wished["pem"])


def _failure(error: Exception) -> dict[str, Any]:
    """Refusals and failures in their own words; anything else is ours and named by its type and place."""
    known = type(error).__name__ in ("Refused", "Failed")
    message = str(error) if known else f"unexpected: {type(error).__name__}: {error}"[:300]
    told = {"message": message, "unexpected": not known}
    return told | {name: getattr(error, name) for name in ("hint", "kind", "retry_after") if hasattr(error, name)}


def _talk(question: dict[str, Any]) -> dict[str, Any]:
    _say(question)
    answer: dict[str, Any] = json.loads(sys.stdin.readline())
    return answer


def _say(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()
