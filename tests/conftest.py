"""How the tests share a machine when several workers run them (pytest-xdist): what needs a Docker engine takes turns, on one
worker, and each worker has a short folder of its own for temporary files."""

from __future__ import annotations

import gc
import re
import signal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

CROWDED = re.compile(r"\bmark\.(engine|scenario)\b")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Ctrl-C and hanging up work in what the tests start, even where a shell started the tests in the background, or nohup did, and
    told them to ignore it.

    A unix socket's path has at most 107 letters, and xdist spends ten of them on the name of the worker's folder.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if hasattr(config, "workerinput") and config.option.basetemp:
        given = Path(config.option.basetemp)
        config.option.basetemp = str(given.with_name(given.name.rpartition("gw")[2]))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What fails over a real engine is run once more, for a busy machine may be slow where nobody thought of it. The summary counts
    and names it as `rerun`, never as passed alone: it is a defect to look for, in the test or in what it tests."""
    for item in items:
        if any(item.get_closest_marker(name) for name in ("engine", "scenario")):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_collection_finish() -> None:
    """Thousands of tests and their modules stay until the end; they need not be looked through again and again for garbage."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What a test said that was run once more."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.section(f"RERUN {report.nodeid}")
        terminalreporter.write_line(report.longreprtext)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """All files that want an engine are one piece of work, every other file is one. Not `xdist_group`: xdist 3.8 writes its groups
    where pytest 9.2 no longer looks, and then several workers share the engine."""
    from xdist.scheduler import LoadScopeScheduling

    class Turns(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "engine" if wants_an_engine(config.rootpath / file) else file

    return Turns(config, log)


@cache
def wants_an_engine(file: Path) -> bool:
    return bool(CROWDED.search(file.read_text("utf-8")))
