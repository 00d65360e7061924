"""The bake window: a new release is watched for a while, and a bad one goes back to the one before. The rules, without IO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

WATCHING, PASSED, BAD, ENDED = "watching", "passed", "bad", "ended"
"""`ended` is a window that somebody's next change closed."""
LEAST_ANSWERS, LEAST_FAILED = 10, 5
"""Below these, 5xx say nothing about a release."""
LEAST_SHARE = 0.1
"""The share of 5xx from which a release is bad, unless the one before was no better."""
CRASHES = 3
"""Ends of instances in one window that make a release bad."""

Counts = Mapping[str, tuple[int, int]]
"""Answers and 5xx among them by target, since the proxy knows it."""


@dataclass(frozen=True)
class Bake:
    """The watch over one release. `back_to` is the release to go back to, None when there is none. `usual` is the share of 5xx
    before it, None when that is not known. `answers` and `failed` are counted since `started_at`; `seen` are the counts of the
    last look. `reason` says why it is bad."""

    app_id: int
    release: int
    back_to: int | None
    started_at: str
    ends_at: str
    usual: float | None = None
    state: str = WATCHING
    reason: str = ""
    answers: int = 0
    failed: int = 0
    crashes: int = 0
    seen: dict[str, tuple[int, int]] = field(default_factory=dict)


def counted(bake: Bake, counts: Counts) -> Bake:
    """Adds what came since the last look. Counts that went down began anew (the proxy was restarted)."""
    answers = failed = 0
    for name, (total, bad) in counts.items():
        before = bake.seen.get(name, (0, 0))
        total_before, bad_before = before if total >= before[0] and bad >= before[1] else (0, 0)
        answers, failed = answers + total - total_before, failed + bad - bad_before
    return replace(bake, answers=bake.answers + answers, failed=bake.failed + failed, seen={**bake.seen, **counts})


def share_of(counts: Counts) -> float | None:
    """The share of 5xx, None when there were too few answers to tell."""
    answers, failed = (sum(found[which] for found in counts.values()) for which in (0, 1))
    return failed / answers if answers >= LEAST_ANSWERS else None


def limit(usual: float | None) -> float:
    """The share of 5xx from which a release is bad: twice that of the one before, and half way to everything at most."""
    before = usual or 0.0
    return max(LEAST_SHARE, min(2 * before, (1 + before) / 2))


def verdict(bake: Bake, seconds: float, last_crash: str = "") -> str:
    """Why the release is bad after `seconds`, in a sentence; empty while it is not."""
    within = f"within {max(1.0, seconds):.0f} s"
    if bake.answers >= LEAST_ANSWERS and bake.failed >= LEAST_FAILED and bake.failed / bake.answers >= limit(bake.usual):
        before = f", {bake.usual:.0%} before".replace("%", " %") if bake.usual else ""
        return f"{100 * bake.failed / bake.answers:.0f} % of {bake.answers} answers were 5xx {within}{before}"
    if bake.crashes >= CRASHES:
        why = f" ({last_crash})" if last_crash else ""
        return f"instances crashed {bake.crashes} times {within}{why}"
    return ""
