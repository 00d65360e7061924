"""What the platform's own processes take of the machine's memory when nobody asks for anything."""

from __future__ import annotations

import time
from pathlib import Path

from figure import Check, Figure, Row
from place import Place

from scenario_support import Site

IDLE = 60


def measure(place: Place, idle: int = IDLE) -> Figure:
    place.say(f"memory: {idle} s of rest …")
    time.sleep(idle)
    parts = parts_of(place.site)
    total = sum(parts.values())
    return Figure(
        "memory",
        "Memory of the control plane",
        f"PSS of every process of the platform after {idle} s without work: the parts, HAProxy, and the shell that keeps them"
        " running where there is no systemd. Apps and Docker are not counted.",
        (Check("all processes", total, "MB", 100, ambition=90),),
        tuple(Row(name, (megabytes,), "MB") for name, megabytes in sorted(parts.items(), key=lambda part: -part[1])),
    )


def parts_of(site: Site) -> dict[str, float]:
    """PSS in MB by the name of each process: those that carry the platform's name, or work in its folder."""
    found: dict[str, float] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            rollup = (folder / "smaps_rollup").read_text("ascii")
        except OSError:
            continue
        name = _name(site, line)
        if name:
            pss = next(int(text.split()[1]) for text in rollup.splitlines() if text.startswith("Pss:"))
            found[name] = found.get(name, 0.0) + pss / 1024
    return found


def _name(site: Site, line: str) -> str:
    if line.startswith(f"{site.name}: "):
        return line.removeprefix(f"{site.name}: ").strip()
    if f"{site.home}/" not in line:
        return ""
    program = Path(line.split()[0]).name
    return {"haproxy": "haproxy (master and worker)", "sh": "shell that keeps it running"}.get(program, program)
