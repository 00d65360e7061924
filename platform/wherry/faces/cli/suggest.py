"""Did you mean …? The nearest known word, for people who mistyped one."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word with the fewest edits from `word`, None when none is near; a missing noun is forgiven (`scael`)."""
    from difflib import SequenceMatcher

    def likeness(candidate: str) -> float:
        spellings = {candidate, candidate.rpartition(":")[2]}
        return max(SequenceMatcher(None, word[:60].lower(), spelling).ratio() for spelling in spellings)

    scored = sorted(((likeness(candidate), candidate) for candidate in known), key=lambda pair: (-pair[0], len(pair[1]), pair[1]))
    return scored[0][1] if scored and scored[0][0] >= 0.7 else None
