"""Writes docs/BENCHMARKS.md from bench/figures.json, which keeps the last figures of one machine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from figure import Figure, figure_of
from plot import plot

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "bench" / "figures.json"
PAGE = ROOT / "docs" / "BENCHMARKS.md"
DRAWING = ROOT / "docs" / "benchmarks.svg"
SAME = ("processor", "memory", "system", "Docker", "HAProxy")
"""What makes a machine another one, whose figures do not stand beside those of the first."""
INTRODUCTION = """\
# Benchmarks

Written by `scripts/bench`; edits do not stay. Times drift from machine to machine, so what counts are ratios: both
sides are measured in one run, alternating, and the figure is the median of the ratios of neighbours (where two sides
can not alternate, as with more apps, the ratio of the medians).

See it again with `sudo scripts/bench` (all, in less than twenty minutes) or `sudo scripts/bench push` (one figure, in
less than two). It makes a platform of its own with `scripts/up`, on free ports and under a name of its own, and
removes it afterwards. Where a comparison needs OpenSSH's server, nginx, Caddy or wrk and the machine lacks them, they are
installed from the distribution without being started. How the same clients are pointed at another platform is in
[bench/peers](../bench/peers/README.md).
"""


def keep(figures: Iterable[Figure], machine: dict[str, str]) -> None:
    """Adds `figures` to those of the same machine, or starts over on another one; then writes the page."""
    kept = _kept(machine)
    kept["figures"] |= {figure.name: figure.document() for figure in figures}
    KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
    shown = [figure_of(found) for found in kept["figures"].values()]
    PAGE.write_text("\n".join(_page(machine, shown)), "utf-8")
    DRAWING.write_text(plot(shown), "utf-8")


def _kept(machine: dict[str, str]) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = json.loads(KEPT.read_text("utf-8"))
    except FileNotFoundError:
        kept = {}
    same = all(kept.get("machine", {}).get(part) == machine[part] for part in SAME)
    return {"machine": machine, "figures": kept["figures"] if same else {}}


def _page(machine: dict[str, str], figures: list[Figure]) -> Iterator[str]:
    yield INTRODUCTION
    yield "## In short\n"
    checks = [(figure.title, check) for figure in figures for check in figure.checks]
    shown = [(title, check.what, check.measured, check.spread_words, check.target, verdict(check.reached)) for title, check in checks]
    yield from _table(("figure", "what", "measured", "spread", "target", ""), shown)
    yield f"\n![The figures beside their targets]({DRAWING.name})"
    yield "\n## The machine\n"
    yield from _table(("part", "is"), machine.items())
    for figure in figures:
        yield from _section(figure)


def _section(figure: Figure) -> Iterator[str]:
    yield f"\n## {figure.title}\n"
    yield f"{figure.how}\n"
    yield f"Measured {'; '.join(f'{name} {value}' for name, value in figure.facts.items())}.\n"
    yield from _table(("what", "median", "spread", "n"), [row.cells() for row in figure.rows])
    for note in figure.notes:
        yield f"\n{note}"
    yield ""


def _table(head: tuple[str, ...], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(row)} |"


def verdict(reached: bool) -> str:
    return "reached" if reached else "MISSED"
