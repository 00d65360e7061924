"""Fresh machines for tests: whole Debians in namespaces (scripts/fresh-machine), driven from outside."""

from __future__ import annotations

import http.client
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SSH = "GIT_SSH_COMMAND='ssh -o StrictHostKeyChecking=accept-new'"
CLONE = """\
git config --global --replace-all safe.directory '*'
[ -d wherry/.git ] || git clone -q /srv/wherry.git wherry
git -C wherry fetch -q origin HEAD
git -C wherry reset -q --hard FETCH_HEAD
"""


class Failed(Exception):
    """A promise that did not hold, in a sentence."""


class Machine:
    """One fresh machine, driven by scripts/fresh-machine."""

    def __init__(self, name: str, *options: str, again: bool = False) -> None:
        """A new one; with `again`, one of this name that is up is taken as it is."""
        self.name = name
        if not again or self._tool("run", "true").returncode:
            self._tool("stop")
            self._must("start", *options)
        self.address = self._must("addr").strip()

    def run(self, script: str, limit: float = 600.0) -> str:
        """Runs a shell script inside and returns what it printed. Raises Failed with its last lines."""
        done = self._tool("run", "bash", "-ec", script, limit=limit)
        if done.returncode:
            raise Failed(f"`{script.strip().splitlines()[0][:80]}` exited with {done.returncode}:\n{tail(done.stdout)}")
        return done.stdout

    def start(self, script: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self._words("run"), "bash", "-ec", script], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
        )

    def put(self, source: Path | str, target: str) -> None:
        self._must("put", str(source), target)

    def power_cut(self) -> None:
        self._must("crash")

    def boot(self) -> None:
        self._must("boot")

    def stop(self) -> None:
        self._tool("stop")

    def plugged_in(self) -> bool:
        """Whether its network is there; without, others may answer for its address."""
        state = Path("/sys/class/net", f"fm{self.address.split('.')[2]}", "operstate")
        with suppress(OSError):
            return state.read_text().strip() == "up"
        return False

    def get(self, host: str, timeout: float = 10.0) -> tuple[int, str]:
        """Status and body of the page of `host`, or 0 and the reason."""
        connection = http.client.HTTPConnection(self.address, 80, timeout=timeout)
        try:
            connection.request("GET", "/", headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            return 0, type(error).__name__
        finally:
            connection.close()

    def _words(self, verb: str) -> list[str]:
        return [str(ROOT / "scripts" / "fresh-machine"), verb, self.name]

    def _tool(self, verb: str, *words: str, limit: float = 300.0) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._words(verb), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=limit,
        )

    def _must(self, verb: str, *words: str) -> str:
        done = self._tool(verb, *words)
        if done.returncode:
            raise Failed(f"fresh-machine {verb}: {tail(done.stdout)}")
        return done.stdout


class Visitor(threading.Thread):
    """Asks for a page again and again on one connection, never twice for the same answer, and counts what went wrong."""

    def __init__(self, machine: Machine, host: str) -> None:
        super().__init__(daemon=True)
        self.machine, self.host = machine, host
        self.good = 0
        self.bad: list[str] = []
        self._done = threading.Event()

    def run(self) -> None:
        connection = http.client.HTTPConnection(self.machine.address, 80, timeout=30.0)
        while not self._done.is_set():
            try:
                connection.request("GET", "/", headers={"Host": self.host})
                answer = connection.getresponse()
                answer.read()
                self._note(answer.status)
            except (OSError, http.client.HTTPException) as error:
                self.bad.append(type(error).__name__)
                connection.close()
            time.sleep(0.005)
        connection.close()

    def _note(self, status: int) -> None:
        if status == 200:
            self.good += 1
        else:
            self.bad.append(str(status))

    def __enter__(self) -> Visitor:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join(40)


def clone(machine: Machine, worktree: bool) -> str:
    """`git clone` of the last commit, as a newcomer would; or the files as they are. A clone that is there is brought up to it."""
    with tempfile.TemporaryDirectory() as folder:
        if worktree:
            _copy_of_worktree(Path(folder) / "wherry")
            machine.put(f"{folder}/wherry/.", "/root/wherry")
            return "the files of this checkout are in place"
        subprocess.run(["git", "clone", "-q", "--bare", str(ROOT), f"{folder}/wherry.git"], check=True)
        machine.run("rm -rf /srv/wherry.git")
        machine.put(f"{folder}/wherry.git", "/srv/wherry.git")
        machine.run(CLONE)
        return "git clone"


def _copy_of_worktree(target: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-p", str(ROOT / name), str(target / name)], check=True)


def wait_for(machine: Machine, host: str, text: str = "", limit: float = 30.0) -> None:
    deadline = time.monotonic() + limit
    while True:
        status, body = machine.get(host)
        if status == 200 and text in body:
            return
        expect(time.monotonic() < deadline, f"{host} answers 200 {text} within {limit:g} s; it answers {status} {body[:80]}")
        time.sleep(0.2)


def expect(truth: bool, sentence: str) -> None:
    if not truth:
        raise Failed(sentence)


def tail(text: str, lines: int = 25) -> str:
    return "\n".join(f"         {line}" for line in text.strip().splitlines()[-lines:])
