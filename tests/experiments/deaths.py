"""`kill -9` of a process of the platform, or of the pusher's, at moments spread over a push; then every invariant."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from experiments.lab import Lab
from invariants import free_again, hold, rows, versioned
from scenario_support import Repository, Site
from waiting import until

MOMENTS = (0.1, 0.25, 0.5, 0.8)
"""Seconds after the start of a push that takes little more than half a second on a calm machine."""
WHILE_BUILDING = (2.5,)
BUILDS = {
    "quick": "",
    "silent": "sleep 4",
    "noisy": "seq 1400000; sleep 3",
}
"""What the build does beside: nothing, say nothing for long, say 10 MB and go on for a while."""
Kill = Callable[[Site, subprocess.Popen[bytes]], bool]


def of_part(part: str) -> Kill:
    """Whether there was one to kill."""

    def kill(site: Site, _push: subprocess.Popen[bytes]) -> bool:
        return bool(killed([site.pid(part)]))

    return kill


def of_haproxy(site: Site, _push: subprocess.Popen[bytes]) -> bool:
    return bool(killed([int(pid) for pid in (site.home / "run" / "haproxy.pid").read_text().split()]))


def of_client(_site: Site, push: subprocess.Popen[bytes]) -> bool:
    """git and ssh on the person's machine, as when it is switched off."""
    with suppress(ProcessLookupError):
        os.killpg(push.pid, signal.SIGKILL)
    return True


def of_patience(_site: Site, push: subprocess.Popen[bytes]) -> bool:
    """Ctrl-C."""
    with suppress(ProcessLookupError):
        os.killpg(push.pid, signal.SIGINT)
    return True


def of_hook(site: Site, _push: subprocess.Popen[bytes]) -> bool:
    """Those that look at a push: forks of the one that waits."""
    waits = site.pid("hook")
    return bool(killed([int(pid) for pid in Path(f"/proc/{waits}/task/{waits}/children").read_text().split()]))


def of_asking(site: Site, _push: subprocess.Popen[bytes]) -> bool:
    return bool(killed(asking(site)))


def asking(site: Site) -> list[int]:
    """The processes that git has started as the platform's hook."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes()
            if b"hooks/launch.py" in words and str(site.home).encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return found


def killed(pids: Sequence[int]) -> list[int]:
    gone = []
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            gone.append(pid)
    return gone


def unfinished(site: Site, app: str) -> list[Any]:
    return rows(site, "SELECT state, owner FROM operations WHERE app = ? AND state IN ('queued', 'running')", app)


def orphaned(site: Site, app: str) -> bool:
    """Whether an operation of the app is in the hands of an engine that is no more."""
    return any(row["state"] == "running" and not Path(f"/proc/{row['owner'].split('.')[1]}").exists() for row in unfinished(site, app))


VICTIMS: dict[str, Kill] = {
    "engine": of_part("engine"),
    "api": of_part("api"),
    "receiver": of_part("receiver"),
    "supervisor": of_part("supervisor"),
    "haproxy": of_haproxy,
    "hook": of_hook,
    "asking": of_asking,
    "waiting": of_part("hook"),
    "ssh client": of_client,
    "Ctrl-C": of_patience,
}


def experiment(lab: Lab, build: str = "quick", moments: Sequence[float] = MOMENTS) -> str:
    """Survived of tried, and the requests that were lost where the proxy was not the victim."""
    lost, version, tried, slowest = 0, 1, 0, 0.0
    with lab.app("mortal") as shop:
        for victim in lab.victims or VICTIMS:
            waits = []
            for moment in moments:
                version += 1
                files = source(lab.site, shop.app, version, build)
                hit, seen, wait = push_and_kill(lab.site, shop, files, version, moment, VICTIMS[victim])
                lost += 0 if victim == "haproxy" else seen
                waits += [wait] if hit else []
            tried, slowest = tried + len(waits), max([slowest, *waits])
            lab.say(f"{victim}: {len(waits)} kills survived, the turn free after {max([0.0, *waits]):.1f} s at most")
    assert lost == 0, f"{lost} requests lost"
    return f"{tried} kills survived, {lost} requests lost but to HAProxy's own death, the turn free after {slowest:.1f} s at most"


def source(site: Site, app: str, version: int, build: str) -> dict[str, str]:
    """The tiny app; for a build that takes long with a Dockerfile of its own, on a base image that is here."""
    files = versioned(app, version)
    if BUILDS[build]:
        listed = site.docker("images", "--format", "{{.Repository}}:{{.Tag}}", f"{site.name}/python").text.split()
        image = min(line for line in listed if not line.endswith("-build"))
        files["Dockerfile"] = f'FROM {image}\nCOPY app.py .\nRUN : {version}; {BUILDS[build]}\nCMD ["python", "app.py"]\n'
    return files


def push_and_kill(site: Site, shop: Repository, files: dict[str, str], version: int, moment: float, kill: Kill) -> tuple[bool, int, float]:
    """Returns whether somebody was killed, how many requests were lost, and after how many seconds the turn was free."""
    shop.commit(files)
    argv = ["git", "-C", str(shop.folder), "push", "-q", "wherry", "main"]
    with site.visitors(shop.app, connections=10) as count:
        push = subprocess.Popen(argv, env=shop.env(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(moment)
        hit = kill(site, push)
        wait = free_again(lambda: not orphaned(site, shop.app))
        status = push.wait(120)
        until(lambda: not unfinished(site, shop.app), 60, "the end of what was under way")
        wait = max(wait, free_again(lambda: site.wherry("config:set", shop.app, f"N={version}").status == 0))
        hold(site, {shop.app: {str(version)} if status == 0 else {str(version - 1), str(version)}})
    again = shop.push()
    assert again.status == 0, f"I6: a second push says\n{again.text}"
    hold(site, {shop.app: {str(version)}})
    return hit, int(count["lost"]), wait
