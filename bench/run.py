"""Runs the benchmarks that were asked for on one platform, prints how they did, and keeps it on the page."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime

import machine
import page
from figure import Figure, table
from place import Place, place

BENCHMARKS = {
    "push": "push_to_live",
    "rollback": "rollback",
    "scale": "scale_and_config",
    "rebuild": "rebuild",
    "lost": "lost_requests",
    "changes": "lost_changes",
    "logs": "log_flood",
    "memory": "control_plane_memory",
    "latency": "latency",
    "proxy": "proxy_throughput",
    "peers": "proxy_peers",
    "lines": "router_lines",
    "hogs": "hogs",
    "first": "first_deploys",
    "growth": "growth",
}
"""By name, in the order of a whole run: memory is measured on a platform that has worked."""


def main(names: list[str]) -> int:
    """Returns 0 when all targets were reached, 1 when one was missed, 2 for a wrong call."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"no benchmark {unknown[0]!a}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    if os.geteuid() != 0:
        print("this needs root: it makes a platform. Run: sudo scripts/bench", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was made is removed then, too
    began = time.monotonic()
    with place(_say) as made:
        figures = [_kept(_measure(made, name)) for name in BENCHMARKS if not names or name in names]
    _show(figures)
    _say(f"done in {time.monotonic() - began:.0f} s; the page is {page.PAGE.relative_to(page.ROOT)}")
    return 0 if all(check.reached for figure in figures for check in figure.checks) else 1


def _measure(made: Place, name: str) -> Figure:
    facts = {"on": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), "at": machine.commit(page.ROOT)}
    facts["load of the machine before"] = f"{machine.load():.1f}"
    figure: Figure = importlib.import_module(BENCHMARKS[name]).measure(made)
    facts["and after"] = f"{machine.load():.1f}"
    return replace(figure, facts=facts)


def _kept(figure: Figure) -> Figure:
    """On the page at once: one that can not be measured takes none of the others with it."""
    page.keep([figure], machine.describe())
    return figure


def _show(figures: list[Figure]) -> None:
    for figure in figures:
        print(f"\n{figure.title}")
        print("\n".join(f"  {line}" for line in table([row.cells() for row in figure.rows])))
    print()
    checks = [(figure.name, check) for figure in figures for check in figure.checks]
    rows = [(name, check.what, check.measured, check.target, page.verdict(check.reached)) for name, check in checks]
    print("\n".join(table([("FIGURE", "WHAT", "MEASURED", "TARGET", ""), *rows])))


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
