"""Makes a base image from the distribution's own packages: what a machine without Docker Hub builds on.

mmdebstrap writes a tar of a minimal system for the engine's architecture, and Docker imports it as it comes, so
that neither memory nor disk holds a second copy.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from wherry import command
from wherry.building.buildkit import BuildKit
from wherry.building.failure import refuse
from wherry.errors import DeployFailed

PACKAGES = "ca-certificates"
MERGED = {"bookworm": ["--include=usr-is-merged", "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr"]}
"""Bookworm else installs usrmerge, which brings 50 MB of Perl that no app asked for."""
KEPT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/lintian/*")
APT = Path("/etc/apt")
ENDED_BADLY = "the base image could not be made from this machine's packages"


def suite(os_release: Path = Path("/etc/os-release")) -> str:
    """The distribution's code name, such as `trixie`. Raises DeployFailed where there is none."""
    text = os_release.read_text("utf-8") if os_release.exists() else ""
    match = re.search(r'^VERSION_CODENAME="?([a-z]+)"?$', text, re.MULTILINE)
    if not match:
        raise _impossible("this machine is neither Debian nor Ubuntu")
    return match[1]


def make(engine: BuildKit, name: str, tag: str, labels: dict[str, str], scratch: Path) -> None:
    """Makes and tags the base image of the suite `name`, in about 15 s. `scratch` is a folder with 500 MB of room."""
    if not shutil.which("mmdebstrap", path=command.CLEAN_ENVIRONMENT["PATH"]):
        raise _impossible("mmdebstrap is not installed", "Install it: apt-get install mmdebstrap")
    scratch.mkdir(parents=True, exist_ok=True)
    errors = scratch / "mmdebstrap.log"
    with errors.open("wb") as log:
        process = command.spawn(_argv(name, engine.architecture()), env={"TMPDIR": str(scratch)}, stdout=command.PIPE, stderr=log)
        assert process.stdout is not None
        try:
            image = engine.load(process.stdout, tag, labels)
        finally:
            process.stdout.close()
            status = process.wait()
    if status:
        engine.remove(image)
        raise _impossible("mmdebstrap failed", evidence=errors.read_text("utf-8", "replace").splitlines()[-8:])


def mirrors(name: str, apt: Path = APT) -> list[str]:
    """The lines of sources.list by which this machine itself gets `name`, so that a company's mirror is used here too;
    empty when it has none."""
    found = [line for path in sorted(apt.glob("sources.list.d/*.sources")) for line in _of_stanzas(path.read_text("utf-8"), name)]
    for path in [apt / "sources.list", *sorted(apt.glob("sources.list.d/*.list"))]:
        found += _of_lines(path.read_text("utf-8"), name) if path.exists() else []
    return list(dict.fromkeys(found)) if any(f" {name} " in line for line in found) else []


def _argv(name: str, architecture: str) -> list[str]:
    kept_out = [f"--dpkgopt=path-exclude={path}" for path in KEPT_OUT]
    checked = command.run(["apt-config", "shell", "V", "Acquire::Check-Valid-Until"], check=False).out
    stale = ["--aptopt=Acquire::Check-Valid-Until false"] if b"false" in checked else []
    fixed = ["mmdebstrap", "--quiet", "--format=tar", "--variant=minbase", f"--include={PACKAGES}", f"--architectures={architecture}"]
    return [
        *fixed,
        *MERGED.get(name, []),
        *kept_out,
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        *stale,
        "--",
        name,
        "-",
        *mirrors(name),
    ]


def _of_lines(text: str, name: str) -> list[str]:
    form = re.compile(rf"deb\s+(?:\[[^\]]*\]\s+)?(https?://\S+)\s+({re.escape(name)}(?:-updates|-security)?)\s+(?:.*\s)?main\b")
    return [f"deb {match[1]} {match[2]} main" for line in text.splitlines() if (match := form.match(line.strip()))]


def _of_stanzas(text: str, name: str) -> Iterable[str]:
    for stanza in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"(?m)^([A-Za-z-]+):[ \t]*(.*)$", stanza))
        if "deb" not in fields.get("Types", "").split() or "main" not in fields.get("Components", "").split():
            continue
        suites = [suite for suite in fields.get("Suites", "").split() if suite in (name, f"{name}-updates", f"{name}-security")]
        uris = [uri for uri in fields.get("URIs", "").split() if uri.startswith(("http://", "https://"))]
        yield from (f"deb {uri} {suite} main" for uri in uris for suite in suites)


def _impossible(why: str, hint: str = "", evidence: Iterable[str] = ()) -> DeployFailed:
    return refuse(f"{ENDED_BADLY}: {why}", hint, code="stack_unavailable", evidence=tuple(evidence), source="mmdebstrap")
