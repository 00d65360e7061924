"""`kill -9` of a process of the platform, or of the pusher's, at moments spread over a push; then every invariant."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence

from experiments.lab import Lab
from invariants import free_again, hold, versioned
from scenario_support import Repository, Site

MOMENTS = (0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.4, 1.8)
"""Seconds after the start of a push that takes about one and a half on a calm machine."""


def of_part(part: str) -> Callable[[Site, subprocess.Popen[bytes]], None]:
    return lambda site, _push: os.kill(site.pid(part), signal.SIGKILL)


def of_haproxy(site: Site, _push: subprocess.Popen[bytes]) -> None:
    for pid in (site.home / "run" / "haproxy.pid").read_text().split():
        os.kill(int(pid), signal.SIGKILL)


def of_client(_site: Site, push: subprocess.Popen[bytes]) -> None:
    """git and ssh on the person's machine, as when it is switched off."""
    os.killpg(push.pid, signal.SIGKILL)


VICTIMS: dict[str, Callable[[Site, subprocess.Popen[bytes]], None]] = {
    "engine": of_part("engine"),
    "api": of_part("api"),
    "receiver": of_part("receiver"),
    "haproxy": of_haproxy,
    "ssh client": of_client,
}


def experiment(lab: Lab, victims: Sequence[str] = tuple(VICTIMS), moments: Sequence[float] = MOMENTS) -> str:
    """Survived of tried, and the requests that were lost where the proxy was not the victim."""
    lost, version = 0, 1
    with lab.app("mortal") as shop:
        for victim in victims:
            for moment in moments:
                version += 1
                seen = push_and_kill(lab.site, shop, version, moment, VICTIMS[victim])
                lost += 0 if victim == "haproxy" else seen
            lab.say(f"{victim}: {len(moments)} of {len(moments)} survived")
    assert lost == 0, f"{lost} requests lost"
    return f"{len(victims) * len(moments)} of {len(victims) * len(moments)} kills survived, {lost} requests lost but to HAProxy's own death"


def push_and_kill(site: Site, shop: Repository, version: int, moment: float, kill: Callable[[Site, subprocess.Popen[bytes]], None]) -> int:
    """Returns how many requests were lost."""
    shop.commit(versioned(shop.app, version))
    argv = ["git", "-C", str(shop.folder), "push", "-q", "wherry", "main"]
    with site.visitors(shop.app, connections=10) as count:
        push = subprocess.Popen(argv, env=shop.env(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(moment)
        kill(site, push)
        status = push.wait(120)
        free_again(lambda: site.wherry("config:set", shop.app, f"N={version}").status == 0)
        hold(site, {shop.app: {str(version)} if status == 0 else {str(version - 1), str(version)}})
    again = shop.push()
    assert again.status == 0, f"I6: a second push says\n{again.text}"
    hold(site, {shop.app: {str(version)}})
    return int(count["lost"])
