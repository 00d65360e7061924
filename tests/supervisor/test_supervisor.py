"""The supervisor over real processes: what a person sees who kills, stops and restarts the parts of a platform."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from waiting import until
from wherry.supervisor import process
from wherry.supervisor.child import pause_after

PLATFORM = Path(__file__).parents[1] / "supervised_platform.py"


class Demo:
    """One platform of stand-ins: an engine, a proxy (`sleep`), an api."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.running: list[subprocess.Popen[str]] = []

    def serve(self, mode: str = "", said: str = "errors") -> subprocess.Popen[str]:
        argv = [sys.executable, str(PLATFORM), str(self.home), *([mode] if mode else [])]
        with (self.home / said).open("a") as errors, (self.home / "out").open("a") as out:
            self.running.append(subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, text=True))
        return self.running[-1]

    def story(self) -> list[str]:
        path = self.home / "story"
        return path.read_text().splitlines() if path.exists() else []

    def pid_of(self, name: str) -> int:
        """The newest process that said it is `name`."""
        said = [int(found[1]) for line in self.story() if (found := re.match(rf"{name} started (\d+)", line))]
        return said[-1] if said else 0

    def proxy(self) -> int:
        path = self.home / "run" / "proxy.pid"
        return int(path.read_text() or 0) if path.exists() else 0

    def up(self) -> bool:
        return all(pid and process.alive(pid) for pid in (self.pid_of("engine"), self.pid_of("api"), self.proxy()))

    def waited_for_the_engine(self) -> bool:
        """Whether the others started after it said that it is ready, by the order of what they wrote."""
        said = [" ".join(line.split()[:2]) for line in self.story()]
        ready, proxy = ((self.home / "run" / name).stat().st_mtime_ns for name in ("ready", "proxy.pid"))
        return said.index("engine ready") < said.index("api started") and ready <= proxy

    def sweep(self) -> None:
        for running in self.running:
            running.kill()
            running.wait(60)
        for pid in (self.proxy(), self.pid_of("engine"), self.pid_of("api")):
            if pid and process.alive(pid):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    tmp_path.chmod(0o777)
    demo = Demo(tmp_path)
    yield demo
    demo.sweep()


def test_the_others_start_only_when_the_engine_is_ready(demo: Demo) -> None:
    demo.serve()
    until(demo.up)
    assert demo.waited_for_the_engine()


def test_a_ready_file_of_yesterday_starts_nobody_early(demo: Demo) -> None:
    (demo.home / "run").mkdir()
    (demo.home / "run" / "ready").touch()
    demo.serve()
    until(demo.up)
    assert demo.waited_for_the_engine()


def test_an_engine_that_hangs_keeps_the_others_waiting_only_for_a_while(demo: Demo) -> None:
    demo.serve("engine-hangs")
    until(demo.up)
    lines = [line.split()[0] for line in demo.story()]
    assert lines.index("early") < lines.index("api")
    assert "engine is not ready after 1 s" in (demo.home / "errors").read_text()


@pytest.mark.parametrize("name", ["engine", "api"])
def test_a_part_that_is_killed_comes_back_and_the_others_stay(demo: Demo, name: str) -> None:
    demo.serve()
    until(demo.up)
    before = {part: demo.pid_of(part) for part in ("engine", "api")} | {"proxy": demo.proxy()}
    os.kill(before[name], signal.SIGKILL)
    until(lambda: demo.pid_of(name) != before[name] and demo.up())
    after = {part: demo.pid_of(part) for part in ("engine", "api")} | {"proxy": demo.proxy()}
    assert {part for part in before if before[part] != after[part]} == {name}


def test_a_disk_too_full_for_its_log_ends_no_part_and_not_the_supervisor(demo: Demo) -> None:
    platform = demo.serve(said="/dev/full")
    until(demo.up)
    before = demo.pid_of("api")
    os.kill(before, signal.SIGKILL)
    until(lambda: demo.pid_of("api") != before and demo.up())
    assert platform.poll() is None and demo.story().count("supervisor started") == 1


def test_the_proxy_that_is_killed_comes_back(demo: Demo) -> None:
    demo.serve()
    until(demo.up)
    before = demo.proxy()
    os.kill(before, signal.SIGKILL)
    until(lambda: demo.proxy() != before and demo.up())


def test_a_part_that_keeps_dying_is_started_ever_more_slowly(demo: Demo) -> None:
    def pauses() -> list[str]:
        return re.findall(r"api ended \(exit 3\); next start in ([0-9.]+) s", (demo.home / "errors").read_text())

    demo.serve("api-dies")
    until(lambda: len(pauses()) >= 4)
    starts = sum(line.startswith("api started") for line in demo.story())
    assert pauses()[:4] == ["0.1", "0.2", "0.4", "0.8"]
    assert 4 <= starts <= len(pauses()) + 1


def test_the_pause_stays_within_the_ten_seconds_in_which_a_turn_has_to_be_free() -> None:
    assert [pause_after(failures) for failures in (1, 2, 3, 7, 8, 5000)] == [0.1, 0.2, 0.4, 5.0, 5.0, 5.0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopping_ends_everything_in_reverse_order_and_exits_zero(demo: Demo, number: int) -> None:
    platform = demo.serve()
    until(demo.up)
    proxy = demo.proxy()
    platform.send_signal(number)
    assert platform.wait(60) == 0
    assert demo.story()[-3:] == ["api stopped", "engine stopped", "supervisor stop"]
    assert not process.alive(proxy)


def test_a_part_that_ignores_the_wish_to_stop_is_killed_within_its_limit(demo: Demo) -> None:
    platform = demo.serve("api-deaf")
    until(demo.up)
    began = time.monotonic()
    platform.terminate()
    assert platform.wait(60) == 0
    assert time.monotonic() - began >= 1.0
    assert not process.alive(demo.pid_of("api"))


def test_a_hangup_of_the_terminal_changes_nothing(demo: Demo) -> None:
    platform = demo.serve()
    until(demo.up)
    before = demo.story()
    platform.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert platform.poll() is None and demo.story() == before and demo.up()


def test_two_platforms_on_one_home_refuse_with_the_holder_named(demo: Demo) -> None:
    first = demo.serve()
    until(demo.up)
    second = demo.serve()
    assert second.wait(60) == 5
    out = (demo.home / "out").read_text()
    assert f"a platform runs on {demo.home} already (process {first.pid})" in out
    assert "scripts/down" in out


def test_when_the_supervisor_is_killed_the_proxy_serves_on_and_the_next_one_adopts_it(demo: Demo) -> None:
    first = demo.serve()
    until(demo.up)
    engine, api, proxy = demo.pid_of("engine"), demo.pid_of("api"), demo.proxy()
    first.kill()
    first.wait()
    until(lambda: not process.alive(engine) and not process.alive(api))
    assert process.alive(proxy)
    second = demo.serve()
    until(lambda: demo.pid_of("api") != api and demo.up())
    assert demo.proxy() == proxy
    second.terminate()
    assert second.wait(60) == 0
    assert not process.alive(proxy)


def test_an_adopted_proxy_that_dies_is_started_anew(demo: Demo) -> None:
    first = demo.serve()
    until(demo.up)
    proxy = demo.proxy()
    first.kill()
    first.wait()
    demo.serve()
    until(lambda: "proxy still runs as process" in (demo.home / "errors").read_text())
    os.kill(proxy, signal.SIGKILL)
    until(lambda: demo.proxy() != proxy and demo.up())


def test_a_stranger_with_the_number_in_the_pid_file_is_not_adopted(demo: Demo) -> None:
    stranger = subprocess.Popen(["sleep", "77"])
    (demo.home / "run").mkdir()
    (demo.home / "run" / "proxy.pid").write_text(str(stranger.pid))
    platform = demo.serve()
    until(lambda: demo.up() and demo.proxy() != stranger.pid)
    platform.terminate()
    platform.wait(60)
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_reload_starts_the_code_anew_in_the_same_process_and_leaves_the_proxy(demo: Demo) -> None:
    platform = demo.serve()
    until(demo.up)
    api, proxy = demo.pid_of("api"), demo.proxy()
    platform.send_signal(signal.SIGUSR2)
    until(lambda: demo.pid_of("api") != api and demo.up())
    assert platform.poll() is None and demo.proxy() == proxy
    assert [line for line in demo.story() if line.startswith("supervisor")] == [
        "supervisor started",
        "supervisor reload",
        "supervisor started",
    ]
    platform.terminate()
    assert platform.wait(60) == 0
    assert not process.alive(proxy)


def test_the_parts_show_their_names_in_the_process_list(demo: Demo) -> None:
    demo.serve()
    until(demo.up)
    assert process.command_line(demo.pid_of("engine")) == ["demo: engine"]
    assert process.command_line(demo.pid_of("api")) == ["demo: api"]


@pytest.mark.skipif(os.getuid() != 0, reason="giving up root takes root")
def test_a_part_with_a_user_runs_as_that_user_only_and_still_dies_with_its_parent(demo: Demo) -> None:
    platform = demo.serve("users")
    (demo.home / "story").touch()
    (demo.home / "story").chmod(0o666)
    for folder in [demo.home, *list(demo.home.parents)[:3]]:
        folder.chmod(0o777)
    until(demo.up)
    api = demo.pid_of("api")
    status = Path(f"/proc/{api}/status").read_text()
    assert re.search(r"^Uid:\s+65534\s+65534\s+65534\s+65534$", status, re.M)
    assert re.search(r"^CapEff:\s+0+$", status, re.M)
    platform.kill()
    platform.wait()
    until(lambda: not process.alive(api))
