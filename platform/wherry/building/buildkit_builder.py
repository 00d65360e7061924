"""Builds a pushed archive into one image with BuildKit: plan it, build it, look at what came out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from wherry import failpoint, machine
from wherry.building import classic, cnb, cnb_build, dockerfile, logins, plan, predeploy
from wherry.building.adoption import Adoption
from wherry.building.app_json_env import EnvVar
from wherry.building.app_json_scripts import PREDEPLOY
from wherry.building.archive import open_tree
from wherry.building.build_cache import BuildCache
from wherry.building.builder import Built, Line, Outline, Source, Stored
from wherry.building.buildkit import BuildKit
from wherry.building.buildpack import Buildpack, fill, load_all
from wherry.building.context import Context
from wherry.building.dependency_layers import LABEL, REUSED, UNLAYERED, DependencyLayers, is_layered, was_reused
from wherry.building.explain import explain
from wherry.building.failure import refuse
from wherry.building.generated import completed
from wherry.building.guard import disk_of
from wherry.building.limits import limits_of
from wherry.building.plan import Planned
from wherry.building.progress import Progress
from wherry.building.run import Runner, Watch
from wherry.building.solve import Image, Solve
from wherry.building.stack import APP, OWNER, Stacks
from wherry.building.versions import choose
from wherry.model import shares
from wherry.settings import Settings, source_root

COMMIT = "wherry.commit"


class BuildKitBuilder(Adoption):
    """The Builder of a real platform. One object serves any number of threads."""

    def __init__(self, settings: Settings, engine: BuildKit | None = None, stacks: Stacks | None = None, packs: Path | None = None) -> None:
        self._limits = limits_of(settings)
        super().__init__(settings, engine or BuildKit(limits=self._limits, logins=logins.by(settings)))
        self._build_cache = BuildCache(self._engine)
        self._packs = packs or source_root() / "buildpacks"
        self._runner = Runner(settings, self._engine)
        self._layers = DependencyLayers(settings.name, self._engine, self._runner)
        self.stacks = stacks or Stacks(settings, self._engine, packs=self._packs)

    def build(self, source: Source, line: Line, *, no_cache: bool = False, cancelled: Callable[[], bool] = lambda: False) -> Built:
        """See Builder."""
        began = time.monotonic()
        planned = self._planned(source, line)
        source = completed(source, planned.lacking, line)
        watch = Watch(line, no_cache, cancelled)
        context = self._prepare(planned, source, watch)
        image = self._changed(planned, source, self._solve(planned, source, context, watch), watch)
        built = self._built(planned, image)
        line(f"-----> Built in {time.monotonic() - began:.1f} s, {image.size / 1e6:.0f} MB")
        return built

    def outline(self, source: Source, line: Line) -> Outline:
        """See Builder."""
        planned = self._planned(source, line)
        pack = planned.language
        for text in [plan.heading(planned, self._version(planned, pack) if pack else ""), *plan.notes(planned)]:
            line(text)
        return Outline(planned.buildpack, planned.processes, planned.asked.formation)

    def env(self, source: Source) -> dict[str, EnvVar]:
        """See Builder."""
        return plan.env(source)

    def prune(self, keep: Callable[[], set[str] | None]) -> int:
        """See Builder. The nameless leftovers go too. Docker's build cache has no owner, so it is cut to WHERRY_BUILD_CACHE,
        and to as many records as do not slow it down, as a whole; or left alone when that is 0."""
        there = self._engine.images({OWNER: self._settings.name})
        kept = keep()
        if kept is None:
            return 0
        kept = kept | self._layers.needed(image for image in there if image.id in kept)
        for image in there:
            if image.id not in kept and (image.labels.get(APP) or not image.tags):
                self._remove(image)
        cache = self._settings.build_cache * 1024**2
        return self._build_cache.shrink(cache) if cache else 0

    def forget(self, images: set[str]) -> None:
        """See Builder."""
        there = self._engine.images({OWNER: self._settings.name, APP: ""})
        needed = self._layers.needed(image for image in there if image.id not in images and not image.labels.get(LABEL))
        for image in self._layers.below_any([image for image in there if image.id in images]):
            if image.id not in needed:
                self._remove(image)

    def stored(self) -> Stored:
        """See Builder."""
        labels = self._engine.labels(f"{OWNER}={self._settings.name}")
        layers = {image: self._engine.layers(image) for image in labels}
        whole = {key for image, known in labels.items() if not known.get(LABEL) for key, _ in layers[image]}
        # An image of dependencies below another holds nothing that is not counted there.
        below = {image for image, known in labels.items() if known.get(LABEL) and layers[image] and layers[image][-1][0] in whole}
        app_of = {image: known[APP] for image, known in labels.items() if known.get(APP) and image not in below}
        base = {image: layers[image] for image, known in labels.items() if not known.get(APP)}
        return Stored({image: layers[image] for image in app_of}, base, app_of, self._build_cache.size())

    def disk(self) -> Path:
        """See Builder."""
        return disk_of(self._settings, self._engine.root()).path

    def _prepare(self, planned: Planned, source: Source, watch: Watch) -> Context:
        """The tar to build from, once the person knows what was decided, and the stack and the dependencies are there."""
        pack, line = planned.language, watch.line
        context = plan.context(planned, source.config, source.commit, self._packs)
        if watch.no_cache and (planned.classic or planned.cnb):
            context.add_text("buildpack/fresh", b"the cache is emptied first\n")
        if pack is None:
            line(plan.heading(planned, ""))
        if planned.cnb:
            login, cache = logins.of(self._settings, planned.cnb.builder.server), self._cache(source, cnb.NAME)
            text = cnb_build.recipe(planned.cnb, self._engine, self._packs, cache, line, login)
            context.add_text("Dockerfile", text.encode())
        if pack is None:
            return context
        self.stacks.current() or self.stacks.ensure(line)
        version = self._version(planned, pack)
        for text in [plan.heading(planned, version), *plan.notes(planned)]:
            line(text)
        if self._heap:
            context.add_text("buildpack/little_memory", f"{self._heap}\n".encode())
        values = self._values(planned, pack, version, source, line)
        if is_layered(planned):
            values |= {"layered": True, "dependencies": self._layers.image(planned, values, source, context, watch)}
        context.add_text("Dockerfile", self._dockerfile(planned, values))
        return context

    @property
    def _heap(self) -> int:
        return shares.little_heap(self._limits.memory, machine.swap())

    def _version(self, planned: Planned, pack: Buildpack) -> str:
        default, offers, patches = self.stacks.default_version(pack), self.stacks.offers(pack), self.stacks.patches(pack)
        return choose(planned.wish, default, offers, pack.title, later=pack.stack.later, patches=patches)

    def _dockerfile(self, planned: Planned, values: dict[str, str | bool]) -> bytes:
        server, how = planned.detected.buildpack, planned.detected.plan
        assert server is not None and how is not None
        return fill(server.template(how.template), values).encode()

    def _values(self, planned: Planned, pack: Buildpack, version: str, source: Source, line: Line) -> dict[str, str | bool]:
        """What the places of the Dockerfile are filled with."""
        server, installer = planned.detected.buildpack, planned.detected.installer
        assert server is not None and installer.plan is not None
        tools = self.stacks.image(pack, version, line)
        return {
            **installer.flags,
            **planned.detected.flags,
            # Where the app runs, and where it is built: two languages when one builds what the other serves.
            "stack": tools if server is pack else self.stacks.image(server, server.default, line),
            "tools": tools,
            # One cache per app: what one app's dependencies leave there must never be installed into another.
            "cache": self._cache(source, pack.name),
            "plan": installer.plan.name,
            "version": version,
            "sources": installer.sources,
            "little": bool(self._heap),
            **UNLAYERED,
        }

    def _planned(self, source: Source, line: Line) -> Planned:
        builder = self._settings.cnb_builder
        return plan.plan(open_tree(source.archive), load_all(self._packs), line, source.settings, source.config, builder)

    def _cache(self, source: Source, pack: str) -> str:
        return f"{self._settings.name}-{source.app}-{pack}"

    def _solve(self, planned: Planned, source: Source, context: Context, watch: Watch) -> Image:
        pack = planned.detected.buildpack
        progress = Progress(watch.line, time.monotonic, pack.packages if pack else "")
        tag, labels = self._tag(source), {**self._labels(source), LABEL: ""}
        before = self._engine.image(tag)
        wish = Solve(context.stream(source.archive), tag, planned.dockerfile, labels=labels, no_cache=watch.no_cache)
        if planned.buildpack == dockerfile.NAME:
            wish = replace(wish, args=source.settings.args, secrets=source.config)
        image_id = self._runner.run(wish, progress, watch, lambda message: explain(planned, progress, message, self._runner.user))
        if was_reused(progress):
            watch.line(REUSED)
        self._keep_named(before, image_id, tag)
        failpoint.at("tag")
        return self._image(image_id)

    def _changed(self, planned: Planned, source: Source, image: Image, watch: Watch) -> Image:
        """The image as the predeploy script leaves it."""
        command = planned.asked.scripts.get(PREDEPLOY)
        if command is None:
            return image
        watch.line(f"-----> Running predeploy script: {command}")
        context = predeploy.context(self._packs, self._tag(source), command, source.config, start=_start(planned))
        progress = Progress(watch.line, time.monotonic)
        wish = Solve(context.stream(), self._tag(source), labels=self._labels(source), no_cache=True)
        return self._image(self._runner.run(wish, progress, watch, lambda message: predeploy.explain(message, progress.failed())))

    def _labels(self, source: Source) -> dict[str, str]:
        return {OWNER: self._settings.name, APP: source.app, COMMIT: source.commit}

    def _tag(self, source: Source) -> str:
        return f"{self._settings.name}/{source.app}:{source.commit[:12]}"

    def _image(self, image_id: str) -> Image:
        image = self._engine.image(image_id)
        if image is None:
            raise refuse("the image that was built is gone", "Push again.", code="image_gone")
        return image

    def _keep_named(self, before: Image | None, image_id: str, tag: str) -> None:
        """A second build of a commit takes the name from the first, which a release may still need: it gets another."""
        if before is not None and before.id != image_id and tag in before.tags and len(before.tags) == 1:
            self._engine.tag(before.id, f"{tag}-{before.id.removeprefix('sha256:')[:8]}")

    def _remove(self, image: Image) -> None:
        for tag in image.tags[1:]:
            self._engine.untag(tag)
        self._engine.remove(image.id)

    def _built(self, planned: Planned, image: Image) -> Built:
        if planned.detected.buildpack is None:
            dockerfile.check(image, planned.processes, self._engine.architecture())
        processes = self._processes(planned, image)
        return Built(
            image=image.id,
            buildpack=planned.buildpack,
            size=image.size,
            processes=processes,
            checks=planned.asked.checks,
            scripts=plan.later(planned.asked),
            cron=planned.asked.cron,
            formation={name: count for name, count in planned.asked.formation.items() if name in processes},
            sizes={name: size for name, size in planned.asked.sizes.items() if name in processes},
            root=image.user.partition(":")[0] in ("", "root", "0"),
            port=image.ports[0] if planned.buildpack == dockerfile.NAME and len(image.ports) == 1 else None,
        )

    def _processes(self, planned: Planned, image: Image) -> dict[str, str]:
        if planned.cnb:
            return cnb.processes(self._engine.files(image.id, "/wherry").get("metadata.toml", b""))
        if planned.classic:
            elsewhere = planned.processes if planned.procfile != plan.PROCFILE else None
            return classic.processes(self._engine.files(image.id, "/wherry"), elsewhere)
        return planned.processes if planned.processes is not None else {plan.WEB: ""}


def _start(planned: Planned) -> str:
    """What a shell of the app is started by, where its image sets up more than the system does."""
    if planned.classic:
        return "/bin/bash /wherry/start /bin/bash"
    return "/bin/sh /wherry/start /bin/sh" if planned.cnb else "/bin/sh"
