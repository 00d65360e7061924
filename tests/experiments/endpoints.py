"""Log drains whose other end is dead, deaf, or sends us inwards: apps, pushes and the other drains do not notice."""

from __future__ import annotations

import http.server
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from draining_support import syslog
from experiments.lab import Lab
from failpoint_support import configured
from invariants import hold, versioned
from scenario_support import Repository, Site, free_port
from waiting import until

CHATTY = """
def chat():
    for number in range(40_000):
        print("word", number, flush=True)
        time.sleep(0.001)
threading.Thread(target=chat, daemon=True).start()
"""
SERVES = "server.serve_forever()"
WORDS = 40_000


def experiment(lab: Lab) -> str:
    with configured(lab.site, "WHERRY_DRAIN_INTERNAL=yes"), ExitStack() as stack:
        silent, good = stack.enter_context(deaf()), stack.enter_context(syslog())
        inwards, asked = stack.enter_context(redirecting(lab.site.api_port))
        shop = stack.enter_context(lab.app("talker"))
        ends = {
            "dead": f"syslog+tcp://127.0.0.1:{free_port()}",
            "deaf": f"syslog+tcp://127.0.0.1:{silent}",
            "redirecting inwards": f"http://127.0.0.1:{inwards}/logs",
            "good": f"syslog+tcp://127.0.0.1:{good.port}",
        }
        for url in ends.values():
            assert (added := lab.site.wherry("drains:add", shop.app, url)).status == 0, added.text
        with lab.site.visitors(shop.app, connections=10) as count:
            push(shop)
            until(lambda: last(good.texts()) == WORDS - 1, 180, "the last line at the good end")
        for line in lab.site.wherry("drains", shop.app).text.splitlines():
            lab.say(line)
        states(lab.site, shop.app)
    assert count["lost"] == 0, count
    assert asked and all(path == "/logs" for path in asked), asked
    return f"{WORDS} lines arrived at the good end, no redirect was followed, {count['lost']} requests lost"


def push(shop: Repository) -> None:
    source = versioned(shop.app, 2)
    shop.commit({**source, "app.py": source["app.py"].replace(SERVES, f"{CHATTY}\n{SERVES}")})
    done = shop.push()
    assert done.status == 0, done.text
    hold(shop.site, {shop.app: {"2"}})


def last(texts: list[str]) -> int:
    """The number of the last word that arrived; words come in order."""
    numbers = [int(found[1]) for text in texts[-50:] if (found := re.search(r"word ([0-9]+)$", text))]
    return max(numbers, default=-1)


def states(site: Site, app: str) -> None:
    told = site.json("drains", app)["drains"]
    failing = [drain for drain in told if drain["state"] != "sending"]
    assert len(told) == 4 and len(failing) >= 2, told


@contextmanager
def deaf() -> Iterator[int]:
    """Accepts and never reads."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


@contextmanager
def redirecting(target: int) -> Iterator[tuple[int, list[str]]]:
    """Sends every post on to the control API; the list is what was asked for here."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(307)
            self.send_header("Location", f"http://127.0.0.1:{target}/apps")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        server.server_close()
