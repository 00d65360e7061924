"""Turns a build's steps into the lines that the person who pushed reads: what takes longer than a second, nothing else."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from wherry.building.builder import Line
from wherry.building.failure import shown
from wherry.building.trace import Output, Step

SLOW = 1.0
AGAIN = 15.0
KEPT_LINES = 80
DEPENDENCIES = "deps"
"""The stage of a buildpack's Dockerfile that installs dependencies."""
LAYER = "dependencies"
"""The stage that puts them on what is there."""
COMPILE = "compile"
"""The stage that compiles the app."""
BUILDING = "build"
"""The stage that makes of the app's own files what runs."""
HEARD = ("[buildpacks ", "[predeploy ")
"""The stages whose every line is for the person: classic buildpacks, which talk in Heroku's form, and the predeploy script."""
PRUNING = "prune"
"""The stage that takes out of the dependencies what only the build needs."""
OURS = tuple(f"[{stage} " for stage in (DEPENDENCIES, LAYER, COMPILE, BUILDING, PRUNING))
"""The stages of our own buildpacks, whose Dockerfile nobody who pushes has written."""
TOLD = "wherry: "
"""How a line begins by which a buildpack's `install` tells something to the person who pushed."""

REFUSED = "wherry-refused: "
"""How a line begins by which a buildpack's script says why it ends; the person reads it as the failure's sentence."""

HEROKU = ("----->", "=====>", "       ", " !     ")
"""How a line begins that is in Heroku's form already."""


@dataclass
class Watched:
    """A step as followed so far; times are of the monotonic clock, in seconds."""

    name: str
    cached: bool = False
    completed: bool = False
    began: float | None = None
    said: float | None = None
    error: str = ""
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    open_line: bytes = b""

    @property
    def runs(self) -> bool:
        return " RUN " in f" {self.name}"

    @property
    def heard(self) -> bool:
        """Whether the person has read every line of it."""
        return self.name.startswith(HEARD)


class Progress:
    """Follows one build. `packages` finds, in an installer's output, how many packages were installed."""

    def __init__(self, line: Line, clock: Callable[[], float], packages: str = "") -> None:
        self.steps: dict[str, Watched] = {}
        self._line, self._clock = line, clock
        self._packages = re.compile(packages) if packages else None

    def see(self, seen: Step | Output) -> None:
        if isinstance(seen, Output):
            self._hear(seen)
            return
        step = self.steps.setdefault(seen.digest, Watched(seen.name))
        was_done = step.completed
        step.name, step.cached, step.completed = seen.name or step.name, step.cached or seen.cached, seen.completed
        step.error = seen.error or step.error
        if seen.started and step.began is None:
            step.began = self._clock()
        if step.completed and not was_done:
            self._say_rest(step, seen.digest)
        if step.completed and not was_done and not step.error:
            self._say_done(step)

    def tick(self) -> None:
        """Called every fraction of a second: says what takes long."""
        now = self._clock()
        for step in self.steps.values():
            if step.began is None or step.completed or now - step.began < SLOW or not self._told(step):
                continue
            if step.said is None or now - step.said >= AGAIN:
                seconds = "" if step.said is None else f" {now - step.began:.0f} s"
                step.said = now
                self._line(f"       {self._told(step)} …{seconds}")

    def dependencies(self) -> list[Watched]:
        return [step for step in self.steps.values() if step.runs and step.name.startswith(f"[{DEPENDENCIES} ")]

    def compiling(self) -> list[Watched]:
        return [step for step in self.steps.values() if step.runs and step.name.startswith(f"[{COMPILE} ")]

    def failed(self) -> Watched | None:
        """The step that broke the build; None when it broke outside of one."""
        broken = [step for step in self.steps.values() if step.error and "context canceled" not in step.error]
        return broken[0] if broken else None

    def last_lines(self) -> tuple[str, ...]:
        """What the step that failed wrote last, or that which runs now."""
        running = [step for step in self.steps.values() if step.began is not None and not step.completed]
        step = self.failed() or (running[-1] if running else None)
        return tail(step) if step else ()

    def _hear(self, output: Output) -> None:
        step = self.steps.setdefault(output.digest, Watched(""))
        end = b"\n" if step.completed else b""
        *whole, step.open_line = (step.open_line + output.data + end).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        step.open_line = step.open_line[-4000:]
        for line in filter(bytes.strip, whole):
            told = _plain(line)
            step.lines.append(told)
            if step.heard and not told.startswith(REFUSED):
                self._line(told if told.startswith(HEROKU) else f"       {told}")
            elif told.startswith(TOLD):
                self._line(f"       {told.removeprefix(TOLD)}")

    def _say_rest(self, step: Watched, digest: str) -> None:
        """A last line without its end is read too."""
        if step.heard and step.open_line.strip():
            self._hear(Output(digest, b"\n"))

    def _say_done(self, step: Watched) -> None:
        if step.began is None or step.cached or not self._told(step):
            return
        took = self._clock() - step.began
        count = self._installed(step)
        if step in self.dependencies()[1:]:
            self._line(f"       installed the app's own packages in {took:.1f} s")
        elif count:
            self._line(f"       installed {count} package{'s' if count != '1' else ''} in {took:.1f} s")
        elif step in self.compiling():
            self._line(f"       compiled in {took:.1f} s")
        elif step.said is not None:
            self._line(f"       {self._told(step)} took {took:.1f} s")

    def _installed(self, step: Watched) -> str:
        found = [match[1] for line in step.lines if self._packages and (match := self._packages.search(line))]
        return found[-1] if found and step in self.dependencies() else ""

    def _told(self, step: Watched) -> str:
        """What a person calls this step; empty for the builder's own chores."""
        if step.name.startswith("[internal]") or not step.name.startswith("["):
            return ""
        if step in self.dependencies():
            return "installing dependencies"
        if step in self.compiling():
            return "compiling"
        position, _, instruction = step.name.partition("] ")
        if step.heard and step.runs:
            return ""
        if position.startswith(f"[{BUILDING} ") and step.runs:
            return "building the app"
        if position.startswith(f"[{PRUNING} ") and step.runs:
            return "leaving out what only the build needs"
        if position.startswith(f"[{LAYER} ") and step.runs:
            return "putting the image together"
        if instruction.startswith(tuple(f"COPY --from={stage} " for stage in (DEPENDENCIES, BUILDING, PRUNING))):
            return "putting the image together"
        if position.startswith(OURS) and instruction.startswith("COPY "):
            return "handing over the source"
        if instruction.startswith("FROM "):
            return f"fetching {instruction.split()[1]}"
        return shown(f"{position}] {without_mounts(instruction)}", 70)


def without_mounts(instruction: str) -> str:
    return re.sub(r"--mount=\S+ ", "", instruction)


def tail(step: Watched, count: int = 12) -> tuple[str, ...]:
    """The last lines that the step wrote."""
    last = [_plain(step.open_line)] if step.open_line.strip() else []
    return tuple([*step.lines, *last][-count:])


def _plain(line: bytes) -> str:
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line.decode("utf-8", "replace"))
    text = re.sub(r"[\u00a0\u2000-\u200a\u202f\u205f\u3000]", " ", text)
    return shown(text.rstrip().expandtabs(4), 300)
