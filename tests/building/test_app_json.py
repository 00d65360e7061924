"""What app.json asks for, and where it is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import building_support as support
from wherry.building import app_json
from wherry.building.app_json_env import EnvVar, resolve
from wherry.errors import DeployFailed, InvalidInput
from wherry.model import check
from wherry.model.check import HealthCheck
from wherry.model.cron import CronTask, check_schedule


@pytest.mark.parametrize("case", support.cases("app_json"), ids=lambda case: str(case["name"]))
def test_a_bad_app_json_is_answered_with_line_and_column(case: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        app_json.parse(support.tree(tmp_path, {"app.json": support.content(case)}).text("app.json") or "")
    assert refused.value.message == case["message"]


@pytest.mark.parametrize("case", support.cases("app_json_warnings"), ids=lambda case: str(case["name"]))
def test_what_has_no_effect_is_said_with_the_nearest_known_key(case: dict[str, Any]) -> None:
    assert case["warning"] in app_json.parse(case["text"]).warnings


def test_the_checks_and_the_formation_of_a_dokku_app_are_read() -> None:
    found = app_json.parse("""{
      "name": "shop", "keywords": ["a", 1.5, null],
      "formation": {"web": {"quantity": 2}, "worker": {"quantity": 0}},
      "healthchecks": {"web": [
        {"type": "startup", "name": "up", "path": "/up?deep=1", "timeout": 3},
        {"type": "startup", "path": "/"}]}}""")
    assert found.formation == {"web": 2, "worker": 0}
    assert found.checks == {"web": (HealthCheck("/up?deep=1", "up", 3), HealthCheck("/"))}
    assert found.warnings == []


def test_every_field_of_a_check_is_read() -> None:
    found = app_json.parse("""{"healthchecks": {
      "web": [
        {"type": "readiness", "path": "/ready", "port": 8080, "scheme": "https", "content": "ok", "attempts": 2, "wait": 7,
         "timeout": 3, "initialDelay": 10, "headers": {"X-A": "1"}, "httpHeaders": [{"name": "X-B", "value": "2"}]},
        {"type": "liveness", "command": ["bin/check", "--fast"]},
        {"listening": true}, {"content": "ok"}],
      "worker": [{"uptime": 5}, {"command": "test -f ready"}]}}""")
    ready = HealthCheck(
        "/ready", type="readiness", port=8080, scheme="https", content="ok", attempts=2, wait=7, timeout=3, initial_delay=10,
        headers=(("X-A", "1"), ("X-B", "2")),
    )  # fmt: skip
    alive = HealthCheck(type="liveness", command=("bin/check", "--fast"))
    assert found.checks["web"] == (ready, alive, HealthCheck(listening=True), HealthCheck("/", content="ok"))
    assert found.checks["worker"] == (HealthCheck(uptime=5), HealthCheck(command=("test -f ready",)))
    assert check.from_json(json.loads(json.dumps(check.to_json(found.checks)))) == found.checks
    assert found.warnings == []


def test_a_bom_is_no_error(tmp_path: Path) -> None:
    text = support.tree(tmp_path, {"app.json": b"\xef\xbb\xbf{}"}).text("app.json")
    assert app_json.parse(text or "").checks == {}


def test_what_a_heroku_app_asks_for_is_read() -> None:
    found = app_json.parse("""{
      "env": {
        "GREETING": "hello",
        "SECRET_KEY": {"description": "signs cookies", "generator": "secret"},
        "API_KEY": {"description": "from the shop's page"},
        "COLOUR": {"required": false}
      },
      "buildpacks": [{"url": "heroku/nodejs"}, {"url": "https://example.org/x.tgz"}, {"url": "heroku-community/apt"}],
      "scripts": {"postdeploy": "python seed.py", "dokku": {"predeploy": "make", "postdeploy": "tell it"}},
      "cron": [{"schedule": "*/5 0-6,22 * jan-mar mon", "command": "python clean.py"}]}""")
    assert found.env == {
        "GREETING": EnvVar("hello"),
        "SECRET_KEY": EnvVar(generated=True),
        "API_KEY": EnvVar(),
        "COLOUR": EnvVar(required=False),
    }
    github = "https://github.com/heroku/heroku-buildpack-"
    assert found.buildpacks == (f"{github}nodejs.git", "https://example.org/x.tgz", f"{github}apt.git")
    assert found.scripts == {"first_deploy": "python seed.py", "predeploy": "make", "postdeploy": "tell it"}
    assert found.cron == (CronTask("*/5 0-6,22 * jan-mar mon", "python clean.py"),)
    assert found.warnings == ["app.json line 10: 1 cron task is kept with the release, and not run yet"]


def test_config_vars_come_once_and_never_replace_what_is_there() -> None:
    wanted = {"A": EnvVar("1"), "B": EnvVar("2"), "S": EnvVar(generated=True), "K": EnvVar(), "L": EnvVar(), "M": EnvVar(required=False)}
    found = resolve(wanted, {"A": "mine", "K": "given"}, lambda: "made up")
    assert found.new == {"B": "2", "S": "made up"}
    assert found.generated == ("S",)
    assert found.missing == ("L",)


def test_a_generated_secret_is_long_and_never_the_same() -> None:
    one, two = (resolve({"S": EnvVar(generated=True)}, {}).new["S"] for _ in range(2))
    assert len(one) == 64 and one != two


@pytest.mark.parametrize("text", ["0 3 * * *", "*/15 * * * *", "0 0 1,15 * 0-5", "5 4 * * sun", "@daily", "@HOURLY"])
def test_a_cron_schedule_is_taken(text: str) -> None:
    assert check_schedule(text) == text.lower()


@pytest.mark.parametrize(
    "text", ["", "@reboot", "* * * * * *", "60 * * * *", "* * * * 8", "*/0 * * * *", "5-1 * * * *", "a b c d e", "1e1 * * * *"]
)
def test_a_cron_schedule_that_would_never_come_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="schedule"):
        check_schedule(text)
