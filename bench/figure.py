"""What a benchmark hands back: the figures that are held to a target, the measurements behind them, and how they read."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Check:
    """One figure and the target it is held to. `unit` is `×` for a ratio within one run; `ambition` is what we would like;
    `spread` is the smallest and the largest of those that `value` is the median of."""

    what: str
    value: float
    unit: str
    limit: float
    at_least: bool = False
    ambition: float | None = None
    spread: tuple[float, float] | None = None

    @property
    def reached(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def target(self) -> str:
        wanted = f"{'≥' if self.at_least else '≤'} {number(self.limit)}{_unit(self.unit)}"
        return wanted if self.ambition is None else f"{wanted} (ambition {number(self.ambition)})"

    @property
    def measured(self) -> str:
        return f"{number(self.value)}{_unit(self.unit)}"

    @property
    def spread_words(self) -> str:
        return f"{number(self.spread[0])} - {number(self.spread[1])}" if self.spread else ""


@dataclass(frozen=True)
class Row:
    """Repeated measurements of one thing, in `unit`."""

    what: str
    values: tuple[float, ...]
    unit: str

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def cells(self) -> tuple[str, str, str, str]:
        spread = f"{number(min(self.values))} - {number(max(self.values))}" if len(self.values) > 1 else ""
        return self.what, f"{number(self.median)}{_unit(self.unit)}", spread, str(len(self.values))


@dataclass(frozen=True)
class Figure:
    """What one benchmark measured. `how` says in a sentence what was compared with what."""

    name: str
    title: str
    how: str
    checks: tuple[Check, ...]
    rows: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        return asdict(self)


def figure_of(document: dict[str, Any]) -> Figure:
    """What `Figure.document` made, after a way through JSON."""
    checks = tuple(Check(**{**check, "spread": tuple(check.get("spread") or ()) or None}) for check in document["checks"])
    rows = tuple(Row(row["what"], tuple(row["values"]), row["unit"]) for row in document["rows"])
    return Figure(**{**document, "checks": checks, "rows": rows, "notes": tuple(document["notes"])})


def pairs(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, ...]:
    """The ratios of what ran next to each other: what slows the machine for a while slows both."""
    return tuple(mine / other for mine, other in zip(ours, theirs, strict=True))


def compare(
    what: str, ours: Sequence[float], theirs: Sequence[float], limit: float, *, at_least: bool = False, ambition: float | None = None
) -> Check:
    """Holds the median of the ratios of pairs to a target."""
    found = pairs(ours, theirs)
    return Check(what, statistics.median(found), "×", limit, at_least, ambition, (min(found), max(found)))


def number(value: float) -> str:
    """Three digits that mean something: 0.043, 1.37, 86.2, 52,310."""
    if float(value).is_integer() or abs(value) >= 1000:
        return f"{value:,.0f}"
    digits = 3 if abs(value) < 1 else 2 if abs(value) < 10 else 1
    return f"{value:.{digits}f}"


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines with aligned columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""
