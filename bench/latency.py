"""How long a person waits for a command that only looks, and a program for an answer of the control API."""

from __future__ import annotations

import statistics
import subprocess
import time

from api_client import Api
from figure import Check, Figure, Row
from place import Place

from scenario_support import tiny_app

COMMANDS = (("apps",), ("ps", "looked"), ("config", "looked"), ("logs", "looked"))
PATHS = ("/healthz", "/api/apps", "/api/apps/looked", "/api/apps/looked/instances", "/api/apps/looked/releases")
ROUNDS, ANSWERS = 25, 400
INTERPRETER = ["/usr/bin/python3", "-I", "-S", "-c", "pass"]
HOW = (
    f"Whole commands on the machine, {ROUNDS} of each in turn, beside the start of Python that none can do without; and {ANSWERS} answers"
    " of the API on one connection to its unix socket. One app with a web process; nothing else happens meanwhile."
)


def measure(place: Place, rounds: int = ROUNDS, answers: int = ANSWERS) -> Figure:
    with place.app("looked") as repository, Api(place.site) as api:
        place.release(repository, tiny_app(1))
        place.say("latency: commands and answers …")
        commands = _commands(place, rounds)
        times = {path: api.times(path, answers) for path in PATHS}
    return _figure(commands, times)


def _commands(place: Place, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each, in turns, so that what the machine does besides hits all."""
    lines = {f"wherry {' '.join(words)}": [f"/usr/local/bin/{place.site.name}", *words] for words in COMMANDS}
    lines["an empty Python program"] = INTERPRETER
    took: dict[str, list[float]] = {name: [] for name in lines}
    for _ in range(rounds):
        for name, argv in lines.items():
            began = time.monotonic()
            subprocess.run(argv, check=True, capture_output=True, stdin=subprocess.DEVNULL)
            took[name].append((time.monotonic() - began) * 1000)
    return took


def _figure(commands: dict[str, list[float]], times: dict[str, tuple[float, ...]]) -> Figure:
    lines = [Row(name, tuple(values), "ms") for name, values in commands.items()]
    answers = [Row(f"GET {path}", values, "ms") for path, values in times.items()]
    p99 = [Row(f"GET {path}, p99", (statistics.quantiles(values, n=100)[98],), "ms") for path, values in times.items()]
    return Figure(
        "latency",
        "Commands and answers",
        HOW,
        (
            Check("slowest command (median)", max(row.median for row in lines), "ms", 100),
            Check("slowest answer of the API (median)", max(row.median for row in answers), "ms", 5),
            Check("slowest answer of the API (p99)", max(row.median for row in p99), "ms", 20),
        ),
        (*lines, *answers, *p99),
    )
