"""The catalogue of broken apps: each common way in which a build fails has a code, a sentence and the way out."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import building_support as support
from gem_server import on_the_bridge
from wherry.building.builder import Source
from wherry.building.memory_builder import MemoryBuilder
from wherry.errors import DeployFailed
from wherry.faces.cli.help import error_rows
from wherry.secret import Secret

if TYPE_CHECKING:
    from conftest import Bench

CATALOGUE = Path(__file__).parents[1] / "fixtures" / "broken"


def cases(*, built: bool) -> list[Any]:
    found = []
    for path in sorted(CATALOGUE.glob("*.toml")):
        for case in tomllib.loads(path.read_text("utf-8"))["case"]:
            if case.get("built", False) == built:
                marks = [pytest.mark.slow] if case.get("slow") else []
                found.append(pytest.param(case, id=f"{path.stem}: {case['name']}", marks=marks))
    return found


class Refusing(BaseHTTPRequestHandler):
    """A registry of packages that lets nobody in."""

    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="ours"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_POST = do_GET

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def private() -> Iterator[str]:
    with on_the_bridge(Refusing) as url:
        yield url


def pushed(case: dict[str, Any], folder: Path, app: str, values: dict[str, str]) -> Source:
    def filled(text: str) -> str:
        for name, value in values.items():
            text = text.replace("{" + name + "}", value)
        return text

    source = support.push(folder, {name: filled(text) for name, text in case["files"].items()}, app)
    return dataclasses.replace(source, config={name: Secret(filled(value)) for name, value in case.get("config", {}).items()})


def told(case: dict[str, Any], error: DeployFailed) -> None:
    """The code, the sentence's beginning (the whole, but for what a tool words anew each year), and the fix."""
    assert (error.code, error.message[: len(case["message"])]) == (case["code"], case["message"]), "\n".join(
        (error.message, *error.evidence)
    )
    assert case["fix"] in error.hint
    assert "\n" not in error.message + error.hint


@pytest.mark.parametrize("case", cases(built=False))
def test_a_broken_app_is_refused_before_the_build(case: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        MemoryBuilder().build(pushed(case, tmp_path, "broken", {}), [].append)
    told(case, refused.value)


@pytest.mark.engine
@pytest.mark.parametrize("case", cases(built=True))
def test_a_broken_app_fails_in_the_build_with_its_reason(case: dict[str, Any], bench: Bench, private: str, tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        bench.build(pushed(case, tmp_path, bench.app("broken"), {"private": private}))
    told(case, refused.value)
    assert refused.value.evidence


def test_every_code_of_the_catalogue_is_explained() -> None:
    rows = {cells[0] for cells in error_rows()}
    assert {case.values[0]["code"] for case in [*cases(built=True), *cases(built=False)]} <= rows
