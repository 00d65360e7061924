"""What a person reads while a build runs, and how the builder's own messages are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from wherry.building import debian
from wherry.building.progress import Progress, tail
from wherry.building.trace import Output, Step, decode

RECORDED = bytes.fromhex("0a190a037368611a0e5b646570732032 2f325d2052554e2001".replace(" ", ""))
"""A message as BuildKit sends it: field 1 (a step) with digest `sha`, a name, and the mark of a step taken from the cache."""


class Follower:
    """A build whose time the test tells."""

    def __init__(self) -> None:
        self.now, self.lines = 0.0, list[str]()
        self.progress = Progress(self.lines.append, lambda: self.now, r"Installed (\d+) packages?")

    def step(self, name: str, *, done: bool = False, cached: bool = False, error: str = "", digest: str = "d") -> None:
        self.progress.see(Step(digest, name, cached, True, done, error))

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.progress.tick()


INSTALL = "[deps 4/4] RUN --mount=type=cache,id=x,target=/y sh /buildpack/install uv"


def test_a_quick_step_is_not_mentioned() -> None:
    build = Follower()
    build.step("[2/3] RUN make")
    build.wait(0.5)
    build.step("[2/3] RUN make", done=True)
    assert build.lines == []


def test_a_slow_step_says_so_while_it_runs_and_how_long_it_took() -> None:
    build = Follower()
    build.step("[2/3] RUN --mount=type=cache,target=/x make all")
    build.wait(1.2)
    build.wait(5)
    build.wait(11)
    build.step("[2/3] RUN --mount=type=cache,target=/x make all", done=True)
    assert build.lines == ["       [2/3] RUN make all …", "       [2/3] RUN make all … 17 s", "       [2/3] RUN make all took 17.2 s"]


def test_an_installation_tells_how_many_packages_it_installed() -> None:
    build = Follower()
    build.step(INSTALL)
    build.wait(2)
    build.progress.see(Output("d", b"Resolved 20 packages in 3ms\nInstalled 14 pack"))
    build.progress.see(Output("d", b"ages in 5ms\n + click\n"))
    build.step(INSTALL, done=True)
    assert build.lines == ["       installing dependencies …", "       installed 14 packages in 2.0 s"]


def test_the_builders_own_chores_are_not_mentioned() -> None:
    build = Follower()
    for digest, name in (("a", "[internal] load remote build context"), ("b", "exporting to image"), ("c", "copy /context /")):
        build.step(name, digest=digest)
    build.wait(30)
    assert build.lines == []


def test_the_step_that_failed_is_found_with_its_last_lines() -> None:
    build = Follower()
    build.step("[2/3] RUN a", error="context canceled", digest="other")
    build.step("[3/3] RUN b")
    build.progress.see(Output("d", "\x1b[31mfirst\x1b[0m\r\n\u2009second\u2009line\nno end".encode()))
    build.step("[3/3] RUN b", done=True, error="exit code: 1")
    broken = build.progress.failed()
    assert broken is not None
    assert (broken.name, tail(broken)) == ("[3/3] RUN b", ("first", " second line", "no end"))


def test_a_line_of_100_mb_is_cut() -> None:
    build = Follower()
    for _ in range(100):
        build.progress.see(Output("d", b"x" * 1024 * 1024))
    assert len(build.progress.steps["d"].open_line) <= 4000


def test_a_message_of_the_builder_is_read_and_a_cut_one_is_no_error() -> None:
    assert decode(RECORDED) == [Step("sha", "[deps 2/2] RUN", True, False, False, "")]
    for size in range(len(RECORDED)):
        decode(RECORDED[:size])


STANZAS = """
Types: deb
URIs: http://mirror.example.org/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: https://packages.example.com/node_20.x
Suites: nodistro
Components: main
"""


def test_a_companys_mirror_is_used_for_the_base_image_too(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text(STANZAS)
    (tmp_path / "sources.list").write_text(
        "# old\ndeb [arch=amd64] http://mirror.example.org/security bookworm-security main\ndeb http://x bullseye main\n"
    )
    assert debian.mirrors("bookworm", tmp_path) == [
        "deb http://mirror.example.org/debian bookworm main",
        "deb http://mirror.example.org/debian bookworm-updates main",
        "deb http://mirror.example.org/security bookworm-security main",
    ]
    assert debian.mirrors("trixie", tmp_path) == []


@pytest.mark.parametrize("text", ["", "ID=arch\n", "VERSION_CODENAME=\n"])
def test_a_machine_without_a_distributions_name_is_told_so(text: str, tmp_path: Path) -> None:
    from wherry.errors import DeployFailed

    (tmp_path / "os-release").write_text(text)
    with pytest.raises(DeployFailed, match="this machine is neither Debian nor Ubuntu"):
        debian.suite(tmp_path / "os-release")


def test_a_tab_is_shown_as_the_spaces_it_stands_for() -> None:
    work = Follower()
    work.step("[deps 1/1] RUN install")
    work.progress.see(Output("d", b"no module provides it; to add it:\n\tgo get github.com/gorilla/mux\n"))
    work.step("[deps 1/1] RUN install", error="exit code: 1", done=True)
    broken = work.progress.failed()
    assert broken is not None
    assert tail(broken) == ("no module provides it; to add it:", "    go get github.com/gorilla/mux")
