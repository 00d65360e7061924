"""A small machine is not taken down by builds or by what they leave: names for what they ran out of, a queue, the disk."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from scenario_support import Repository, Site
from waiting import until
from wherry import machine
from wherry.model import shares

pytestmark = [pytest.mark.engine, pytest.mark.scenario]

Make = Callable[[str], Repository]


def hungry(here: Site, name: str, run: str) -> dict[str, str]:
    """An app whose build does this; its base image is one that is here."""
    listed = ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}", f"{here.name}/python"]
    found = subprocess.run(listed, capture_output=True, text=True, check=True)
    image = min(line for line in found.stdout.splitlines() if not line.endswith("-build"))
    return {"Dockerfile": f"FROM {image}\nUSER root\nRUN : {name}; {run}\nCMD true\n"}


def test_a_build_that_only_forks_is_ended_and_its_neighbour_answers_all_the_time(here: Site, app: Make) -> None:
    neighbour, bomb = app("calm"), app("bomb")
    assert neighbour.release(1).status == 0
    bomb.commit(hungry(here, "bomb", "while :; do sleep 60 & done"))
    with ThreadPoolExecutor(1) as pushing:
        push = pushing.submit(bomb.push)
        while not push.done():
            assert here.get("calm") == (200, "1")
    pushed = push.result()
    print(pushed.text)
    assert pushed.status == 1
    most = shares.build_pids(0, machine.processors())
    assert f"the build started too many processes: builds may have {most}" in pushed.text
    assert f"More: {here.name} help build_processes" in pushed.text
    assert "failed" in here.wherry("builds", "bomb").text


def test_builds_wait_for_each_other_and_one_that_waits_can_be_cancelled(here: Site, app: Make) -> None:
    slow, waiting = app("slow"), app("waiting")
    slow.commit(hungry(here, "slow", "sleep 300"))
    waiting.commit(hungry(here, "waiting", "true"))
    with ThreadPoolExecutor(2) as pushing:
        first = pushing.submit(slow.push)
        until(lambda: "building" in here.wherry("builds", "slow").text)
        second = pushing.submit(waiting.push)
        until(lambda: "waiting for the build of slow" in here.wherry("builds", "waiting").text)
        print(here.wherry("builds").text, here.ssh("builds:info", "waiting").text)
        assert here.ssh("builds:cancel", "waiting").status == 0
        assert here.ssh("builds:cancel", "slow").status == 0
    print(second.result().text, first.result().text)
    assert "waiting for the build of slow" in second.result().text
    assert second.result().status == 1 and "cancelled" in second.result().text


def test_a_person_sees_who_uses_the_disk_and_what_was_built(here: Site, app: Make) -> None:
    shop = app("shown")
    assert shop.release(1).status == 0
    told = here.ssh("disk")
    print(told.text)
    assert re.search(r"^shown +1 +\d+ MB +\d+ MB", told.text, re.M)
    assert all(len(line) <= 80 for line in told.text.splitlines())
    document = json.loads(here.wherry("disk", "--json").text)
    (mine,) = [one for one in document["apps"] if one["app"] == "shown"]
    assert mine["repository"] > 0 and mine["shared"] > 10 * 2**20 > mine["own"] > 0
    print(here.wherry("builds", "shown").text, here.wherry("builds:info", "shown").text)
    assert "-----> Release v1" in here.wherry("builds:output", "shown").text
