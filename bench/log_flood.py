"""What a million lines, printed as fast as an app can, cost: the disk, the order, the neighbour, and who looks at the log."""

from __future__ import annotations

import itertools
import re
import statistics
import time
from pathlib import Path

from figure import Check, Figure, Row
from hogs import NICE, SETTLES, Visitors, calm_while
from place import Place
from small_app import new_version, small_app

LINES = 1_000_000
CAP = 16 * 1024 * 1024
LOOKS = 20
PATIENCE, ASK_EVERY = 1200.0, 2.0
"""Seconds to wait for the last line, and between two looks for it. They look at the end of the log's file: `wherry logs` is a program of
some 40 ms, and would be there in two hundredths of the time during the flood, and not before it."""
FLOOD = """
import hashlib, os, time
while not os.path.exists("/tmp/go"):
    time.sleep(0.05)
for number in range({lines}):
    print(number, "GET /items", hashlib.md5(b"%d" % number).hexdigest())
print("the end", flush=True)
time.sleep(3600)
"""


def measure(place: Place, lines: int = LINES) -> Figure:
    with place.app("neighbour") as neighbour, place.app("loud") as loud:
        place.release(neighbour, small_app(new_version()))
        loud.commit({"Procfile": "flood: python flood.py\n", "requirements.txt": "", "flood.py": FLOOD.format(lines=lines)})
        pushed = loud.push()
        assert pushed.status == 0, pushed.text
        scaled = place.site.wherry("ps:scale", "loud", "flood=1")
        assert scaled.status == 0, scaled.text
        port, host = place.site.http_port, "neighbour.localhost"
        before = calm_while(port, host)
        place.say(f"logs: {lines} lines …")
        with Visitors(port, host) as busy:
            seconds = _flood(place)
        time.sleep(SETTLES)
        return _figure(place, lines, before + calm_while(port, host), busy, seconds)


def _flood(place: Place) -> float:
    """Seconds until the last line can be read."""
    began = time.monotonic()
    told = place.site.docker("exec", *place.site.containers("loud")[:1], "touch", "/tmp/go")
    assert told.status == 0, told.text
    while b"the end\n" not in _newest(place):
        assert time.monotonic() - began < PATIENCE, "the last line of the flood did not come"
        time.sleep(ASK_EVERY)
    return time.monotonic() - began


def _figure(place: Place, lines: int, calm: Visitors, busy: Visitors, seconds: float) -> Figure:
    from wherry.store.app_logs import AppLogs

    folder = _folder(place)
    size = sum(path.stat().st_size for path in (folder / "loud").iterdir())
    texts = [line.split("]: ", 1)[1] for line in AppLogs(folder).tail("loud", 2 * lines)]
    numbers = [int(text.split()[0]) for text in texts if re.fullmatch(r"[0-9]+ GET /items [0-9a-f]{32}", text)]
    missing = numbers[-1] - numbers[0] + 1 - len(numbers)
    told = sum(int(found[1]) for text in texts if (found := re.match(r"Error L12 .*: (?:about )?([0-9]+) messages? dropped", text)))
    looks = [_look(place) for _ in range(LOOKS)]
    return Figure(
        "logs",
        "A flood of lines",
        f"{lines:,} lines of 50 bytes at full speed beside an app with visitors who come 400 times a second at most and"
        f" whose own program has a nice value of {NICE}, as if it ran on a machine of theirs.",
        (
            Check("disk of the app's log / its cap", size / CAP, "×", 1.0),
            Check("lines out of order", sum(one >= other for one, other in itertools.pairwise(numbers)), "", 0),
            Check("lines gone and not told of / all", abs(missing - told) / lines, "×", 0.1),
            Check("wherry logs -n 100", statistics.median(looks), "s", 0.1),
            Check("the neighbour's p99 during it / without", busy.p99 / calm.p99, "×", 1.5),
            Check("the neighbour's requests lost", len(calm.bad) + len(busy.bad), "", 0),
        ),
        (
            Row("lines kept", (len(numbers),), ""),
            Row("lines told of as dropped", (told,), ""),
            Row("until the last line can be read", (seconds,), "s"),
            Row("lines a second, all in all", (lines / seconds,), "/s"),
            Row("wherry logs -n 100", tuple(looks), "s"),
            Row("the neighbour's p99 without", (calm.p99,), "ms"),
            Row("the neighbour's p99 during it", (busy.p99,), "ms"),
        ),
    )


def _newest(place: Place) -> bytes:
    """The last lines of the flood's log."""
    with max((_folder(place) / "loud").glob("*.log")).open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - 4096))
        return file.read()


def _folder(place: Place) -> Path:
    return place.site.home / "logs" / "apps"


def _look(place: Place) -> float:
    began = time.monotonic()
    done = place.site.wherry("logs", "loud", "-n", "100")
    assert done.text.count("\n") == 100, done.text[-300:]
    return time.monotonic() - began
