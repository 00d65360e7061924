"""Decides what an app's `app.json` asks to be run: scripts around a deploy, buildpacks, and cron tasks.

Source of the rules: devcenter.heroku.com, "app.json Schema" (`scripts.postdeploy` runs once, after the first deploy);
dokku.com, "app.json" and "Deployment Tasks" (`scripts.dokku.predeploy` changes the image, `scripts.dokku.postdeploy` runs
after every deploy; `cron`).
"""

from __future__ import annotations

from wherry.building.app_json_values import bad, check_keys, items_of, long_text_of, members_of
from wherry.building.failure import shown
from wherry.building.json_text import Node
from wherry.errors import InvalidInput
from wherry.model.build import FIRST_DEPLOY, POSTDEPLOY
from wherry.model.build_settings import buildpack_url
from wherry.model.cron import CronTask, check_schedule

PREDEPLOY = "predeploy"
"""Changes the new image before it is released."""
NOT_USED = ("pr-predestroy", "test", "test-setup")
EXAMPLE = '{"postdeploy": "python seed.py"}'
CRON_EXAMPLE = '[{"schedule": "@daily", "command": "python clean.py"}]'


def scripts(node: Node, warnings: list[str]) -> dict[str, str]:
    """Maps PREDEPLOY, POSTDEPLOY and FIRST_DEPLOY to commands. Raises DeployFailed with line and column."""
    members = members_of(node, "scripts", EXAMPLE)
    check_keys(warnings, node, "scripts", ("predeploy", "postdeploy", "dokku"), NOT_USED)
    places = [(PREDEPLOY, "scripts.predeploy", members.get("predeploy")), (FIRST_DEPLOY, "scripts.postdeploy", members.get("postdeploy"))]
    if "dokku" in members:
        inner = members_of(members["dokku"], "scripts.dokku", EXAMPLE)
        check_keys(warnings, members["dokku"], "scripts.dokku", ("predeploy", "postdeploy"), ())
        places += [(name, f"scripts.dokku.{name}", inner.get(name)) for name in (PREDEPLOY, POSTDEPLOY)]
    return {name: command for name, place, found in places if found is not None and (command := _command(found, place))}


def buildpacks(node: Node, warnings: list[str]) -> tuple[str, ...]:
    """URLs of classic buildpacks, in order."""
    found = []
    for index, item in enumerate(items_of(node, "buildpacks", '[{"url": "heroku/python"}]')):
        place = f"buildpacks[{index}]"
        if not isinstance(item.value, str):
            check_keys(warnings, item, place, ("url",), ())
            item = members_of(item, place, '{"url": "heroku/python"}').get("url", item)
        try:
            found.append(buildpack_url(long_text_of(item, f"{place}.url", "heroku/python"), by_source=True))
        except InvalidInput as error:
            raise bad(item, f"{place}.url: {error.message}") from error
    return tuple(found)


def cron(node: Node, warnings: list[str]) -> tuple[CronTask, ...]:
    return tuple(_task(item, f"cron[{index}]", warnings) for index, item in enumerate(items_of(node, "cron", CRON_EXAMPLE)))


def _task(node: Node, place: str, warnings: list[str]) -> CronTask:
    members = members_of(node, place, CRON_EXAMPLE[1:-1])
    check_keys(warnings, node, place, ("schedule", "command"), ("maintenance", "concurrency_policy"))
    for name in ("schedule", "command"):
        if name not in members:
            raise bad(node, f"{place} has no {name}: give e.g. {CRON_EXAMPLE[1:-1]}")
    try:
        schedule = check_schedule(long_text_of(members["schedule"], f"{place}.schedule", "@daily"))
    except InvalidInput as error:
        raise bad(members["schedule"], f"{place}: {shown(error.message, 200)}") from error
    return CronTask(schedule, _command(members["command"], f"{place}.command"))


def _command(node: Node, place: str) -> str:
    """A command line; Heroku takes a list of words too, and joins it."""
    if isinstance(node.value, list):
        return " ".join(long_text_of(item, place, "python seed.py") for item in node.value)
    return long_text_of(node, place, "python seed.py").strip()
