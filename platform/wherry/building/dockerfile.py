"""Says what is wrong with an app's own Dockerfile in one sentence, with the builder's line as evidence."""

from __future__ import annotations

import re

from wherry.building.buildkit import Image
from wherry.building.failure import refuse, shown
from wherry.building.progress import Watched, tail, without_mounts
from wherry.errors import DeployFailed

CODE = "dockerfile_failed"
PREFIX = re.compile(r"^(?:failed to solve(?: with frontend [\w.]+)?: |failed to create LLB definition: |rpc error: [^:]*: )+")
EXIT = re.compile(r"(?:exit code: |exited with )(\d+)")
OUT_OF_REACH = "(?:no such host|connection refused|i/o timeout|network is unreachable|deadline exceeded|certificate)"
KNOWN = (
    (
        r"Dockerfile cannot be empty|file with no instructions",
        "Dockerfile is empty",
        'Start it with a FROM line, e.g. "FROM python:3.12-slim".',
    ),
    (r"no build stage in current context", "Dockerfile has no FROM line", 'Start it with one, e.g. "FROM python:3.12-slim".'),
    (
        rf"/v2/([a-z0-9._/-]+)/manifests/([^\"\s:]+)\".*{OUT_OF_REACH}",
        "the image {1}:{2} could not be fetched: the registry does not answer",
        "Name an image that is on this machine, or push again once the registry is back.",
    ),
    (
        r"(?:docker\.io/)?(?:library/)?([a-z0-9._/-]+:[\w.-]+)(?::| )(?: pull access denied|.*not found)",
        "there is no image {1}",
        "Correct the FROM line of the Dockerfile.",
    ),
    (r"dockerfile parse error line (\d+): (.*)", "Dockerfile line {1}: {2}", "Correct this line."),
    (r"Dockerfile.* parse error on line (\d+): (.*)", "Dockerfile line {1}: {2}", "Correct this line."),
    (
        r'"?/?([^"\s]+)"?: ?not found: not found|failed to (?:compute|calculate).*"/?([^"]+)"',
        "COPY or ADD names {1}{2}, which is not in the push",
        "Commit it, or take it out of .dockerignore.",
    ),
    (
        r"no match for platform|does not match the specified platform",
        "the image has no variant for this machine's processor",
        "Use one that has.",
    ),
)


def explain(message: str, broken: Watched | None) -> DeployFailed:
    """The builder's `message` and the step that failed, in a sentence of ours."""
    plain = PREFIX.sub("", message.strip())
    exit_code = EXIT.search(plain)
    if broken and broken.runs and exit_code:
        step = without_mounts(broken.name)
        lines = tail(broken) or (shown(plain, 300),)
        hint = "It ran out of memory, or was killed." if exit_code[1] == "137" else "The lines below say why."
        return refuse(
            f"the build stopped at {shown(step, 80)}: exit code {exit_code[1]}", hint, code=CODE, evidence=lines, source="the build"
        )
    for pattern, sentence, fix in KNOWN:
        match = re.search(pattern, plain)
        if match:
            groups = {str(number): value or "" for number, value in enumerate(match.groups(), 1)}
            said = re.sub(r"\{(\d)\}", lambda place, found=groups: found[place[1]].removeprefix("library/"), sentence)  # type: ignore[misc]
            return refuse(shown(said, 200), fix, code=CODE, evidence=(shown(plain, 300),), source="the builder")
    return refuse(
        "the Dockerfile could not be built", "The line below says why.", code=CODE, evidence=(shown(plain, 300),), source="the builder"
    )


def check(image: Image, processes: dict[str, str] | None, machine: str) -> None:
    """Raises DeployFailed for an image that can not run here, and for one that says nowhere what to run."""
    if image.architecture and image.architecture != machine:
        raise refuse(
            f"the image is for {image.architecture}, this machine is {machine}",
            "Take --platform out of the FROM line, or use an image that has a variant for this machine.",
            code="wrong_architecture",
        )
    if processes is None and not image.starts:
        raise refuse(
            "nothing says what to run: the Dockerfile has no CMD, and there is no Procfile",
            'End the Dockerfile with a CMD, e.g. CMD ["./server"], or commit a Procfile with a web process.',
            code="no_process",
        )
