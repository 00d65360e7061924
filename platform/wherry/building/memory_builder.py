"""A Builder without an engine, for tests of those who need one: it refuses what the real one refuses, and builds at once.

It keeps the same promises by the same contract suite (tests/building/test_builder.py); its images are only ids.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from wherry.building import plan
from wherry.building.app_json_env import EnvVar
from wherry.building.archive import open_tree
from wherry.building.builder import Built, Line, Outline, Source, Stored
from wherry.building.buildpack import Buildpack, load_all
from wherry.building.failure import refuse
from wherry.building.generated import completed
from wherry.building.memory_adoption import MemoryAdoption
from wherry.building.plan import Planned
from wherry.building.versions import choose
from wherry.settings import source_root


class MemoryBuilder(MemoryAdoption):
    """`built` holds the sources that were built, oldest first."""

    def __init__(self, packs: Path | None = None) -> None:
        super().__init__()
        self._packs = packs or source_root() / "buildpacks"
        self.built: list[Source] = []
        self._app_of: dict[str, str] = {}

    def env(self, source: Source) -> dict[str, EnvVar]:
        """See Builder."""
        return plan.env(source)

    def prune(self, keep: Callable[[], set[str] | None]) -> int:
        """See Builder. There is nothing to remove."""
        return 0

    def forget(self, images: set[str]) -> None:
        """See Builder. Nothing is kept below an image."""

    def stored(self) -> Stored:
        """See Builder. Nothing takes room."""
        return Stored({image: [(image, 0)] for image in self._app_of}, {}, dict(self._app_of))

    def disk(self) -> Path:
        """See Builder."""
        return Path("/")

    def build(self, source: Source, line: Line, *, no_cache: bool = False, cancelled: Callable[[], bool] = lambda: False) -> Built:
        """See Builder."""
        planned = plan.plan(open_tree(source.archive), load_all(self._packs), line, source.settings, source.config)
        source = completed(source, planned.lacking, line)
        pack = planned.language
        version = self._version(planned, pack) if pack else ""
        for text in [plan.heading(planned, version), *plan.notes(planned)]:
            line(text)
        context = plan.context(planned, source.config, source.commit, self._packs)
        if cancelled():
            raise refuse("the build was cancelled", code="build_cancelled")
        digest = hashlib.sha256(source.app.encode())
        for chunk in context.stream(source.archive):
            digest.update(chunk)
        self.built.append(source)
        line("-----> Built in 0.0 s, 0 MB")
        self._app_of[image := f"sha256:{digest.hexdigest()}"] = source.app
        return self._built(planned, image)

    def outline(self, source: Source, line: Line) -> Outline:
        """See Builder."""
        planned = plan.plan(open_tree(source.archive), load_all(self._packs), line, source.settings, source.config)
        pack = planned.language
        for text in [plan.heading(planned, self._version(planned, pack) if pack else ""), *plan.notes(planned)]:
            line(text)
        return Outline(planned.buildpack, planned.processes, planned.asked.formation)

    def _version(self, planned: Planned, pack: Buildpack) -> str:
        stack = pack.stack
        return choose(planned.wish, pack.default, stack.offers, pack.title, later=stack.later, patches=stack.patches)

    def _built(self, planned: Planned, image: str) -> Built:
        ports = _exposed(planned)
        processes = planned.processes if planned.processes is not None else {plan.WEB: ""}
        return Built(
            image=image,
            buildpack=planned.buildpack,
            size=1,
            processes=processes,
            checks=planned.asked.checks,
            scripts=plan.later(planned.asked),
            cron=planned.asked.cron,
            formation={name: count for name, count in planned.asked.formation.items() if name in processes},
            sizes={name: size for name, size in planned.asked.sizes.items() if name in processes},
            root=planned.detected.buildpack is None,
            port=int(ports[0]) if len(ports) == 1 else None,
        )


def _exposed(planned: Planned) -> list[str]:
    """The ports that a Dockerfile's own EXPOSE lines name, and a CMD or ENTRYPOINT where something must be run."""
    if planned.detected.buildpack is not None:
        return []
    text = planned.tree.text(planned.dockerfile) or ""
    if not text.strip():
        raise refuse("Dockerfile is empty", 'Start it with a FROM line, e.g. "FROM python:3.12-slim".', code="dockerfile_invalid")
    if planned.processes is None and not re.search(r"(?m)^(?:CMD|ENTRYPOINT)\b", text):
        raise refuse("nothing says what to run: the Dockerfile has no CMD, and there is no Procfile", code="no_process")
    return re.findall(r"(?m)^EXPOSE[ \t]+([0-9]+)[ \t]*$", text)
