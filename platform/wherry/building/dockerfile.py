"""Says what is wrong with an app's own Dockerfile in one sentence, with the builder's line as evidence."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from wherry.building.failure import refuse, shown
from wherry.building.progress import Watched, tail, without_mounts
from wherry.building.registry_failure import explained
from wherry.building.solve import Image
from wherry.errors import DeployFailed, InvalidInput, WherryError
from wherry.model.origin import parse_image

PREFIX = re.compile(r"^(?:failed to solve(?: with frontend [\w.]+)?: |failed to create LLB definition: |rpc error: [^:]*: )+")
EXIT = re.compile(r"(?:exit code: |exited with )(\d+)")
FETCHED = re.compile(r"(?:load metadata for|resolve image config for(?: docker-image://)?|FROM) (\S+)")
"""How a step is called in which an image is fetched, and its name."""
NAME, DOCKERFILE = "dockerfile", "Dockerfile"
"""The builder, and the file that it looks for."""
FAILED, INVALID = "dockerfile_failed", "dockerfile_invalid"


@dataclass(frozen=True)
class Known:
    """What the builder says of a Dockerfile, and what we say: `{1}` and the like are groups of the pattern."""

    pattern: str
    sentence: str
    fix: str
    code: str = INVALID


KNOWN = (
    Known(
        r"Dockerfile cannot be empty|file with no instructions",
        "Dockerfile is empty",
        'Start it with a FROM line, e.g. "FROM python:3.12-slim".',
    ),
    Known(r"no build stage in current context", "Dockerfile has no FROM line", 'Start it with one, e.g. "FROM python:3.12-slim".'),
    Known(
        r"base name \(([^)]+)\) should not be blank",
        "FROM {1} names no image: the ARG has no value",
        "Give it a default in the Dockerfile, or a value: wherry build:set APP arg.NAME=VALUE",
    ),
    Known(r"dockerfile parse error(?: on)? line (\d+): (.*)", "Dockerfile line {1}: {2}", "Correct this line."),
    Known(r"Dockerfile.* parse error on line (\d+): (.*)", "Dockerfile line {1}: {2}", "Correct this line."),
    Known(
        r'failed to load cache key: (?:Get|Head) "([^"]+)"|invalid response status \d+|(?:Get|GET) "(https?://[^"]+)".*(?:dial|lookup)',
        "ADD could not fetch {1}{2}",
        "Is the address right? Then push again in a moment.",
        "download_failed",
    ),
    Known(
        r'"?/?([^"\s]+)"?: ?not found: not found|failed to (?:compute|calculate).*"/?([^"]+)"',
        "COPY or ADD names {1}{2}, which is not in the push",
        "Commit it, or take it out of .dockerignore.",
        "copy_missing",
    ),
    Known(
        r"secret ([^\s:]+):? not found",
        "a step asks for the secret {1}, and there is no config var of that name",
        "Set it: wherry config:set APP {1}=VALUE",
        "secret_missing",
    ),
    Known(
        r"code = ResourceExhausted",
        "a step asks for a secret that is larger than 48 KB",
        "Keep large files elsewhere, and fetch them with a token.",
        FAILED,
    ),
    Known(
        r"no SSH key|unset ssh forward key|no ssh handler|moby\.sshforward",
        "a step asks for an SSH key (--mount=type=ssh), which builds do not get",
        "Fetch over https with a token in a config var instead: RUN --mount=type=secret,id=TOKEN",
        FAILED,
    ),
    Known(
        r"unable to find user ([^:\s]+)",
        "USER names {1}, who is not in the image",
        "Add the user first: RUN useradd {1}",
        FAILED,
    ),
    Known(
        r"no match for platform|does not match the specified platform",
        "the image has no variant for this machine's processor",
        "Use one that has.",
        "wrong_architecture",
    ),
)


def explain(message: str, broken: Watched | None, user: Callable[[str], str] = lambda _: "") -> DeployFailed:
    """The builder's `message` and the step that failed, in a sentence of ours. `user` says who we are at a registry."""
    plain = PREFIX.sub("", message.strip())
    exit_code = EXIT.search(plain)
    if broken and broken.runs and exit_code:
        return _step_failed(broken, int(exit_code[1]), plain)
    evidence = (shown(plain, 300),)
    fetched = _fetched(broken, plain, user)
    if fetched is not None:
        return refuse(fetched.message, fetched.hint, code=fetched.code, evidence=evidence, source="the builder")
    for known in KNOWN:
        match = re.search(known.pattern, plain)
        if match:
            sentence, fix = (filled(text, match) for text in (known.sentence, known.fix))
            return refuse(shown(sentence, 200), fix, code=known.code, evidence=evidence, source="the builder")
    return refuse("the Dockerfile could not be built", "The line below says why.", code=FAILED, evidence=evidence, source="the builder")


def filled(text: str, match: re.Match[str]) -> str:
    """`text` with the groups of `match` in the places `{1}` and so on; one that took no part is empty."""
    return re.sub(r"\{(\d)\}", lambda place: (match[int(place[1])] or "").removeprefix("library/"), text)


def _step_failed(broken: Watched, status: int, plain: str) -> DeployFailed:
    lines = tail(broken) or (shown(plain, 300),)
    step = shown(without_mounts(broken.name), 80)
    message, hint = f"the build stopped at {step}: exit code {status}", "The lines below say why."
    if status == 137:
        hint = "It ran out of memory, or was killed."
    elif any("exec format error" in line for line in lines):
        return refuse(
            f"{step} starts a program for another kind of processor than this machine's",
            "Take --platform out of the FROM line, or use an image that has a variant for this machine.",
            code="wrong_architecture",
            evidence=lines,
            source="the build",
        )
    return refuse(message, hint, code=FAILED, evidence=lines, source="the build")


def _fetched(broken: Watched | None, plain: str, user: Callable[[str], str]) -> WherryError | None:
    """Why an image that the Dockerfile names could not be fetched; None when that is not what failed."""
    found = FETCHED.search(broken.name) if broken and not broken.runs else None
    if found is None or "failed to compute cache key" in plain:
        return None
    try:
        name = parse_image(found[1].removeprefix("docker.io/library/").removeprefix("docker.io/"))
    except InvalidInput:
        return None
    return explained(name, plain, user(name.server))


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
