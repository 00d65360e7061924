"""Says why a build failed: one sentence, the way out, and the last lines of the step that failed.

What is known to go wrong is data: of each language in its `buildpack.toml`, of every language in `buildpacks/failures.toml`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from wherry.building import cnb_build, dockerfile
from wherry.building.buildpack import Failure, Plan
from wherry.building.failure import refuse, shown
from wherry.building.plan import Planned
from wherry.building.progress import COMPILE, DEPENDENCIES, Progress, Watched, tail, without_mounts
from wherry.errors import DeployFailed

SHOWN_LINES = 12
READ_LINES = 80


def explain(planned: Planned, progress: Progress, message: str, user: Callable[[str], str]) -> DeployFailed:
    """`message` is the builder's; `user` says who we are at a registry."""
    broken, pack, how = progress.failed(), planned.language, planned.detected.installer.plan
    if planned.cnb:
        return cnb_build.explain(message, broken, user(planned.cnb.builder.server))
    if pack is None or how is None:
        return dockerfile.explain(message, broken, user)
    lines = tail(broken, READ_LINES) if broken else ()
    lines = lines or (shown(message, 300),)
    found = known(pack.failures, how, "\n".join(lines))
    read = broken is not None and broken.heard and bool(broken.lines)
    sentence, fix, code = found or (_unknown(broken, how), f"The lines {'above' if read else 'below'} say why.", "build_failed")
    if read:
        return DeployFailed(sentence, hint=fix, code=code, source="the build", quoted=(sentence,))
    telling = tuple(line for line in lines if not (pack.noise and pack.noise.fullmatch(line))) or lines
    return refuse(sentence, fix, code=code, evidence=telling[-SHOWN_LINES:], source="the build")


def known(failures: Iterable[Failure], how: Plan, text: str) -> tuple[str, str, str] | None:
    """The sentence, the fix and the code of the first failure that `text` shows."""
    for failure in failures:
        match = failure.pattern.search(text)
        if match:
            file = how.lock or how.files[0]
            message, fix = (dockerfile.filled(template.replace("{file}", file), match) for template in (failure.message, failure.fix))
            return shown(message, 200), fix, failure.code
    return None


def _unknown(broken: Watched | None, how: Plan) -> str:
    if broken is None:
        return "the build failed"
    if broken.name.startswith(f"[{DEPENDENCIES} "):
        return f"the dependencies of {how.lock or how.files[0]} could not be installed"
    if broken.name.startswith(f"[{COMPILE} "):
        return "the app could not be compiled"
    return f"the build failed at {shown(without_mounts(broken.name), 80)}"
