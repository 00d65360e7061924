"""A tiny platform under the real supervisor, run as its own process by tests: `python supervised_platform.py HOME [MODE]`.

Parts write their process ids and their last words into HOME, so a test sees what a person would see in `ps`.
"""

import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "platform"))

from wherry.errors import WherryError
from wherry.supervisor import lock
from wherry.supervisor.child import Part
from wherry.supervisor.supervisor import HEARD, RELOAD, Supervisor

home, mode = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""


def note(line: str) -> None:
    with (home / "story").open("a") as story:
        story.write(line + "\n")


def worker(name: str, ready: bool = False) -> None:
    def leave(*_: object) -> None:
        note(f"{name} stopped")
        os._exit(0)

    signal.signal(signal.SIGTERM, signal.SIG_IGN if mode == f"{name}-deaf" else leave)
    note(f"{name} started {os.getpid()} uid {os.getuid()}")
    if ready and mode != "engine-hangs":
        time.sleep(0.2)
        note(f"{name} ready")
        (home / "run" / "ready").touch()
    if mode == f"{name}-dies":
        sys.exit(3)
    while True:
        time.sleep(60)


def main() -> int:
    (home / "run").mkdir(exist_ok=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    try:
        held = lock.hold(home / "run" / "serve.lock")
    except WherryError as error:
        print(error)
        return error.exit_status
    grace = 1.0 if mode.endswith("-deaf") else 60.0
    parts = [
        Part("engine", run=lambda: worker("engine", ready=True), grace=grace),
        Part("proxy", argv=lambda: ["sleep", f"{3600 + home.stat().st_ino}"], grace=grace, pid_file=home / "run" / "proxy.pid"),
        Part("api", run=lambda: worker("api"), grace=grace, user="nobody" if mode == "users" else ""),
    ]
    note("supervisor started")
    early = lambda: note("early")  # noqa: E731
    wish = Supervisor("demo", parts, home / "run" / "ready", close=(held,), early=early, patience=1.0).run()
    note(f"supervisor {wish}")
    if wish == RELOAD:
        os.execv(sys.executable, [sys.executable, *sys.argv])
    return 0


if __name__ == "__main__":
    sys.exit(main())
