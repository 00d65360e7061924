"""The engine as a process of its own for tests: real Docker, database, logs and door; proxy and builder in memory.

Usage: run_engine.py HOME NAME
"""

import signal
import sys
from pathlib import Path

from platform_support import TextBuilder, settings_in
from wherry.reconciler.loop import Loop
from wherry.reconciler.outside import Outside
from wherry.routing.memory_proxy import MemoryProxy
from wherry.running.docker_client import SOCKET
from wherry.running.docker_engine import DockerEngine
from wherry.running.log_collector import LogCollector
from wherry.store.app_logs import AppLogs
from wherry.store.database import Database
from wherry.wiring import _Eyes


def main(home: Path, name: str) -> None:
    settings = settings_in(home, WHERRY_NAME=name, WHERRY_STOP_TIMEOUT="2", WHERRY_DRAIN_TIMEOUT="1", WHERRY_INSTANCE_MEMORY="64")
    logs = AppLogs(settings.app_logs)
    collector = LogCollector(SOCKET, logs, settings.home / "state" / "log-positions")
    collector.start()
    outside = Outside(
        settings=settings,
        database=Database(settings.database),
        engine=DockerEngine(name),
        proxy=MemoryProxy(),
        builder=TextBuilder(),  # type: ignore[arg-type]
        look=_Eyes(),
        collector=collector,
        platform_line=logs.platform_line,
    )
    loop = Loop(outside)
    signal.signal(signal.SIGTERM, lambda *_: loop.stop())
    loop.recover()
    loop.run()
    collector.stop()


main(Path(sys.argv[1]), sys.argv[2])
