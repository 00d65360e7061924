"""What app.json asks for, and where it is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import building_support as support
from wherry.building import app_json
from wherry.errors import DeployFailed
from wherry.model.build import HealthCheck


@pytest.mark.parametrize("case", support.cases("app_json"), ids=lambda case: str(case["name"]))
def test_a_bad_app_json_is_answered_with_line_and_column(case: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        app_json.parse(support.tree(tmp_path, {"app.json": support.content(case)}).text("app.json") or "")
    assert refused.value.message == case["message"]


@pytest.mark.parametrize("case", support.cases("app_json_warnings"), ids=lambda case: str(case["name"]))
def test_what_has_no_effect_is_said_with_the_nearest_known_key(case: dict[str, Any]) -> None:
    assert case["warning"] in app_json.parse(case["text"]).warnings


def test_the_checks_and_the_formation_of_a_dokku_app_are_read() -> None:
    found = app_json.parse("""{
      "name": "shop", "keywords": ["a", 1.5, null],
      "formation": {"web": {"quantity": 2}, "worker": {"quantity": 0}},
      "healthchecks": {"web": [
        {"type": "startup", "name": "up", "path": "/up?deep=1", "timeout": 3},
        {"type": "startup", "path": "/"}]}}""")
    assert found.formation == {"web": 2, "worker": 0}
    assert found.checks == {"web": (HealthCheck("/up?deep=1", "up", 3), HealthCheck("/"))}
    assert found.warnings == []


def test_a_bom_is_no_error(tmp_path: Path) -> None:
    text = support.tree(tmp_path, {"app.json": b"\xef\xbb\xbf{}"}).text("app.json")
    assert app_json.parse(text or "").checks == {}
