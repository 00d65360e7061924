"""Fuzzes readers of foreign bytes, guided by which lines of ours each input reaches (atheris, which is libFuzzer for Python).

Each target runs in a process of its own, from its seeds, from what was found before, and from what earlier runs reached
(`.fuzz/reached/TARGET`). What breaks a target is put into `tests/fuzz/corpus/TARGET`, where every run of the tests tries it again.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / ".fuzz"
CORPUS = ROOT / "tests" / "fuzz" / "corpus"
ATHERIS = "atheris==3.0.0"
HASHES = (
    "sha256:8a5c8a781467c187da40fd29139784193e2647058831f837f675d0bb8cbd8746",
    "sha256:510e502c57b6dc615fb174066407af620d4c7f73cf08a782c86e7761bf12c4eb",
    "sha256:a402cdca8a650d1371050b1f9552eb4cdc488d2db64950d603c4560318365eac",
)
"""Of the wheels for Python 3.11 to 3.13; libFuzzer is in them. Development only: nothing that runs on a server knows of it."""
CHILD = "from fuzz import child; child.main()"
LARGEST = 8192
USAGE = """scripts/fuzz                      every target for a minute
scripts/fuzz TARGET [SECONDS]     only this one
scripts/fuzz all SECONDS          every target, for so long each
scripts/fuzz --list               their names"""


def main(words: list[str]) -> int:
    from fuzz.targets import TARGETS

    if words[:1] in (["-h"], ["--help"]):
        print(USAGE)
        return 0
    if words == ["--list"]:
        print(*TARGETS, sep="\n")
        return 0
    name, seconds = words[0] if words else "all", words[1] if len(words) > 1 else "60"
    if len(words) > 2 or not seconds.isascii() or not seconds.isdigit() or name not in (*TARGETS, "all"):
        print(f"give a target and a number of seconds, e.g. scripts/fuzz archive 60\n{USAGE}", file=sys.stderr)
        return 2
    library = _library()
    broken = [target for target in (TARGETS if name == "all" else [name]) if not _holds(target, int(seconds), library)]
    if broken:
        print(f"defects: {', '.join(broken)}. Mend them; what broke them is tried by every run of the tests from now on.")
    return int(bool(broken))


def _library() -> Path:
    """Installs atheris beside the development packages, once: it is large and no test needs it."""
    library = PLACE / f"library-{sys.version_info[0]}.{sys.version_info[1]}"
    if not (library / "atheris").is_dir():
        print(f"installing {ATHERIS} …", flush=True)
        wanted = PLACE / "requirements.txt"
        PLACE.mkdir(exist_ok=True)
        wanted.write_text(" \\\n  ".join([ATHERIS, *(f"--hash={one}" for one in HASHES)]) + "\n")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "--no-deps"]
        subprocess.run([*pip, "--require-hashes", "--target", str(library), "-r", str(wanted)], check=True)
    return library


def _holds(target: str, seconds: int, library: Path) -> bool:
    """Whether nothing broke it. The first break ends the target's turn."""
    reached, broken = PLACE / "reached" / target, PLACE / "broken" / target
    for folder in (reached, broken):
        folder.mkdir(parents=True, exist_ok=True)
    found = [str(CORPUS / target)] if (CORPUS / target).is_dir() else []
    options = [f"-max_total_time={seconds}", f"-max_len={LARGEST}", "-timeout=20", "-rss_limit_mb=2048", f"-artifact_prefix={broken}/"]
    argv = [sys.executable, "-c", CHILD, target, *options, "-print_final_stats=1", str(reached), *found]
    path = os.pathsep.join(str(part) for part in (ROOT / "platform", ROOT / "tests", library))
    print(f"{target}: {seconds} s …", flush=True)
    done = subprocess.run(argv, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, errors="replace", check=False)
    tries = next((line.split()[-1] for line in done.stderr.splitlines() if "number_of_executed_units" in line), "?")
    print(f"{target}: {tries} inputs, {'held' if not done.returncode else 'BROKE'}", flush=True)
    if done.returncode:
        told = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith(("#", "INFO", "WARNING", "stat::", "0x"))]
        print(*told[-40:], sep="\n")
        _keep(target, broken)
    return not done.returncode


def _keep(target: str, broken: Path) -> None:
    for path in broken.iterdir():
        data = path.read_bytes()
        kept = CORPUS / target / hashlib.sha256(data).hexdigest()[:12]
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(data)
        path.unlink()
        print(f"kept as {kept.relative_to(ROOT)}")
