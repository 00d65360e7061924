"""What a benchmark hands back comes whole through JSON, and the drawing and the page show it."""

import json
from xml.etree import ElementTree

import pytest
from figure import Check, Figure, Row, compare, figure_of
from plot import plot

SLOW = Check("push / by hand <&>", 1.6, "×", 1.5, ambition=1.3, spread=(1.4, 1.9))
FIGURES = [
    Figure(
        "push", "Push", "how", (SLOW, Check("memory", 90, "MB", 100)), (Row("live", (0.7, 0.8, 0.9), "s"),), ("a note",), {"on": "today"}
    ),
    Figure("proxy", "Proxy", "how", (Check("ours / theirs", 0.95, "×", 0.9, at_least=True), Check("lost", 0, "", 0))),
]


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_a_figure_comes_back_as_it_went(figure: Figure) -> None:
    assert figure_of(json.loads(json.dumps(figure.document()))) == figure


def test_the_median_of_pairs_is_held_to_the_target_and_tells_its_spread() -> None:
    check = compare("ours / theirs", (2.0, 3.0, 8.0), (1.0, 2.0, 2.0), 1.9)
    assert (check.value, check.spread, check.spread_words, check.reached) == (2.0, (1.5, 4.0), "1.50 - 4", False)


def test_the_drawing_names_each_figure_and_how_far_it_is() -> None:
    texts = [element.text for element in ElementTree.fromstring(plot(FIGURES)).iter("{http://www.w3.org/2000/svg}text")]
    for told in (
        "Push: push / by hand <&>",
        "1.60 × (≤ 1.50)",
        "Push: memory",
        "90 MB (≤ 100)",
        "Proxy: ours / theirs",
        "0.950 × (≥ 0.900)",
    ):
        assert told in texts
    assert not any("lost" in str(text) for text in texts), "none at all has no length to draw"


def test_a_bar_is_as_long_as_its_figure() -> None:
    drawn = ElementTree.fromstring(plot([Figure("one", "One", "how", (Check("half", 0.5, "×", 1.0), Check("whole", 1.0, "×", 1.0)))]))
    half, whole = (float(bar.get("width", 0)) for bar in drawn.iter("{http://www.w3.org/2000/svg}rect") if bar.get("height") == "14")
    assert whole == pytest.approx(half * 2) and whole > 100
