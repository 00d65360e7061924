"""Where an experiment happens: a platform made when it is first asked for, apps on it, and a place to say what was seen."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from invariants import hold, versioned
from scenario_support import Repository, Site, site


class Lab:
    """One platform for all experiments of a run."""

    def __init__(self, stack: ExitStack, victims: tuple[str, ...] = ()) -> None:
        """`victims` are the only ones that `deaths` kills; without any it kills each."""
        self._stack = stack
        self.victims = victims
        self._site: Site | None = None
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp", prefix="wherry-lab-")))
        self.folder.chmod(0o711)  # the platform's own users work below it

    @property
    def site(self) -> Site:
        if self._site is None:
            self._site = self._stack.enter_context(site(f"wl{os.getpid() % 100_000}", self.folder / "platform"))
        return self._site

    def over(self, site: Site) -> Lab:
        """The same place with another platform."""
        other = Lab(self._stack, self.victims)
        other._site = site
        return other

    @contextmanager
    def app(self, name: str, source: dict[str, str] | None = None) -> Iterator[Repository]:
        """An app that serves version 1, from `source` or the tiny one; destroyed in the end."""
        made = Repository(self.site, name, self.folder / name)
        made.commit(source or versioned(name, 1))
        done = made.push()
        assert done.status == 0, done.text
        hold(self.site, {name: {"1"}})
        try:
            yield made
        finally:
            self.site.wherry("apps:destroy", name, "--confirm", name)

    def say(self, line: str) -> None:
        print(f"       {line}", flush=True)
