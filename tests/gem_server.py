"""A gem server on this machine: what RubyGems serves to Bundler, with gems that were made of the distribution's packages."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import docker

SINATRA = {"sinatra": "ruby-sinatra", "puma": "puma", "rake": "rake"}
RAILS = {"railties": "ruby-railties", "sprockets-rails": "ruby-sprockets-rails", "puma": "puma"}
"""Gems, and the distribution's packages that they are made of."""

MAKE = """
set -e
apt-get update -qq && apt-get install -qq -y --no-install-recommends patchelf $PACKAGES >/dev/null 2>&1
ruby /make/repack.rb /served/gems $GEMS
cp -r /make/quick /tmp/quick && cd /tmp/quick && gem build --force --output /served/gems/quick-1.0.0.gem quick.gemspec
cd /served && gem generate_index
"""


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass


class Served(NamedTuple):
    """`url` is where containers reach the folder."""

    url: str
    folder: Path


@contextmanager
def folder_served(folder: Path) -> Iterator[Served]:
    """The folder over HTTP, where builds and containers reach it."""
    with on_the_bridge(functools.partial(Silent, directory=str(folder))) as url:
        yield Served(url, folder)


@contextmanager
def on_the_bridge(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server on the address of Docker's bridge; its own address as builds and containers know it."""
    client = docker.APIClient()
    address = client.inspect_network("bridge")["IPAM"]["Config"][0].get("Gateway", "172.17.0.1")
    client.close()
    server = ThreadingHTTPServer((address, 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{address}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def make_gems(image: str, data: Path, folder: Path, gems: dict[str, str] = SINATRA) -> None:
    """Fills `folder` with `gems`, what they need and their index, in a container of a Ruby build image."""
    client = docker.from_env()
    try:
        volumes = {str(data): {"bind": "/make", "mode": "ro"}, str(folder): {"bind": "/served"}}
        environment = {"BUNDLE_FROZEN": "0", "GEMS": " ".join(gems), "PACKAGES": " ".join(gems.values())}
        client.containers.run(image, ["sh", "-c", MAKE], remove=True, volumes=volumes, environment=environment)
    finally:
        client.close()


def lock(image: str, gemfile: str, folder: Path, *, local: bool = False) -> str:
    """The Gemfile.lock that Bundler writes for `gemfile`, of what the server has."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Gemfile").write_text(gemfile)
    client = docker.from_env()
    try:
        argv = ["bundle", "lock", *(["--local"] if local else [])]
        environment = {"BUNDLE_FROZEN": "0", "BUNDLE_WITHOUT": ""}
        client.containers.run(
            image, argv, remove=True, working_dir="/lock", volumes={str(folder): {"bind": "/lock"}}, environment=environment
        )
    finally:
        client.close()
    return (folder / "Gemfile.lock").read_text()
