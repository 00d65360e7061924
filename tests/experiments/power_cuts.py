"""A whole machine without power in the middle of a push, and a machine whose Docker dies, hangs or restarts: on return every app
is served by its own instances, every operation has an end, and the next push works."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from experiments.lab import Lab
from fresh_support import ROOT, SSH, Machine, expect, tail, wait_for

MOMENTS = (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0)
APPS = ("one", "two", "three")
BACK_WITHIN = 90.0
APP = """\
mkdir -p {name} && cd {name} && git init -q -b main
git config user.name Person && git config user.email person@example.org
cat > server.py <<'END'
import http.server, os
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"{name}/" + open("version", "rb").read().strip()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *words): pass
http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Page).serve_forever()
END
echo 'web: python server.py' > Procfile
touch requirements.txt
echo 0 > version
git add . && git commit -q -m 0
git remote add wherry ssh://wherry@127.0.0.1:2222/{name}
{ssh} git push -q wherry main
"""
AGAIN = "for i in $(seq 60); do docker info >/dev/null 2>&1 && exit; sleep 1; done; exit 1"
FAULTS = {
    "systemctl restart docker": "dockerd is restarted",
    f"systemctl reset-failed docker; pkill -KILL -x dockerd; {AGAIN}": "dockerd is killed, and started again by systemd",
    "pkill -STOP -x dockerd; sleep 60; pkill -CONT -x dockerd": "dockerd hangs for 60 s",
    "mv /run/docker.sock /run/away.sock; sleep 30; mv /run/away.sock /run/docker.sock": "the socket is gone for 30 s",
}
"""Inside the fresh machine, whose Docker is its own."""
KEEPS_SERVING = ("dockerd hangs for 60 s", "the socket is gone for 30 s")


def experiment(lab: Lab, moments: Sequence[float] = MOMENTS) -> str:
    """Cuts survived of tried; what a host answered while the machine came back, from the first accepted connection on."""
    with machine() as made:
        answers = sum(cut(lab, made, number, moment) for number, moment in enumerate(moments, 1))
    return f"{len(moments)} of {len(moments)} power cuts survived; {answers} answers while coming back, 0 by another app"


def cut(lab: Lab, made: Machine, version: int, moment: float) -> int:
    """One cut in the middle of a push, and the way back; how many answers came on it."""
    pushing = push(made, "two", version)
    time.sleep(moment)
    made.power_cut()
    pushing.wait(30)
    began = time.monotonic()
    with Samples(made, timeout=1.0) as samples:
        made.boot()
        wait_for_all(samples)
    settled(made, "two", (version - 1, version))
    after(made, "two", version)
    lab.say(f"cut {moment:g} s after the start of a push: all served {samples.served_after - began:.0f} s later; {samples.told()}")
    return samples.answers


def docker_dies(lab: Lab) -> str:
    """While a push is under way."""
    with machine() as made:
        for number, (fault, what) in enumerate(FAULTS.items(), 1):
            die(lab, made, number, fault, what)
    return f"{len(FAULTS)} of {len(FAULTS)} faults of dockerd survived"


def die(lab: Lab, made: Machine, version: int, fault: str, what: str) -> None:
    """Instances end with a Docker that is stopped; with one that only hangs, or that nobody reaches, they serve on."""
    pushing = push(made, "two", version)
    time.sleep(0.7)
    with Samples(made) as samples:
        made.run(fault)
        pushing.wait(240)
        wait_for_all(samples)
    if what in KEEPS_SERVING:
        expect(not samples.bad, f"I1 {what}: visitors got {sorted(samples.bad)[:3]}")
    settled(made, "two", (version - 1, version))
    after(made, "two", version)
    lab.say(f"{what}: push {'accepted' if pushing.returncode == 0 else 'rejected, then accepted'}; {samples.told()}")


@contextmanager
def machine() -> Iterator[Machine]:
    """A fresh machine with this checkout's platform and three apps on it."""
    made = Machine(f"p{os.getpid() % 100_000}", "--suite", "bookworm")
    try:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["git", "clone", "-q", "--bare", str(ROOT), f"{folder}/wherry.git"], check=True)
            made.put(Path(folder) / "wherry.git", "/srv/wherry.git")
        made.run("git config --global --add safe.directory '*'; git clone -q /srv/wherry.git wherry; cd wherry; scripts/up", 1200)
        for name in APPS:
            made.run(APP.format(name=name, ssh=SSH))
            wait_for(made, f"{name}.localhost", f"{name}/0")
        yield made
    finally:
        made.stop()


def push(made: Machine, app: str, version: int) -> subprocess.Popen[str]:
    return made.start(
        f"cd {app} && rm -f .git/*.lock && echo {version} > version && git commit -qam {version} && {SSH} git push -q wherry main"
    )


class Samples(threading.Thread):
    """I2: asks every host again and again, from before the first connection is accepted on. Nobody answers for another."""

    def __init__(self, made: Machine, timeout: float = 10.0) -> None:
        super().__init__(daemon=True)
        self.made, self.timeout = made, timeout
        self.answers, self.served_after = 0, 0.0
        self.statuses: Counter[int] = Counter()
        self.wrong: list[str] = []
        self.bad: set[str] = set()
        self.served: dict[str, float] = {}
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.02):
            for app in APPS if self.made.plugged_in() else ():
                self._ask(app)

    def _ask(self, app: str) -> None:
        status, body = self.made.get(f"{app}.localhost", self.timeout)
        self.answers += status > 0
        self.statuses[status] += 1
        if status == 200 and not body.startswith(f"{app}/"):
            self.wrong.append(f"{app} is answered by {body[:60]!a}")
        if status == 200:
            self.served[app] = time.monotonic()
        else:
            self.bad.add(f"{app}: {status or body}")
            self.served.pop(app, None)

    def told(self) -> str:
        """`412 answers: 380 of 200, 32 of 503`."""
        kinds = ", ".join(f"{count} of {status}" for status, count in sorted(self.statuses.items()) if status)
        return f"{self.answers} answers ({kinds})"

    def __enter__(self) -> Samples:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join(60)
        expect(not self.wrong, f"I2 {self.wrong[:3]}")


def wait_for_all(samples: Samples) -> None:
    """I1: until every host is served, by answers that came from now on."""
    now = time.monotonic()
    while any(samples.served.get(app, 0.0) < now for app in APPS):
        missing = ", ".join(sorted(set(APPS) - samples.served.keys()))
        expect(time.monotonic() < now + BACK_WITHIN, f"I1 {missing} back within {BACK_WITHIN:g} s")
        time.sleep(0.05)
    samples.served_after = time.monotonic()


def settled(made: Machine, app: str, versions: Sequence[int]) -> None:
    """I3 and I4: every operation has its end, one container per app, and a version that was pushed is served."""
    deadline = time.monotonic() + 60
    while re.search("running|queued", out := made.run(f"wherry operations {app}")):
        expect(time.monotonic() < deadline, f"I3 every operation is finished or undone:\n{tail(out)}")
        time.sleep(0.5)
    while (count := made.run("docker ps -aq --filter label=wherry.app=" + app).split()) and len(count) != 1:
        expect(time.monotonic() < deadline, f"I4 one container of {app}, not {len(count)}")
        time.sleep(0.5)
    status, body = made.get(f"{app}.localhost")
    expect(body in [f"{app}/{version}" for version in versions], f"I1 a version of before or after, not {status} {body[:60]!a}")


def after(made: Machine, app: str, version: int) -> None:
    """The same push again brings it there. What a power cut left of the pusher's own repository is put right first."""
    made.run(
        f"cd {app} && rm -f .git/*.lock .git/refs/heads/*.lock && find .git/objects -size 0 -delete; git fsck >/dev/null 2>&1 || true;"
        f"echo {version} > version && git add . && git commit -q --allow-empty -m again{version} && {SSH} git push -q -f wherry main"
    )
    wait_for(made, f"{app}.localhost", f"{app}/{version}")
