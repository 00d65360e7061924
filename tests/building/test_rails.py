"""A whole Rails app, of the distribution's Rails as gems: installed, its assets made, started without a Procfile, and asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import building_support as support
from gem_server import RAILS, Served, folder_served, lock, make_gems
from served_app import served
from wherry.building.buildpack import load_all
from wherry.secret import Secret

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = [pytest.mark.engine, pytest.mark.slow]
APP = support.DATA / "rails"


@pytest.fixture(scope="module")
def image(bench: Bench) -> str:
    pack = next(pack for pack in load_all(support.PACKS) if pack.name == "ruby")
    return bench.builder.stacks.image(pack, bench.builder.stacks.default_version(pack), print) + "-build"


@pytest.fixture(scope="module")
def gems(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("gems")
    make_gems(image, support.DATA / "gems", folder, RAILS)
    with folder_served(folder) as server:
        yield server


def test_a_rails_app_is_served_with_its_assets(bench: Bench, gems: Served, image: str, tmp_path: Path) -> None:
    gemfile = f'source "{gems.url}"\ngem "railties"\ngem "sprockets-rails"\ngem "puma"\n'
    files = {str(path.relative_to(APP)): path.read_bytes() for path in APP.rglob("*") if path.is_file()}
    files |= {"Gemfile": gemfile.encode(), "Gemfile.lock": lock(image, gemfile, tmp_path / "lock").encode()}
    source = support.push(tmp_path / "app", files, bench.app("rails"))
    kept: dict[str, Secret] = {}

    def keep(made: dict[str, Secret]) -> dict[str, Secret]:
        kept.update(made)
        return made

    built = bench.build(dataclasses.replace(source, keep=keep))
    secret = kept["SECRET_KEY_BASE"].reveal()
    assert "       no Procfile; Rails in config/application.rb, so web: bundle exec rails server -b 0.0.0.0 -p $PORT" in bench.lines
    assert any(line.startswith("       assets made by rake assets:precompile in ") for line in bench.lines), bench.lines
    with served(built, SECRET_KEY_BASE=secret) as shop:
        environment, _, stylesheet = shop.get("/").text.partition(" ")
        assert environment == "production"
        assert stylesheet.startswith("/assets/boat-")
        assert "navy" in shop.get(stylesheet).text
