"""The wall clock of a whole machine jumps, to 1970 and by a year, between pushes and in the middle of one: what works goes on.

The kernel's clock is everybody's, so a small library is preloaded into every program of a fresh machine. dockerd, which asks the
kernel itself, and the times of files stay as they are.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

from experiments.lab import Lab
from experiments.power_cuts import after, machine, push, settled
from fresh_support import Machine, Visitor, expect

SOURCE = Path(__file__).with_name("shifted_clock.c")
YEAR = 365 * 86400
JUMPS = {
    "to 1970": lambda: 86400 - int(time.time()),
    "a year ahead": lambda: YEAR,
    "a year back": lambda: -YEAR,
    "to the right time": lambda: 0,
}
"""Where to, as seconds beside the right time."""
EVERYDAY = ("config:set two A={0}", "rollback two", "ps two", "logs two -n 5", "releases two", "run two true", "ps:restart two", "doctor")


def experiment(lab: Lab) -> str:
    with machine() as made:
        preload(made)
        version, asked = 0, 0
        for where, seconds in JUMPS.items():
            with Visitor(made, "one.localhost") as visitor, Visitor(made, "two.localhost") as other:
                version += 1
                pushing = push(made, "two", version)
                time.sleep(0.6)
                made.run(f"echo {seconds()} > /run/clock-shift")
                pushing.wait(180)
                expect(pushing.returncode == 0, f"a push is accepted while the clock jumps {where}")
                settled(made, "two", (version,))
                everyday(made, version)
                after(made, "two", version)
            expect(not visitor.bad + other.bad, f"visitors lost nothing: {(visitor.bad + other.bad)[:3]}")
            asked += visitor.good + other.good
            lab.say(f"{where}: `date` says {made.run('date +%F').strip()}; push, {len(EVERYDAY)} commands and another push went well")
    return f"{len(JUMPS)} of {len(JUMPS)} jumps survived, 0 of {asked} requests lost"


def preload(made: Machine) -> None:
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "shifted-clock.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl"], check=True)
        made.put(library, "/usr/local/lib/shifted-clock.so")
    made.run("echo /usr/local/lib/shifted-clock.so > /etc/ld.so.preload; systemctl restart wherry")
    made.run("for i in $(seq 60); do wherry apps && break; sleep 1; done")


def everyday(made: Machine, version: int) -> None:
    """What people do all day; a machine whose clock is wrong may be told so by the doctor."""
    for line in EVERYDAY:
        words = line.format(version)
        made.run(f"wherry {words}" if words != "doctor" else "wherry doctor || true")
