"""Twenty pushes at once: to one app, and to twenty."""

from __future__ import annotations

import subprocess
import time

from experiments.lab import Lab
from invariants import hold, stranger, versioned
from scenario_support import Repository


def to_one_app(lab: Lab, pushes: int = 20) -> str:
    """Each from a clone of its own: those that lose the race are told so, the last accepted one serves."""
    with lab.app("popular") as shop:
        began, running = time.monotonic(), []
        for number in range(2, pushes + 2):
            clone = Repository(lab.site, shop.app, lab.folder / f"clone-{number}")
            clone.git("fetch", "-q", str(shop.folder), "main")
            clone.git("reset", "-q", "--hard", "FETCH_HEAD")
            clone.commit(versioned(shop.app, number))
            running.append((number, start(clone)))
        ended = {number: (push.communicate(timeout=600)[0].decode(), push.returncode) for number, push in running}
        accepted = {str(number) for number, (_, status) in ended.items() if status == 0}
        assert accepted, ended
        for text, status in ended.values():
            assert status == 0 or "fetch first" in text or "moved to" in text or "rejected" in text, text
        hold(lab.site, {shop.app: accepted})
        return f"{pushes} pushes to one app: {len(accepted)} deployed, the others told to fetch first; {time.monotonic() - began:.0f} s"


def to_many_apps(lab: Lab, apps: int = 20) -> str:
    """All new. While they come, no host is answered by another."""
    made = [Repository(lab.site, f"crowd{number}", lab.folder / f"crowd{number}") for number in range(apps)]
    for shop in made:
        shop.commit(versioned(shop.app, 1))
    began, running, strangers = time.monotonic(), [start(shop) for shop in made], []
    try:
        while any(push.poll() is None for push in running):
            strangers += [found for shop in made if (found := stranger(lab.site, shop.app))]
            time.sleep(0.1)
        ended = [(push.communicate()[0].decode(), push.returncode) for push in running]
        assert all(status == 0 for _, status in ended), [text for text, status in ended if status]
        hold(lab.site, {shop.app: {"1"} for shop in made}, patience=90)
        assert not strangers, strangers[:5]
        return f"{apps} of {apps} first pushes live after {time.monotonic() - began:.0f} s, 0 wrong answers"
    finally:
        for shop in made:
            lab.site.wherry("apps:destroy", shop.app, "--confirm", shop.app)


def start(shop: Repository) -> subprocess.Popen[bytes]:
    argv = ["git", "-C", str(shop.folder), "push", "wherry", "main"]
    return subprocess.Popen(argv, env=shop.env(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
