"""The shapes of a refused build, so that every room of the build says no in the same form."""

from __future__ import annotations

from wherry.errors import DeployFailed


def refuse(
    message: str, hint: str = "", *, code: str = "build_refused", evidence: tuple[str, ...] = (), source: str = "", heading: str = ""
) -> DeployFailed:
    """What the push itself must change before it can be built."""
    quoted = (message,) if evidence else ()  # then it repeats what a build printed or was told to run
    return DeployFailed(message, hint=hint, code=code, evidence=evidence, source=source, heading=heading, quoted=quoted)


def shown(text: str, limit: int = 60) -> str:
    """A user's text for a message: on one line, control bytes visible, cut at `limit` characters."""
    cut = text if len(text) <= limit else text[:limit] + "…"
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in cut)
