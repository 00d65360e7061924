"""A whole machine without power in the middle of a push, and a machine whose Docker dies, hangs or restarts: on return every app
is served by its own instances, every operation has an end, and the next push works."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
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
FAULTS = {
    "systemctl restart docker": "dockerd is restarted",
    "pkill -KILL -x dockerd; sleep 1; systemctl restart docker": "dockerd is killed",
    "pkill -STOP -x dockerd; sleep 30; pkill -CONT -x dockerd": "dockerd hangs for 30 s",
}
"""Inside the fresh machine, whose Docker is its own."""


def experiment(lab: Lab, moments: Sequence[float] = MOMENTS) -> str:
    """Cuts survived of tried; what a host answered while the machine came back, from the first accepted connection on."""
    with machine() as made:
        answers = 0
        for number, moment in enumerate(moments, 1):
            pushing = push(made, "two", number)
            time.sleep(moment)
            made.power_cut()
            pushing.wait(30)
            made.boot()
            answers += back(made)
            settled(made, "two", (number - 1, number))
            after(made, "two", number)
            lab.say(f"cut {moment:g} s after the start of a push: back")
    return f"{len(moments)} of {len(moments)} power cuts survived; {answers} answers while coming back, 0 by another app"


def docker_dies(lab: Lab) -> str:
    """While a push is under way."""
    with machine() as made:
        for number, (fault, what) in enumerate(FAULTS.items(), 1):
            pushing = push(made, "two", number)
            time.sleep(0.7)
            made.run(fault)
            pushing.wait(180)
            back(made)
            settled(made, "two", (number - 1, number))
            after(made, "two", number)
            lab.say(f"{what}: back")
    return f"{len(FAULTS)} of {len(FAULTS)} faults of dockerd survived"


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


def back(made: Machine) -> int:
    """I1 and I2: asks all hosts from the first connection on until all are served; how many answers came. Nobody answers for another."""
    deadline, answers, missing = time.monotonic() + BACK_WITHIN, 0, set(APPS)
    while missing:
        for app in APPS:
            status, body = made.get(f"{app}.localhost")
            answers += status > 0
            expect(status != 200 or body.startswith(f"{app}/"), f"I2 {app} is answered by {body[:60]!a}")
            missing -= {app} if status == 200 else set()
        expect(time.monotonic() < deadline, f"I1 {', '.join(sorted(missing))} back within {BACK_WITHIN:g} s")
    return answers


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
