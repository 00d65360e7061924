"""Checks of running instances and the watch after a switch, on the real engine, under visitors who never retry."""

import json
from collections.abc import Callable

import pytest

from scenario_support import Repository, Site, tiny_app
from waiting import until

pytestmark = [pytest.mark.engine, pytest.mark.scenario]

Make = Callable[[str], Repository]

CHECKS = {
    "healthchecks": {
        "web": [
            {"type": "startup", "command": "python -c 'import socket'", "timeout": 20},
            {"type": "readiness", "path": "/ready", "wait": 1, "attempts": 2},
            {"type": "liveness", "command": ["test", "!", "-e", "/tmp/dead"], "wait": 1, "attempts": 2},
        ]
    }
}


def checked(version: str) -> dict[str, str]:
    """The tiny app, whose `/ready` is 503 while /tmp/unready is there, and whose every answer is 500 when it is `broken`."""
    files = tiny_app(version)
    known = "        self.send_response(200)\n"
    assert known in files["app.py"]
    status = '500 if VERSION == b"broken" else 503 if self.path == "/ready" and os.path.exists("/tmp/unready") else 200'
    files["app.py"] = files["app.py"].replace(known, f"        self.send_response({status})\n")
    return {**files, "app.json": json.dumps(CHECKS)}


def release(repository: Repository, version: str) -> str:
    repository.commit(checked(version))
    pushed = repository.push()
    assert pushed.status == 0, pushed.text
    return pushed.text


def inside(here: Site, app: str, name: str, *words: str) -> None:
    (container,) = [one for one in here.containers(app) if f"-{name}-" in here.docker("inspect", "-f", "{{.Name}}", one).text]
    done = here.docker("exec", container, *words)
    assert done.status == 0, done.text


def answering(here: Site, app: str) -> set[str]:
    return {here.get(app, "/instance")[1] for _ in range(40)}


def test_readiness_takes_an_instance_out_and_in_and_liveness_replaces_it_and_no_request_is_lost(here: Site, app: Make) -> None:
    well = app("well")
    release(well, "1")
    assert here.wherry("ps:scale", "well", "web=2").status == 0
    with here.visitors("well", connections=10) as count:
        until(lambda: answering(here, "well") == {"web.1", "web.2"})
        inside(here, "well", "web.2", "touch", "/tmp/unready")
        until(lambda: "not ready: GET /ready answered 503, 2 times in a row" in here.wherry("ps", "well").text, what="the note")
        until(lambda: answering(here, "well") == {"web.1"}, what="web.2 out of the route")
        asked = here.wherry("checks:run", "well", "web.2")
        assert asked.status == 1 and "web.2  readiness  fails  GET /ready answered 503" in asked.text
        inside(here, "well", "web.2", "rm", "/tmp/unready")
        until(lambda: answering(here, "well") == {"web.1", "web.2"}, what="web.2 in the route")
        inside(here, "well", "web.1", "touch", "/tmp/dead")
        until(lambda: any(one["type"] == "instance.unhealthy" for one in here.json("events", "well")["events"]), what="the event")
        until(lambda: here.wherry("checks:run", "well").status == 0, what="a successor that is well")
    assert count["lost"] == 0 and count["answered"] > 500, count
    assert "it is replaced now" in here.wherry("logs", "well", "--source", "platform", "-n", "500").text


def test_a_release_that_answers_5xx_goes_back_by_itself(here: Site, app: Make) -> None:
    baked = app("baked")
    release(baked, "1")
    assert here.wherry("checks:set", "baked", "bake=30").status == 0
    baked.commit({**checked("broken"), "app.json": "{}"})
    pushed = baked.push()
    assert pushed.status == 0 and f"watched for 30 s: {here.name} releases baked" in pushed.text, pushed.text
    until(lambda: [here.get("baked") for _ in range(5)] and here.get("baked") == (200, "1"), 40, "the way back")
    listed = here.wherry("releases", "baked").text
    assert "Rollback to v2: " in listed and "answers were 5xx within" in listed and "wherry" in listed, listed
