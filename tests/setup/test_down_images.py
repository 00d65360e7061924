"""What `uninstall` removes at the engine, with images that were built upon one another."""

from __future__ import annotations

import subprocess

import pytest

import building_support as support
from tiny_image import tiny_image
from wherry.errors import CommandFailed
from wherry.running import docker_client
from wherry.setup import down, engine_api

pytestmark = pytest.mark.engine


def build(name: str, tag: str, text: str) -> None:
    subprocess.run(["docker", "build", "-q", "-t", f"{name}:{tag}", "-"], input=text.encode(), check=True, capture_output=True)


def test_images_go_after_those_that_were_built_upon_them_and_one_that_runs_is_told() -> None:
    client = docker_client.client()
    name = support.unique("gone")
    label = f"wherry.platform={name}"
    container = None
    try:
        build(name, "base", f"FROM {tiny_image(client)}\nLABEL {label}\nLABEL a=1\n")
        for step in range(3):
            build(name, f"app{step}", f"FROM {name}:base\nLABEL b={step}\nLABEL c={step}\nLABEL d={step}\n")
        container = client.containers.run(f"{name}:app1", ["sleep", "600"], detach=True, init=True)
        with pytest.raises(CommandFailed, match="Docker: conflict"):
            down._remove_images(engine_api.labelled("images", label))
        container.remove(force=True)
        container = None
        down._remove_images(engine_api.labelled("images", label))
        assert engine_api.labelled("images", label) == []
    finally:
        if container:
            container.remove(force=True)
        for found in reversed(engine_api.labelled("images", label)):
            subprocess.run(["docker", "rmi", "-f", found["Id"]], check=False, capture_output=True)
        client.close()
