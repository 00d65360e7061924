"""Docker Hub's way for every language: official images under the names that the Hub uses, from a registry that hands out a token for
each fetch as the Hub does. What is in them is of Debian's packages; the path to them is what is proven."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import building_support as support
from registry_server import Registry, token_registry
from served_support import served
from wherry.building.buildkit_builder import BuildKitBuilder
from wherry.building.buildpack import load_all
from wherry.building.context import Context
from wherry.building.solve import Solve
from wherry.building.stack import OWNER

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = [pytest.mark.engine, pytest.mark.slow]
BARE = "USER root\nENV PATH=$PATH:/usr/sbin:/sbin\nRUN userdel app; rm -rf /app\n"
PLAIN = "FROM {own}-build\n" + BARE
OFFICIAL = {
    "python": {"python:3.13-slim": PLAIN + "RUN ln -sf /opt/uv/bin/pip /opt/uv/bin/uv /usr/local/bin/\n"},
    "nodejs": {"node:24-slim": PLAIN},
    "go": {"golang:{version}": PLAIN},
    "rust": {"rust:1.99-slim": PLAIN},
    "ruby": {"ruby:3.4-slim": PLAIN},
    "java": {
        "maven:3.9-eclipse-temurin-{version}": PLAIN + "RUN mkdir -p /opt/java && ln -s /usr/lib/jvm/java-{version}-* /opt/java/openjdk\n"
        "ENV JAVA_HOME=/opt/java/openjdk\n",
        "eclipse-temurin:{version}-jre": "FROM {own}\n" + BARE + "RUN mv /opt/java /opt/jre && mkdir /opt/java && "
        "mv /opt/jre /opt/java/openjdk\nENV JAVA_HOME=/opt/java/openjdk PATH=/opt/java/openjdk/bin:$PATH\n",
    },
    "php": {
        "php:8.4-apache": PLAIN + "RUN for name in docker-php-ext-configure docker-php-ext-install docker-php-ext-enable; do "
        "ln -s /bin/true /usr/local/bin/$name; done; rm -rf /etc/wherry /usr/local/bin/heroku-php-*\n",
        "composer:2": "FROM {own}-build\nUSER root\n",
    },
    "static": {"debian:stable-slim": "FROM {base}\n"},
}
"""What stands in for each language's official images, by their names. `{own}` is the platform's own image of the language."""
APPS = support.DATA / "hub"
"""An app of each language that answers hello. `{version}` is the version that the registry has."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with token_registry(tmp_path_factory.mktemp("hub")) as made:
        yield made


@pytest.fixture
def official(bench: Bench, hub: Registry, tmp_path: Path) -> Iterator[BuildKitBuilder]:
    """A platform of its own whose official images come from that registry."""
    chosen = dataclasses.replace(bench.settings, home=tmp_path / "home", name=support.unique("hub")[:15], registry=f"{hub.server}/")
    yield BuildKitBuilder(chosen, bench.engine)
    for image in bench.engine.images({OWNER: chosen.name}):
        for tag in image.tags[1:]:
            bench.engine.untag(tag)
        bench.engine.remove(image.id)


def publish(language: str, bench: Bench, hub: Registry) -> str:
    """Gives the registry what stands in for the language's official images; returns the version that is in them."""
    pack = next(pack for pack in load_all(support.PACKS) if pack.name == language)
    version = bench.builder.stacks.default_version(pack)
    own = bench.builder.stacks.image(pack, version, print)
    base = next(image.name for image in bench.builder.stacks.show() if "/base:" in image.name)
    for name, text in OFFICIAL[language].items():
        context = Context()
        filled = text.replace("{own}", own).replace("{base}", base).replace("{version}", version)
        context.add_text("Dockerfile", filled.encode())
        local = f"{hub.server}/made"
        bench.engine.solve(Solve(context.stream(), local), lambda _: None, lambda: None, lambda: False, 300)
        hub.push(local, name.replace("{version}", version))
        subprocess.run(["docker", "rmi", "-f", local], check=True, capture_output=True)
    return version


@pytest.mark.parametrize("language", OFFICIAL)
def test_an_app_is_built_on_official_images_and_served(
    language: str, official: BuildKitBuilder, bench: Bench, hub: Registry, tmp_path: Path
) -> None:
    version = publish(language, bench, hub)
    paths = [path for path in (APPS / language).rglob("*") if path.is_file()]
    files = {str(path.relative_to(APPS / language)): path.read_text("utf-8").replace("{version}", version) for path in paths}
    choice = {"kind": "hub", "base": f"{hub.server}/", "asked": True}
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "stack.json").write_text(json.dumps(choice))
    lines: list[str] = []
    built = official.build(support.push(tmp_path / "app", files, "shop"), lines.append)
    with served(built) as shop:
        assert shop.get("/") == "hello\n", lines
    assert any(image.name.startswith(f"{official.stacks._settings.name}/{language}:") for image in official.stacks.show())
