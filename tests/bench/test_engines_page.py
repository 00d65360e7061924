"""How scripts/test-engines reads pytest's answer, and what stands on its page."""

import pytest

import fresh_engines as engines

GREEN = "....\n31 passed, 2 skipped, 700 deselected in 12.34s (0:00:12)\n"
RED = "FAILED tests/routing/test_a.py::test_b - assert 1\nERROR tests/x/test_c.py::test_d\n1 failed, 2 passed, 1 error in 3.2s\n"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        (GREEN, engines.Result(0, "31 passed, 2 skipped")),
        (
            RED,
            engines.Result(
                1, "1 failed, 2 passed, 1 error", ("FAILED tests/routing/test_a.py::test_b - assert 1", "ERROR tests/x/test_c.py::test_d")
            ),
        ),
        ("no tests ran in 0.01s\n", engines.Result(1, "no result", ("         no tests ran in 0.01s",))),
    ],
)
def test_the_last_line_decides(text: str, result: engines.Result) -> None:
    assert engines.result_of(text) == result


def test_what_was_not_run_and_what_was_red_stand_on_the_page() -> None:
    parts = {"routing": {"result": "1 failed, 2 passed", "red": ["FAILED tests/a.py::test_b"], "on": "2026-01-02", "at": "abc1234"}}
    page = "\n".join(engines.page({"trixie": {"with": {"Docker": "26.1.5", "HAProxy": "3.0.11"}, "parts": parts}}))
    assert "| Debian 13 | yes | 26.1.5 | 3.0.11 |" in page
    assert "| Debian 13 | not run | 1 failed, 2 passed | not run |" in page and "2026-01-02 abc1234" in page
    assert "- Debian 13: `FAILED tests/a.py::test_b`" in page
