"""Draws docs/benchmarks.svg: every figure that has a target, how far it is from it, and how it spread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from figure import Check, Figure, number

WIDTH, LABELS, VALUES, ROW, HEAD = 920, 350, 150, 24, 62
PLOT = WIDTH - LABELS - VALUES
INK, FAINT, LINE, REACHED, MISSED = "#1f2933", "#627d98", "#bcccdc", "#2f855a", "#c53030"
FONT = "font-family='system-ui, sans-serif'"
Shown = tuple[Figure, Check]


@dataclass(frozen=True)
class Panel:
    """Checks that are drawn on one scale. `share` says which part of the scale's unit a value is; `floor` is drawn when it has one."""

    title: str
    words: str
    takes: Callable[[Check], bool]
    share: Callable[[float, Check], float]
    floor: bool = False


def _as_it_is(value: float, _check: Check) -> float:
    return value


def _of_limit(value: float, check: Check) -> float:
    return value / check.limit


FLOOR = "Shorter is better; 1 is what it is compared with, such as the same work by hand."
PANELS = (
    Panel("Times the floor", FLOOR, lambda check: check.unit == "×" and not check.at_least, _as_it_is, True),
    Panel("Times another", "Longer is better; 1 is as fast as what it is compared with.", lambda check: check.unit == "×", _as_it_is, True),
    Panel(
        "Parts of what is allowed", "Shorter is better; 1 is the target.", lambda check: check.limit > 0 and not check.at_least, _of_limit
    ),
)


def plot(figures: Sequence[Figure]) -> str:
    """The whole drawing. A check is in the first panel that takes it; one whose target is to have none at all is in the table only."""
    left: list[Shown] = [(figure, check) for figure in figures for check in figure.checks]
    parts: list[str] = []
    height = 12.0
    for panel in PANELS:
        mine = [shown for shown in left if panel.takes(shown[1])]
        left = [shown for shown in left if shown not in mine]
        if mine:
            parts += _panel(panel, mine, height)
            height += HEAD + ROW * len(mine) + 18
    parts += _key(height)
    frame = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height + 30:g}' viewBox='0 0 {WIDTH} {height + 30:g}' {FONT}>"
    )
    return "\n".join([frame, f"<rect width='{WIDTH}' height='{height + 30:g}' fill='#ffffff'/>", *parts, "</svg>"]) + "\n"


def _panel(panel: Panel, shown: Sequence[Shown], top: float) -> Iterator[str]:
    most = max(max(panel.share(value, check) for value in (*_spread(check), check.limit)) for _, check in shown)
    scale = _round_up(max(most, 1.0))

    def across(value: float) -> float:
        return LABELS + PLOT * value / scale

    bottom = top + HEAD + ROW * len(shown)
    yield _text(14, top + 16, panel.title, INK, 16, "font-weight='600'")
    yield _text(14, top + 35, panel.words, FAINT, 12)
    for tick in _ticks(scale):
        yield _line(across(tick), top + HEAD - 8, across(tick), bottom, LINE)
        yield _text(across(tick), top + HEAD - 13, f"{tick:g}", FAINT, 11, "text-anchor='middle'")
    if panel.floor:
        yield _line(across(1), top + HEAD - 8, across(1), bottom, INK, "stroke-dasharray='3 3'")
    for place, (figure, check) in enumerate(shown):
        yield from _bar(panel, figure, check, top + HEAD + ROW * place, across)


def _bar(panel: Panel, figure: Figure, check: Check, top: float, across: Callable[[float], float]) -> Iterator[str]:
    middle, colour = top + ROW / 2, REACHED if check.reached else MISSED
    end, target = across(panel.share(check.value, check)), across(panel.share(check.limit, check))
    yield _text(14, middle + 4, f"{figure.title}: {check.what}", INK, 12)
    yield f"<rect x='{LABELS}' y='{top + 5:g}' width='{end - LABELS:.1f}' height='{ROW - 10}' rx='2' fill='{colour}'/>"
    low, high = (across(panel.share(value, check)) for value in _spread(check))
    if high > low:
        yield _line(low, middle, high, middle, INK)
        yield from (_line(x, middle - 4, x, middle + 4, INK) for x in (low, high))
    yield _line(target, top + 1, target, top + ROW - 1, INK, "stroke-width='3'")
    yield _text(LABELS + PLOT + 12, middle + 4, f"{check.measured} ({'≥' if check.at_least else '≤'} {number(check.limit)})", colour, 12)


def _key(top: float) -> Iterator[str]:
    yield f"<rect x='14' y='{top:g}' width='22' height='12' rx='2' fill='{REACHED}'/>"
    yield _text(42, top + 10, "reached", INK, 12)
    yield f"<rect x='104' y='{top:g}' width='22' height='12' rx='2' fill='{MISSED}'/>"
    yield _text(132, top + 10, "missed", INK, 12)
    yield _line(200, top - 3, 200, top + 15, INK, "stroke-width='3'")
    yield _text(210, top + 10, "target", INK, 12)
    yield _line(270, top + 6, 296, top + 6, INK)
    yield _text(304, top + 10, "the smallest and the largest of the run; the bar ends at the median", INK, 12)


def _spread(check: Check) -> tuple[float, float]:
    return check.spread or (check.value, check.value)


def _round_up(value: float) -> float:
    """The next end of a scale that divides well."""
    return next(end for end in (1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 15, 20, 50, 100, 1000, 1e9) if end >= value)


def _ticks(scale: float) -> list[float]:
    return [scale * part / 4 for part in range(5)]


def _text(x: float, y: float, words: str, colour: str, size: int, more: str = "") -> str:
    return f"<text x='{x:g}' y='{y:g}' fill='{colour}' font-size='{size}' {more}>{escape(words)}</text>"


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, more: str = "") -> str:
    return f"<line x1='{x1:.1f}' y1='{y1:g}' x2='{x2:.1f}' y2='{y2:g}' stroke='{colour}' {more}/>"
