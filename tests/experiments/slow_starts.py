"""Releases that come up slowly, wrongly or not at all: what is pushed is live within the boot timeout, or the old one serves on."""

from __future__ import annotations

import json
import subprocess
import time
from contextlib import ExitStack

from experiments.lab import Lab
from invariants import hold, versioned
from scenario_support import Repository

LISTENS, ANSWERS = "server = Server(", "self.send_response(200)"
CHECKED = '{"healthchecks": {"web": [%s]}}'
NEVER = CHECKED % json.dumps({"type": "startup", "path": "/healthz", "content": "well"})
FLAPS = CHECKED % json.dumps({"type": "readiness", "path": "/flap", "attempts": 1, "wait": 1})
UP = "time.monotonic() - started"
TELLS = f"self.send_response(503 if self.path == '/flap' and {UP} > 20 and int({UP}) // 3 % 2 else 200)"
WRONG = {
    "late10": ("starts after 10 s", {LISTENS: f"time.sleep(10)\n{LISTENS}"}, "", ""),
    "late55": ("starts after 55 s", {LISTENS: f"time.sleep(55)\n{LISTENS}"}, "", ""),
    "late65": ("starts after 65 s", {LISTENS: f"time.sleep(65)\n{LISTENS}"}, "", "R10"),
    "inward": ("listens on 127.0.0.1", {'"0.0.0.0"': '"127.0.0.1"'}, "", "127.0.0.1"),
    "sick": ("fails its startup check", {}, NEVER, "/healthz"),
    "flaps": ("is ready and unready every 3 s after a good start", {ANSWERS: TELLS}, FLAPS, ""),
}
"""Of each app: what its second version does, by which changes of its code and which app.json, and what the push is refused with."""
FLAPPING = 40.0


def experiment(lab: Lab) -> str:
    """All at once; each has visitors who never retry."""
    with ExitStack() as stack:
        apps = {name: stack.enter_context(lab.app(name)) for name in WRONG}
        counts = [stack.enter_context(lab.site.visitors(name, connections=4)) for name in WRONG]
        ended = {name: push.communicate(timeout=300)[0].decode() for name, push in {n: start(apps[n]) for n in WRONG}.items()}
        for name, (what, _, _, refused) in WRONG.items():
            assert (refused in ended[name] and "rejected" in ended[name]) if refused else "Live in" in ended[name], ended[name]
            lab.say(f"{what}: {f'refused ({refused}), the old one serves on' if refused else 'live'}")
        assert lab.site.wherry("ps:scale", "flaps", "web=2").status == 0
        time.sleep(FLAPPING)
        hold(lab.site, {name: {"1" if refused else "2"} for name, (_, _, _, refused) in WRONG.items()})
    lost = {name: count["reasons"] for name, count in zip(WRONG, counts, strict=True) if count["lost"]}
    assert not lost, lost
    return f"{len(WRONG)} of {len(WRONG)} as they should be, 0 requests lost"


def start(shop: Repository) -> subprocess.Popen[bytes]:
    """Pushes the second version."""
    _, changes, app_json, _ = WRONG[shop.app]
    source = versioned(shop.app, 2)
    for before, after in changes.items():
        source["app.py"] = source["app.py"].replace(before, after)
    shop.commit({**source, **({"app.json": app_json} if app_json else {})})
    argv = ["git", "-C", str(shop.folder), "push", "wherry", "main"]
    return subprocess.Popen(argv, env=shop.env(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
