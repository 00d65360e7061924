"""Where benchmarks run: a platform of their own, made by `scripts/up`, and the small habits that all of them share."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scenario_support import Repository, Site, site
from waiting import until

PACKAGES = {"/usr/sbin/sshd": "openssh-server", "/usr/sbin/nginx": "nginx", "/usr/bin/wrk": "wrk", "/usr/bin/caddy": "caddy"}
NO_STARTS = Path("/usr/sbin/policy-rc.d")
"""Debian asks it whether the service of a new package may start."""


@dataclass
class Place:
    """A running platform and a folder for the sources of apps. `say` tells the person who waits what goes on."""

    site: Site
    folder: Path
    say: Callable[[str], None]

    @contextmanager
    def app(self, name: str) -> Iterator[Repository]:
        """An app's source; in the end the app is destroyed."""
        try:
            yield Repository(self.site, name, self.folder / name)
        finally:
            self.site.wherry("apps:destroy", name, "--confirm", name)
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def release(self, repository: Repository, files: Mapping[str, str]) -> None:
        repository.commit(dict(files))
        pushed = repository.push()
        assert pushed.status == 0, pushed.text
        self.settled(repository.app)

    def settled(self, app: str, containers: int = 1) -> None:
        """Waits until what an earlier change left behind is gone."""
        until(lambda: len(self.site.containers(app)) == containers, 60, f"{app} with {containers} containers")


@contextmanager
def place(say: Callable[[str], None]) -> Iterator[Place]:
    """Makes the platform, and removes it with all that the benchmarks made."""
    base = Path("/var/tmp") / f"wherry-bench-{os.getpid()}"
    say("making a platform (scripts/up) …")
    try:
        with site(f"wb{os.getpid() % 100_000}", base) as made:
            yield Place(made, base / "apps", say)
    finally:
        shutil.rmtree(base, ignore_errors=True)


def ensure(programs: list[str], say: Callable[[str], None]) -> None:
    """Installs what a comparison needs and the machine lacks, saying so, and without starting any service."""
    missing = [PACKAGES[program] for program in programs if not Path(program).exists()]
    if not missing:
        return
    say(f"installing {', '.join(missing)} (stays; remove with apt-get remove) …")
    ours = not NO_STARTS.exists()
    if ours:
        NO_STARTS.write_text("#!/bin/sh\nexit 101\n")
        NO_STARTS.chmod(0o755)
    try:
        argv = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    finally:
        if ours:
            NO_STARTS.unlink()
