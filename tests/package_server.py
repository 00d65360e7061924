"""A package repository on this machine, as Composer reads one: a package of ours, and one made of the distribution's packages."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import docker

FETCH = """
apt-get update -qq && apt-get install -qq -y --no-install-recommends php-nikic-fast-route >/dev/null 2>&1
cp -r /usr/share/php/FastRoute /served/
"""
GREETER = '<?php\nnamespace Acme;\nclass Greeter { public static function greet($name) { return "Hello, $name"; } }\n'


def make_packages(image: str, folder: Path, url: str) -> None:
    """Fills `folder`, which is served at `url`, in a container of a PHP build image."""
    client = docker.from_env()
    try:
        client.containers.run(image, ["sh", "-c", FETCH], remove=True, volumes={str(folder): {"bind": "/served"}})
    finally:
        client.close()
    routes = {str(path.relative_to(folder / "FastRoute")): path.read_bytes() for path in (folder / "FastRoute").rglob("*.php")}
    autoload: dict[str, Any] = {"psr-4": {"FastRoute\\": ""}, "files": ["functions.php"]}
    packages = {
        "acme/greeter": _packed(folder, url, "acme/greeter", {"Greeter.php": GREETER.encode()}, {"psr-4": {"Acme\\": ""}}),
        "nikic/fast-route": _packed(folder, url, "nikic/fast-route", routes, autoload),
    }
    (folder / "packages.json").write_text(json.dumps({"packages": packages}))


def lock(image: str, project: dict[str, Any], folder: Path) -> str:
    """The composer.lock that Composer writes for `project`, of what the repository has."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "composer.json").write_text(json.dumps(project))
    client = docker.from_env()
    argv = ["composer", "update", "--no-install", "--no-interaction", "--quiet"]
    try:
        volumes = {str(folder): {"bind": "/lock"}}
        environment = {"COMPOSER_ALLOW_SUPERUSER": "1"}
        client.containers.run(image, argv, remove=True, working_dir="/lock", volumes=volumes, environment=environment)
    finally:
        client.close()
    return (folder / "composer.lock").read_text()


def _packed(folder: Path, url: str, name: str, files: dict[str, bytes], autoload: dict[str, Any]) -> dict[str, Any]:
    """Writes the package's archive; returns its versions as packages.json lists them."""
    archive = name.replace("/", "-") + ".zip"
    with zipfile.ZipFile(folder / archive, "w") as packed:
        for path, data in files.items():
            packed.writestr(f"package/{path}", data)
    found = {"name": name, "version": "1.3.0", "autoload": autoload, "dist": {"type": "zip", "url": f"{url}/{archive}"}}
    return {"1.3.0": found}
