"""An app with its data in a SQLite file on a volume: whatever happens to it, no row and no request is lost, and nobody
ever writes beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from failpoint_support import armed
from scenario_support import Repository, Site
from waiting import until

pytestmark = [pytest.mark.engine, pytest.mark.scenario]

Make = Callable[[str], Repository]
STAGES_OF_A_SWITCH = ["release_row", "route_write", "route_acknowledged", "drain", "stop_old", "collect"]
STAGES_OF_A_SWITCH += ["create", "start", "health", "commit"]
LEDGER = """
import fcntl, http.server, os, signal, socketserver, sqlite3, sys, threading

# Who starts beside another one leaves a mark; SQLite itself would only be slow.
lock = open("/app/data/lock", "w")
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    open("/app/data/beside", "w").write("version {version}")
if "{version}" == "broken":
    sys.exit("no such table: orders")
base = sqlite3.connect("/app/data/ledger.db", check_same_thread=False, isolation_level=None)
base.execute("PRAGMA journal_mode = WAL")
base.execute("CREATE TABLE IF NOT EXISTS rows (version TEXT)")
turn = threading.Lock()

class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        with turn:
            if self.path == "/":
                base.execute("INSERT INTO rows VALUES (?)", ("{version}",))
                body = "{version}"
            elif self.path == "/beside":
                body = str(os.path.exists("/app/data/beside"))
            else:
                body = str(base.execute("SELECT count(*) FROM rows").fetchone()[0])
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *_):
        pass

class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = False
    request_queue_size = 256
    def handle_error(self, *_):
        pass

server = Server(("0.0.0.0", int(os.environ["PORT"])), Page)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
"""


def ledger(version: int | str) -> dict[str, str]:
    return {"Procfile": "web: exec python app.py\n", "requirements.txt": "", "app.py": LEDGER.replace("{version}", str(version))}


def made(here: Site, repository: Repository) -> None:
    """The app with its volume, live as version 1."""
    assert here.wherry("apps:create", repository.app).status == 0
    assert here.wherry("storage:create", repository.app, "data").status == 0
    assert here.wherry("storage:mount", repository.app, "data:/app/data").status == 0
    repository.commit(ledger(1))
    pushed = repository.push()
    assert pushed.status == 0, pushed.text


def rows(here: Site, app: str) -> int:
    return int(here.get(app, "/count")[1])


def test_changes_of_an_app_that_writes_to_its_volume_lose_no_request_and_no_row(here: Site, app: Make) -> None:
    made(here, shop := app("ledger"))
    with here.visitors("ledger") as count:
        shop.commit(ledger(2))
        told = shop.push()
        assert told.status == 0, told.text
        assert here.wherry("config:set", "ledger", "A=1").status == 0
        assert here.wherry("ps:restart", "ledger").status == 0
        shop.commit(ledger(3))
        engine, began = here.pid("engine"), time.time()
        push = subprocess.Popen(["git", "-C", str(shop.folder), "push", "-q", "wherry", "main"], env=shop.env(), stderr=subprocess.PIPE)
        wait_for_an_end(here, "ledger", began)
        os.kill(engine, signal.SIGKILL)
        heard = push.communicate(timeout=120)[1].decode()
        assert push.returncode == 0, heard
    assert count["lost"] == 0, count
    assert count["backwards"] == 0, count
    assert count["versions"].keys() == {"1", "2", "3"}
    assert rows(here, "ledger") == count["answered"]
    assert here.get("ledger", "/beside")[1] == "False"
    assert "of v" in told.text and "stopped first, in" in told.text and "requests waited meanwhile" in told.text


def wait_for_an_end(here: Site, app: str, since: float) -> None:
    """Returns as soon as an instance has ended: the new one has not begun, a moment that looking now and then could miss."""
    mine = ["--filter", f"label=wherry.platform={here.name}", "--filter", f"label=wherry.app={app}", "--filter", "event=die"]
    argv = ["docker", "events", "--since", f"{since:.3f}", *mine]
    with subprocess.Popen(["timeout", "120", *argv], stdout=subprocess.PIPE, text=True) as events:
        assert events.stdout and " die " in events.stdout.readline()
        events.terminate()


def test_a_release_that_fails_gives_the_volume_back_to_the_one_before(here: Site, app: Make) -> None:
    made(here, shop := app("safe"))
    with here.visitors("safe", connections=10) as count:
        time.sleep(0.5)
        shop.commit(ledger("broken"))
        told = shop.push()
    assert told.status != 0
    assert "v1 was stopped for" in told.text and "and runs again" in told.text, told.text
    assert count["lost"] == 0, count
    assert rows(here, "safe") == count["answered"]
    assert here.get("safe", "/beside")[1] == "False"


def test_a_volume_belongs_to_the_apps_user_is_seen_by_one_offs_and_goes_out_and_in_as_an_archive(here: Site, app: Make) -> None:
    made(here, app("owner"))
    said = here.wherry("run", "owner", "sh", "-c", "stat -c %u /app/data && id -u && echo kept > /app/data/mine")
    words = said.text.split()
    assert words[0] == words[1] != "0", said.text
    packed = subprocess.run([*here.ssh_argv(), "wherry@127.0.0.1", "storage:export", "owner", "data"], capture_output=True, timeout=60)
    assert packed.returncode == 0, packed.stderr
    assert "owner runs and may write to data" in here.wherry("storage:import", "owner", "data").text
    here.wherry("run", "owner", "rm", "/app/data/mine")
    here.wherry("ps:stop", "owner")
    program = [f"/usr/local/bin/{here.name}", "storage:import", "owner", "data"]
    assert subprocess.run(program, input=packed.stdout, capture_output=True, timeout=60).returncode == 0
    assert here.wherry("run", "owner", "cat", "/app/data/mine").text == "kept\n"
    source = here.json("storage:info", "owner", "data")["source"]
    assert here.docker("volume", "inspect", source).status == 0
    assert here.wherry("apps:destroy", "owner", "--confirm", "owner").status == 0
    assert here.docker("volume", "inspect", source).status != 0


@pytest.mark.slow
def test_the_engine_may_die_at_any_stage_of_a_writers_replacement(here: Site, app: Make) -> None:
    made(here, shop := app("mortal"))
    with armed(here, "kill") as points:
        for version, stage in enumerate(STAGES_OF_A_SWITCH, 2):
            points.set(stage)
            shop.commit(ledger(version))
            before = rows(here, "mortal")
            with here.visitors("mortal", connections=10) as count:
                pushed = shop.push()
                until(lambda stage=stage: stage in points.struck(), what=f"the stage {stage}")
            assert pushed.status == 0, f"{stage}: {pushed.text}"
            assert count["lost"] == count["backwards"] == 0, (stage, count)
            assert rows(here, "mortal") == before + count["answered"], stage
            assert here.get("mortal", "/beside")[1] == "False", stage
            print(stage, count)
