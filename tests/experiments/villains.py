"""Apps that harm the machine: what a quiet app beside them notices, and what is told of them."""

from __future__ import annotations

import time

from experiments.lab import Lab
from experiments.neighbour import visited
from invariants import hold, versioned
from scenario_support import Repository, Site

CALM, HARM = 8.0, 15.0
"""Seconds of visits before, and while a villain does its worst."""
SERVES = "server.serve_forever()"
FLOOD = """
def flood():
    for number in range(1_000_000):
        print(number, "all work and no play", flush=False)
    print("x" * 100_000_000)
    sys.stdout.buffer.write(os.urandom(5_000_000))
threading.Thread(target=flood).start()
"""
BOMB = """
def bomb():
    while True:
        try:
            os.fork()
        except OSError:
            pass
threading.Timer(1, bomb).start()
"""
VILLAINS = {
    "out of memory": "threading.Timer(2, lambda: b'x' * 2**31).start()",
    "crash loop": "threading.Timer(1, lambda: os._exit(1)).start()",
    "log flood": FLOOD,
    "fork bomb": BOMB,
}
"""What each does once it serves."""
LOG_LIMIT = 24 * 2**20
"""Bytes on disk: WHERRY_LOG_SIZE is 16 MB, and what is just being collected comes on top."""


def experiment(lab: Lab) -> str:
    with lab.app("quiet"):
        with visited(lab.site, "quiet") as calm:
            time.sleep(CALM)
        seen = [f"{name} {meet(lab, name, harm):.0f} ms" for name, harm in VILLAINS.items()]
        hold(lab.site, {"quiet": {"1"}})
    return f"the 99th percentile of a neighbour's answers: calm {calm.p99:.0f} ms, {', '.join(seen)}; none lost"


def meet(lab: Lab, name: str, harm: str) -> float:
    """The neighbour's 99th percentile in ms while the villain is there."""
    villain = Repository(lab.site, name.replace(" ", "-"), lab.folder / name)
    source = versioned(villain.app, 1)
    villain.commit({**source, "app.py": source["app.py"].replace(SERVES, f"{harm}\n{SERVES}")})
    try:
        with visited(lab.site, "quiet") as noticed:
            villain.push()
            time.sleep(HARM)
            told = lab.site.wherry("ps", villain.app).text.splitlines()
        assert not noticed.bad, noticed.bad[:5]
        lab.say(f"{name}: {told[-1].strip()[:110]}")
        assert (kept := log_bytes(lab.site, villain.app)) < LOG_LIMIT, f"{kept} bytes of log"
    finally:
        gone = lab.site.wherry("apps:destroy", villain.app, "--confirm", villain.app)
    assert gone.status == 0, gone.text
    return noticed.p99


def log_bytes(site: Site, app: str) -> int:
    return sum(path.stat().st_size for path in (site.home / "logs" / "apps" / app).rglob("*") if path.is_file())
