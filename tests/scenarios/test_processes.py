"""Limits, names and copies of an app on a real platform, while visitors who never retry look on."""

from collections.abc import Callable

import pytest

from scenario_support import Repository, Site, tiny_app
from waiting import until
from wherry.model.limits import SIZES

pytestmark = [pytest.mark.engine, pytest.mark.scenario]

Make = Callable[[str], Repository]
GREEDY = 'worker: python -c "import time; time.sleep(2.5); x = bytearray(200_000_000); time.sleep(600)"\n'


def inspected(here: Site, app: str, process: str) -> list[str]:
    labels = [f"label=wherry.platform={here.name}", f"label=wherry.app={app}", f"label=wherry.type={process}"]
    ids = here.docker("ps", "-q", *(word for label in labels for word in ("--filter", label))).text.split()
    form = "{{.HostConfig.Memory}} {{.HostConfig.CpuShares}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}"
    return here.docker("inspect", "--format", form, *ids).text.splitlines()


def test_new_limits_reach_docker_and_lose_no_request_and_out_of_memory_is_named(here: Site, app: Make) -> None:
    sized = app("sized")
    sized.commit({**tiny_app(1), "Procfile": "web: python app.py\n" + GREEDY})
    assert sized.push().status == 0
    with here.visitors("sized", connections=20) as count:
        done = here.wherry("ps:type", "sized", "web=medium", "web.cpu=1.5", "worker.memory=64m")
        assert done.status == 0 and "web 256 MB -> medium (512 MB), 1.5 CPU" in done.text, done.text
    assert count["lost"] == 0 and count["answered"] > 100, count
    size = SIZES["medium"]
    until(lambda: inspected(here, "sized", "web") == [f"{512 * 2**20} {size.share} 1500000000 {size.pids}"])
    assert here.wherry("ps:scale", "sized", "worker=1").status == 0
    until(
        lambda: (
            f"R14 ran out of memory (64 MB); give it more: {here.name} ps:type sized worker=micro"
            in here.wherry("logs", "sized", "--source", "platform").text
        )
    )
    refused = here.ssh("ps:type", "sized", "web.memory=99999g")
    assert refused.status == 2 and 'memory "99999g": give a number with m or g, 32m-' in refused.text


def test_a_rename_and_a_copy_lose_no_request_and_need_no_build(here: Site, app: Make) -> None:
    early, late, twin = app("early"), app("late"), app("late-twin")
    early.release(1)
    with here.visitors("early", connections=20) as count:
        done = here.wherry("apps:rename", "early", "late")
        assert done.status == 0 and "early is late now" in done.text, done.text
        assert here.wherry("apps:clone", "late", "late-twin").status == 0
    assert count["lost"] == 0 and count["answered"] > 100, count
    assert here.get("late") == here.get("early") == here.get("late-twin") == (200, "1")
    assert here.containers("early") == []
    until(lambda: "version 1 is up" in here.wherry("logs", "late", "--source", "app").text, what="what it says, collected")
    early.git("remote", "set-url", "wherry", f"ssh://wherry@127.0.0.1:{here.ssh_port}/late")
    assert early.release(2).status == 0
    assert (here.get("late"), here.get("late-twin")) == ((200, "2"), (200, "1"))
    checked = here.wherry("doctor")
    assert checked.status == 0, checked.text
    assert late.app == "late" and twin.app == "late-twin"
