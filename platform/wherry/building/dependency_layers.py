"""Keeps what an app's dependencies come to as an image of its own below the app's, so that one dependency more costs one layer more.

The next build starts from that image: as it is while the dependency files are the same, and with what differs in a layer on top when
they are not. It is used only where its layers are the lowest ones of an image that this same app was built into before. So nothing of
another app's gets in, whatever the names of the two are or were, and a build without a past makes all of it.

What the files ask for is in its tag and in nothing that an app's image inherits.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wherry.building.builder import Source
from wherry.building.buildkit import BuildKit
from wherry.building.buildpack import Buildpack, fill
from wherry.building.config_files import FOR_INSTALLERS
from wherry.building.context import Context
from wherry.building.dockerfile import EXIT
from wherry.building.explain import explain
from wherry.building.failure import refuse
from wherry.building.plan import Planned
from wherry.building.progress import LAYER, Progress
from wherry.building.run import Runner, Watch
from wherry.building.solve import Image, Solve
from wherry.building.stack import APP, OWNER

LABEL = "wherry.dependencies"
REUSED = "       dependencies unchanged, reused"
TEMPLATE = f"{LAYER}.Dockerfile"
"""Its stage LAYER is what is kept as an image."""
COMPARED = "wherry-compared"
"""What a buildpack prints when the dependencies are installed and only their layer is left to make."""
REMOVES = "wherry-removes"
"""What it prints when the layer can not be made by adding files alone, for which no container is started."""
MOST_LAYERS = 10
"""With so many of its own, an image is not built upon any more: Docker stops at 127, and every one is looked through for a file."""


Values = Mapping[str, str | bool]
"""What the places of a template are filled with."""
UNLAYERED: Values = {"layered": False, "dependencies": LAYER, "again": False, "removes": False, "before": "", "held": "", "list": ""}
"""The values of a Dockerfile that makes dependencies and app in one."""


class NotOver(Exception):
    """What differs can not be put on the dependencies of an earlier build."""


class Removes(NotOver):
    """It can not by adding files alone."""


@dataclass(frozen=True)
class Recipe:
    """What the dependencies of one push are made from. `ground` is equal for recipes that may be built upon each other, and `key` for
    those with the same outcome. `stack` is the image below them."""

    template: str
    values: Values
    context: Context
    stack: Image
    ground: str
    key: str

    def whole(self) -> str:
        """The Dockerfile that makes all of it."""
        return fill(self.template, {**self.values, **UNLAYERED, "list": "list"})

    def over(self, before: Image, held: int, *, removes: bool) -> str:
        """The Dockerfile that puts on `before`, whose own layers hold `held` bytes, what differs; `removes` where that is more than
        to add files."""
        return fill(self.template, {**self.values, "again": True, "removes": removes, "before": before.tags[0], "held": str(held)})

    @property
    def tag(self) -> str:
        return f"{LAYER}-{self.ground}-{self.key}"


@dataclass(frozen=True)
class Making:
    """A dependency image that is being made, and for whom."""

    planned: Planned
    source: Source
    wanted: Recipe
    tag: str
    watch: Watch


def is_layered(planned: Planned) -> bool:
    """Of an app that is installed as a package itself, or built with more than it runs with, dependencies and code are not apart."""
    pack, how = planned.detected.buildpack, planned.detected.plan
    if pack is None or how is None or planned.classic or planned.detected.installer.sources:
        return False
    if not how.layered or planned.detected.flags.get("build", False):
        return False
    return how.template == "Dockerfile" and (pack.folder / TEMPLATE).exists()


def recipe(pack: Buildpack, values: Values, context: Context, archive: Path, stack: Image, build: Image) -> Recipe:
    """`context` is that of the whole build from `archive`, `stack` and `build` are the images that the dependencies are put on and
    made with."""
    template, below = pack.template(TEMPLATE), context.below("deps/", "buildpack/", FOR_INSTALLERS)
    tools = context.below("buildpack/", FOR_INSTALLERS)
    ground = _hash([template.encode(), stack.id.encode(), build.id.encode(), *tools.stream()])
    filled = fill(template, {**values, **UNLAYERED, "cache": ""})
    return Recipe(template, values, below, stack, ground, _hash([ground.encode(), filled.encode(), *below.stream(archive)]))


class DependencyLayers:
    """The dependency images of one platform, and how they are made."""

    def __init__(self, platform: str, engine: BuildKit, runner: Runner) -> None:
        self._platform, self._engine, self._runner = platform, engine, runner

    def image(self, planned: Planned, values: Values, source: Source, context: Context, watch: Watch) -> str:
        """The name of the image with the dependencies that the app asks for: an earlier one, or one made now, on top of an earlier one
        where that can be. Raises DeployFailed."""
        wanted = self._recipe(planned, values, context, source)
        making = Making(planned, source, wanted, f"{self._platform}/{source.app}:{wanted.tag}", watch)
        before = None if watch.no_cache else self.below(source.built, making.tag, wanted)
        if before and holds(before, wanted):
            watch.line(REUSED)
            return before.tags[0]
        if before is None or not self._made_over(before, making):
            self._make(making, wanted.whole(), lambda message, progress: explain(planned, progress, message, self._runner.user))
        return making.tag

    def below(self, built: Sequence[str], name: str, wanted: Recipe) -> Image | None:
        """The one to start from, which `holds` what is wanted or can be built upon: below the newest image of `built`, which are the
        app's own, under which there is one. `name` is what the wanted one is called, if it was made under the app's present name."""
        named = self._engine.image(name) if built else None
        if named and any(is_below(named, above) for above in self._images(built)):
            return named
        known = [image for image in self._all() if any(f":{LAYER}-{wanted.ground}-" in tag for tag in image.tags)] if built else []
        above = list(self._images(built)) if known else []
        exact = [image for image in known if holds(image, wanted) and any(is_below(image, one) for one in above)]
        if exact:
            return exact[0]
        found = (longest(known, image) for image in above)
        return next((image for image in found if image and may_grow(image, wanted.stack)), None)

    def _images(self, ids: Iterable[str]) -> Iterator[Image]:
        return (image for name in ids if (image := self._engine.image(name)))

    def needed(self, kept: Iterable[Image]) -> set[str]:
        """Those that a build of one of the apps of `kept` may start from."""
        known = [image for image in self._all() if image.tags]
        return {found.id for image in kept if (found := longest(known, image))}

    def below_any(self, images: Sequence[Image]) -> list[Image]:
        return [known for known in self._all() if any(is_below(known, image) for image in images)]

    def _all(self) -> list[Image]:
        return self._engine.images({OWNER: self._platform, LABEL: "yes"})

    def _recipe(self, planned: Planned, values: Values, context: Context, source: Source) -> Recipe:
        pack = planned.detected.buildpack
        assert pack is not None
        stack, build = (self._engine.image(f"{values['stack']}{ending}") for ending in ("", "-build"))
        if stack is None or build is None:
            raise refuse("the image to build on is gone", "Push again.", code="image_gone")
        return recipe(pack, values, context, source.archive, stack, build)

    def _made_over(self, before: Image, making: Making) -> bool:
        """False when what differs can not be put on the earlier image: it is damaged or gone, or would be too much."""
        held = sum(size for _, size in self._engine.layers(before.id)[len(making.wanted.stack.layers) :])

        def why(message: str, progress: Progress) -> Exception:
            if _installing(message, progress):
                return explain(making.planned, progress, message, self._runner.user)
            return Removes() if any(REMOVES in step.lines for step in progress.dependencies()) else NotOver()

        try:
            try:
                self._make(making, making.wanted.over(before, held, removes=False), why)
            except Removes:  # what was installed and compared is in the builder's cache
                self._make(making, making.wanted.over(before, held, removes=True), why, told=True)
        except NotOver:
            return False
        return True

    def _make(self, making: Making, text: str, why: Callable[[str, Progress], Exception], *, told: bool = False) -> None:
        """`told` when the person knows already how the dependencies came."""
        pack, watch = making.planned.detected.buildpack, making.watch
        progress = Progress(watch.line, time.monotonic, pack.packages if pack else "")
        context = making.wanted.context.below("")
        context.add_text("Dockerfile", text.encode())
        labels = {OWNER: self._platform, APP: making.source.app, LABEL: "yes"}
        body = context.stream(making.source.archive)
        wish = Solve(body, making.tag, target=LAYER, labels=labels, no_cache=watch.no_cache)
        self._runner.run(wish, progress, watch, lambda message: why(message, progress))
        if was_reused(progress) and not told:
            watch.line(REUSED)


def was_reused(progress: Progress) -> bool:
    steps = progress.dependencies()
    return bool(steps) and steps[0].cached


def _installing(message: str, progress: Progress) -> bool:
    """True when the installer itself broke the build, which it would do any other way as well."""
    broken = progress.failed()
    ran = broken is not None and broken in progress.dependencies() and EXIT.search(message)
    return bool(ran and broken and COMPARED not in broken.lines)


def may_grow(image: Image, stack: Image) -> bool:
    return is_below(stack, image) and len(image.layers) - len(stack.layers) < MOST_LAYERS


def holds(image: Image, wanted: Recipe) -> bool:
    return any(tag.endswith(f":{wanted.tag}") for tag in image.tags)


def is_below(image: Image, above: Image) -> bool:
    return bool(image.layers) and above.layers[: len(image.layers)] == image.layers


def longest(known: Iterable[Image], above: Image) -> Image | None:
    """Of the images below `above`, the one with most in it."""
    return max((image for image in known if is_below(image, above)), key=lambda image: len(image.layers), default=None)


def _hash(parts: Iterable[bytes]) -> str:
    made = hashlib.sha256()
    for part in parts:
        made.update(part)
    return made.hexdigest()[:16]
