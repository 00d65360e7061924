"""Decides what apps are built on, and makes it: official slim images where Docker Hub answers, else images made from
the distribution's packages. Buildpacks know neither, only names such as `wherry/python:3.12`.

An image is made once for its content: a label holds a digest of all that went in, so a changed template, a new
certificate or a new base makes a new one, and apps built afterwards get it.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from wherry.building import debian
from wherry.building.builder import Line
from wherry.building.buildkit import BuildKit
from wherry.building.buildpack import Buildpack, fill, load_all
from wherry.building.context import Context
from wherry.building.failure import refuse
from wherry.building.guard import Guard, disk_of
from wherry.building.limits import limits_of
from wherry.building.progress import Progress, tail
from wherry.building.solve import Solve, SolveFailed, SolveStopped
from wherry.errors import InvalidInput
from wherry.settings import Settings, source_root

KINDS = ("hub", "debian")
PROBE_TIMEOUT = 6.0
MAKE_TIMEOUT = 1800.0
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem")
TRUSTING = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE")
"""What pip, uv, requests, node and curl read to find the certificates they trust."""
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
USER = "RUN useradd --uid 10001 --user-group --no-create-home --home-dir /app --shell /bin/sh app && install -d -o app -g app /app"
OTHER = "other.Dockerfile"
"""The template for versions that the distribution's packages do not have."""
LABEL, OWNER, APP = "wherry.stack", "wherry.platform", "wherry.app"
"""An app's image inherits the labels of what it is built on, and has the label of its app besides."""


@dataclass(frozen=True)
class Stack:
    """`kind` is `hub` or `debian`; `base` the registry's prefix or the distribution's code name; `asked` is False when
    the platform chose by itself."""

    kind: str
    base: str
    asked: bool = False


@dataclass(frozen=True)
class StackImage:
    """An image of the stack as `wherry stack` shows it. `size` is bytes."""

    name: str
    size: int
    id: str


class Stacks:
    """The stack of one platform. `packs` is the folder of buildpacks and `bundle` the host's CA certificates, when they are
    not at their usual places. Raises DeployFailed when an image can not be made, Unavailable without an engine."""

    def __init__(self, settings: Settings, engine: BuildKit, *, packs: Path | None = None, bundle: Path | None = None) -> None:
        self._settings, self._engine = settings, engine
        self._packs = packs or source_root() / "buildpacks"
        self._bundle = bundle or next((Path(path) for path in BUNDLES if Path(path).exists()), None)
        self._lock = threading.Lock()

    def ensure(self, line: Line) -> Stack:
        """Chooses the stack once, and makes the images that the platform should have before the first push. Idempotent;
        a few milliseconds when all is there."""
        stack = self.current() or self._choose(line)
        for pack in load_all(self._packs):
            if pack.prepare:
                self.image(pack, self.default_version(pack), line)
        return stack

    def current(self) -> Stack | None:
        """What was chosen; None before anything was."""
        try:
            data = json.loads(self._file.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return Stack(data["kind"], data["base"], data["asked"]) if data.get("kind") in KINDS else None

    def switch(self, kind: str, line: Line) -> Stack:
        """Changes the stack; apps get it with their next build. Raises InvalidInput for an unknown kind."""
        if kind not in KINDS:
            raise InvalidInput(f'stack "{ascii(kind[:40])[1:-1]}": give one of {", ".join(KINDS)}', field="stack")
        before = self.current()
        self._keep(self._stack(kind, asked=True))
        try:
            return self.ensure(line)
        except Exception:
            self._keep(before) if before else self._file.unlink()
            raise

    def refresh(self, line: Line) -> Stack:
        """Makes the images anew, with the newest packages and official images. Apps get them with their next build."""
        stack = self.current() or self._choose(line)
        if stack.kind == "debian":
            self._make_base(stack, line)
        for pack in load_all(self._packs):
            held = [image for image in self.show() if f"/{pack.name}:" in image.name and not image.name.endswith("-build")]
            for image in held:
                self._make(pack, image.name.rpartition(":")[2], stack, line, pull=True)
        return stack

    def show(self) -> list[StackImage]:
        """The images of the stack on this machine, by name."""
        labelled = self._engine.images({OWNER: self._settings.name, LABEL: ""})
        images = [image for image in labelled if not image.labels.get(APP)]
        return sorted((StackImage(tag, image.size, image.id) for image in images for tag in image.tags), key=lambda image: image.name)

    def offers(self, pack: Buildpack) -> tuple[str, ...]:
        """The versions an app may ask for. On the debian stack others are tried too: see `image`."""
        stack = self.current()
        own = pack.stack.own.get(stack.base) if stack and stack.kind == "debian" else None
        if stack and stack.kind == "debian" and not (pack.folder / "stack" / OTHER).exists():
            return (own,) if own else ()
        return pack.stack.offers if own is None or own in pack.stack.offers else (*pack.stack.offers, own)

    def patches(self, pack: Buildpack) -> bool:
        """True when an app that insists on a patch version gets it."""
        stack = self.current()
        return pack.stack.patches and stack is not None and stack.kind == "hub"

    def default_version(self, pack: Buildpack) -> str:
        stack = self.current()
        if stack is None or stack.kind != "debian" or pack.stack.same_default:
            return pack.default
        return pack.stack.own.get(stack.base, pack.default)

    def image(self, pack: Buildpack, version: str, line: Line) -> str:
        """The name of the image for this language and version, made if it is not there; `<name>-build` has the tools."""
        stack = self.current() or self._choose(line)
        name = self._name(pack, version)
        with self._lock:
            if stack.kind == "debian":
                self._ensure_base(stack, line)
            digest = self._digest(pack, version, stack)
            if not all(self._is_made(tag, digest) for tag in (name, f"{name}-build")):
                self._make(pack, version, stack, line)
        return name

    @property
    def _file(self) -> Path:
        return self._settings.home / "stack.json"

    def _choose(self, line: Line) -> Stack:
        packs = sorted(load_all(self._packs), key=lambda pack: not pack.prepare)
        probe = self._base(packs[0], packs[0].default, Stack("hub", self._settings.registry))
        kind = "hub" if self._engine.registry_has(probe, PROBE_TIMEOUT) else "debian"
        stack = self._keep(self._stack(kind, asked=False))
        why = "official slim images" if kind == "hub" else f"made from {stack.base} packages, for Docker Hub does not answer"
        line(f"-----> Base images: {why}")
        return stack

    def _stack(self, kind: str, *, asked: bool) -> Stack:
        return Stack(kind, debian.suite() if kind == "debian" else self._settings.registry, asked)

    def _keep(self, stack: Stack) -> Stack:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps({"kind": stack.kind, "base": stack.base, "asked": stack.asked}) + "\n", "utf-8")
        new.replace(self._file)
        return stack

    def _name(self, pack: Buildpack, version: str) -> str:
        return f"{self._settings.name}/{pack.name}:{version}"

    def _base_name(self, stack: Stack) -> str:
        return f"{self._settings.name}/base:{stack.base}"

    def _is_made(self, tag: str, digest: str) -> bool:
        image = self._engine.image(tag)
        return image is not None and image.labels.get(LABEL) == digest

    def _ensure_base(self, stack: Stack, line: Line) -> None:
        if self._engine.image(self._base_name(stack)) is None:
            self._make_base(stack, line)

    def _make_base(self, stack: Stack, line: Line) -> None:
        line(f"       making a base image from {stack.base} packages (about 15 s, once)")
        began = time.monotonic()
        labels = {OWNER: self._settings.name, LABEL: "base"}
        debian.make(self._engine, stack.base, self._base_name(stack), labels, self._settings.home / "tmp")
        line(f"       base image made in {time.monotonic() - began:.0f} s")

    def _make(self, pack: Buildpack, version: str, stack: Stack, line: Line, *, pull: bool = False) -> None:
        name, digest = self._name(pack, version), self._digest(pack, version, stack)
        what = f"{pack.title} {version}" if pack.versioned else pack.title
        line(f"       making the {what} image (once)")
        began = time.monotonic()
        wanted = (("run", name), ("build", f"{name}-build"))
        # Where the two stand apart, the build image is the one that may not be had.
        for target, tag in reversed(wanted) if pack.stack.apart else wanted:
            self._solve(pack, version, stack, Wanted(target, tag, digest, pull and (target == "run" or pack.stack.apart)), line)
        line(f"       {what} image made in {time.monotonic() - began:.0f} s")

    def _solve(self, pack: Buildpack, version: str, stack: Stack, wanted: Wanted, line: Line) -> None:
        context = Context()
        context.add_text("Dockerfile", self._dockerfile(pack, version, stack).encode())
        for path, data in self._scripts(pack, version, stack).items():
            context.add_text(path, data)
        if self._bundle:
            context.add_text("ca.crt", self._bundle.read_bytes())
        labels = {OWNER: self._settings.name, LABEL: wanted.digest, APP: ""}
        fresh = wanted.pull and stack.kind == "hub"
        wish = Solve(context.stream(), wanted.tag, target=wanted.target, labels=labels, no_cache=wanted.pull, pull=fresh)
        progress = Progress(_quiet, time.monotonic)
        guard = Guard(limits_of(self._settings), disk_of(self._settings, self._engine.root()))
        try:
            self._engine.solve(wish, progress.see, progress.tick, guard.look, MAKE_TIMEOUT)
        except SolveStopped as stopped:
            late = (f"it took longer than {MAKE_TIMEOUT:.0f} s", *progress.last_lines())
            raise guard.refusal(progress.last_lines()) or self._unavailable(pack, version, stack, late) from stopped
        except SolveFailed as error:
            broken = progress.failed()
            evidence = tail(broken) if broken and broken.lines else (str(error)[-300:],)
            raise (
                guard.refusal(evidence) or guard.named(str(error), evidence) or self._unavailable(pack, version, stack, evidence)
            ) from error

    def _unavailable(self, pack: Buildpack, version: str, stack: Stack, evidence: tuple[str, ...]) -> Exception:
        own = pack.stack.own.get(stack.base)
        if stack.kind == "debian" and version != (own or pack.default):
            has = f"{stack.base} has {own}, and other versions" if own else "it"
            message = f"{pack.title} {version} is not available here: {has} could not be fetched"
            fix = f"Ask for {own or pack.default}, or build with a Dockerfile."
            return refuse(message, fix, code="version_unavailable", evidence=evidence)
        hint = (
            "Docker Hub may be out of reach; try: wherry stack:set debian" if stack.kind == "hub" else "Is the network up? Then push again."
        )
        return refuse(f"the {pack.title} {version} image could not be made", hint, code="stack_unavailable", evidence=evidence)

    def _dockerfile(self, pack: Buildpack, version: str, stack: Stack) -> str:
        values = {"base": self._base(pack, version, stack), "ground": self._ground(), "trust": self._trust(), "version": version}
        values["registry"] = stack.base if stack.kind == "hub" else ""
        own = pack.stack.own.get(stack.base)
        template = "hub.Dockerfile" if stack.kind == "hub" else "debian.Dockerfile" if version == own else OTHER
        return fill(pack.template(f"stack/{template}"), values)

    def _scripts(self, pack: Buildpack, version: str, stack: Stack) -> dict[str, bytes]:
        """What the template runs, by its path in the build: of the language's folder `stack`, and of others beside it."""
        named = re.findall(r"source=([a-z]+/[A-Za-z0-9.-]+),", self._dockerfile(pack, version, stack))
        homes = {path: pack.folder if path.startswith("stack/") else self._packs for path in named}
        return {path: (home / path).read_bytes() for path, home in homes.items()}

    def _base(self, pack: Buildpack, version: str, stack: Stack) -> str:
        return self._base_name(stack) if stack.kind == "debian" else stack.base + fill(pack.stack.hub, {"version": version})

    def _ground(self) -> str:
        """What every image starts with: the host's certificates, trusted in builds and apps, and the user `app`."""
        return f"{self._trust()}\n{USER}".lstrip()

    def _trust(self) -> str:
        trusting = " ".join(f"{name}={CERTIFICATES}" for name in TRUSTING)
        return f"COPY ca.crt {CERTIFICATES}\nENV {trusting}" if self._bundle else ""

    def _digest(self, pack: Buildpack, version: str, stack: Stack) -> str:
        base = self._engine.image(self._base_name(stack)) if stack.kind == "debian" else None
        facts = [self._dockerfile(pack, version, stack), base.id if base else "", _sha(self._bundle) if self._bundle else ""]
        facts += [hashlib.sha256(data).hexdigest() for data in self._scripts(pack, version, stack).values()]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Wanted:
    """One of the two images of a language and version."""

    target: str
    tag: str
    digest: str
    pull: bool


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _quiet(_: str) -> None:
    """The steps of a stack image interest nobody who waits for their app."""
