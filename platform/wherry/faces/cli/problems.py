"""An answer that says no becomes the error that the API meant; and every error becomes text for a person."""

from __future__ import annotations

from typing import Any

from wherry.errors import BadRequest, Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated, Unavailable, WherryError
from wherry.faces.cli.render import printable

BY_STATUS: dict[int, type[WherryError]] = {
    400: BadRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    408: Unavailable,
    409: Conflict,
    413: InvalidInput,
    422: InvalidInput,
    429: Unavailable,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def error_of(status: int, document: Any, asked: str) -> WherryError:
    """The error that a problem document tells; its own words, code and hint. `document` stays with it for --json."""
    known = document if isinstance(document, dict) else {}
    detail = str(known.get("detail") or f"{asked} answered {status}")
    leaf = BY_STATUS.get(status, WherryError)
    hint, code, field = (str(known.get(key) or "") for key in ("hint", "code", "field"))
    quoted = (detail, hint)  # the platform that answers has put its own name in
    if status == 401 and not hint:
        hint = "Set WHERRY_TOKEN to a token of this platform: wherry tokens:create NAME"
    return leaf(detail, hint=hint, code=code, field=field, quoted=quoted)


def as_document(error: WherryError) -> dict[str, Any]:
    """The error as a problem document, for --json."""
    return {"status": error.status, "code": error.code, "detail": error.message, "hint": error.hint, "field": error.field}


def as_text(error: WherryError) -> str:
    """What happened, and below it the way out. Codes that people grep for (R10, H14) stand first."""
    code = f"{error.code} " if error.code[:1].isupper() else ""
    lines = [*(code + error.message).splitlines(), *error.hint.splitlines()]
    return "\n".join(printable(line) for line in lines)
