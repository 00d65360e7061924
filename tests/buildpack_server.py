"""Serves buildpacks the way people publish them: git repositories by a real git daemon, archives over HTTP, on an address that
builds reach."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import building_support as support
from free_ports import free_port


@dataclass
class BuildpackServer:
    """`folder` is served; URLs hold the address of this machine as containers see it."""

    folder: Path
    address: str
    git_port: int
    http_port: int

    def repository(self, name: str, files: Mapping[str, str]) -> str:
        """Commits `files` to a repository and returns its URL."""
        (self.folder / name).mkdir(exist_ok=True)
        support.commit(self.folder / name, files)
        return f"git://{self.address}:{self.git_port}/{name}"

    def archive(self, name: str, files: Mapping[str, str], inside: str = "") -> str:
        """Packs `files`, below a folder when `inside` names one, and returns the URL."""
        source = self.folder / f"{name}-files"
        source.mkdir()
        support.commit(source, files)
        with tarfile.open(self.folder / f"{name}.tgz", "w:gz") as tar:
            for path in files:
                tar.add(source / path, f"{inside}/{path}" if inside else path)
        return f"http://{self.address}:{self.http_port}/{name}.tgz"


@contextlib.contextmanager
def buildpack_server(folder: Path) -> Iterator[BuildpackServer]:
    address, git_port = bridge_address(), free_port()
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer((address, 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    daemon = subprocess.Popen(
        ["git", "daemon", f"--listen={address}", f"--port={git_port}", "--export-all", f"--base-path={folder}", "--reuseaddr", str(folder)],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait(address, git_port)
        yield BuildpackServer(folder, address, git_port, server.server_port)
    finally:
        os.killpg(daemon.pid, 15)
        daemon.wait()
        server.shutdown()
        server.server_close()


def bridge_address() -> str:
    """This machine as a build sees it: the gateway of Docker's default bridge."""
    told = subprocess.run(["ip", "-json", "-4", "address", "show", "docker0"], capture_output=True, check=True).stdout
    return str(json.loads(told)[0]["addr_info"][0]["local"])


def _wait(address: str, port: int) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            socket.create_connection((address, port), 1).close()
            return
        except OSError:
            assert time.monotonic() < end, "the git daemon did not start"
            time.sleep(0.05)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass
