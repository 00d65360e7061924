"""Runs experiments one after the other: what is injected, what is seen, the figure; 1 when one did not hold."""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack

from experiments import (
    clocks,
    collector,
    crowds,
    deaths,
    endpoints,
    full_disks,
    kill_points,
    leaving,
    power_cuts,
    slow_starts,
    villains,
)
from experiments.lab import Lab

EXPERIMENTS: dict[str, tuple[str, Callable[[Lab], str]]] = {
    "kill-points": ("kill -9 at every named stage of a push", lambda lab: kill_points.experiment(lab, "kill")),
    "exit-points": ("the process exits at every named stage", lambda lab: kill_points.experiment(lab, "exit")),
    "full-disk-points": ("ENOSPC at every named stage", lambda lab: kill_points.experiment(lab, "enospc")),
    "broken-disk-points": ("EIO at every named stage", lambda lab: kill_points.experiment(lab, "eio")),
    "slow-points": ("five seconds of nothing at every named stage", lambda lab: kill_points.experiment(lab, "sleep:5")),
    "deaths": ("kill -9 of each process at moments spread over a push", deaths.experiment),
    "deaths-silent": ("the same while a build says nothing", lambda lab: deaths.experiment(lab, "silent", moments=deaths.WHILE_BUILDING)),
    "deaths-noisy": ("the same while a build says 10 MB", lambda lab: deaths.experiment(lab, "noisy", moments=deaths.WHILE_BUILDING)),
    "crowd-one": ("twenty pushes to one app at once", crowds.to_one_app),
    "crowd-many": ("first pushes of twenty apps at once", crowds.to_many_apps),
    "slow-starts": ("releases that come up slowly, wrongly or not at all", slow_starts.experiment),
    "leaving": ("old instances that leave badly, with long requests on them", leaving.experiment),
    "villains": ("apps that harm the machine, and a quiet app beside them", villains.experiment),
    "collector": ("the clean-up every second under pushes and rollbacks", collector.experiment),
    "drains": ("log drains whose other end is dead, deaf or redirects inwards", endpoints.experiment),
    "full-disk": ("the platform's own disk runs full of bytes and of inodes", full_disks.experiment),
    "clocks": ("the clock of a whole machine jumps", clocks.experiment),
    "power-cuts": ("the power of a whole machine is cut in the middle of pushes", power_cuts.experiment),
    "docker-restart": ("dockerd is restarted, killed, frozen, and its socket taken away", power_cuts.docker_dies),
}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/reliability")
    parser.add_argument("names", nargs="*", metavar="experiment")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--victim", action="append", default=[], choices=deaths.VICTIMS, help="of the deaths only those of this one")
    given = parser.parse_args(argv)
    if given.list:
        print("\n".join(f"{name:<20} {what}" for name, (what, _) in EXPERIMENTS.items()))
        return 0
    if unknown := [name for name in given.names if name not in EXPERIMENTS]:
        parser.error(f'no experiment "{unknown[0]}"; see --list')
    if os.geteuid() != 0:
        parser.error("this needs root: it makes a platform of its own")
    with ExitStack() as stack:
        lab = Lab(stack, tuple(given.victim))
        return max([tried(lab, name) for name in given.names or EXPERIMENTS], default=0)


def tried(lab: Lab, name: str) -> int:
    what, experiment = EXPERIMENTS[name]
    print(f"-----> {name}: {what}", flush=True)
    began = time.monotonic()
    try:
        figure = experiment(lab)
    except Exception as error:
        traceback.print_exc(file=sys.stdout)
        print(f" !     {name}: DID NOT HOLD after {time.monotonic() - began:.0f} s: {error}", flush=True)
        return 1
    print(f"       {figure} ({time.monotonic() - began:.0f} s)", flush=True)
    return 0
