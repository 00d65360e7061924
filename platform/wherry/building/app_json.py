"""Decides what an app's `app.json` asks for; what has no effect is warned about.

The keys are Heroku's app.json and Dokku's additions, so that a file written for either is read here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from wherry.building import app_json_checks, app_json_env, app_json_scripts, conflict, json_text
from wherry.building.app_json_env import EnvVar
from wherry.building.app_json_values import CODE, check_keys, check_process, members_of, text_of, whole_of
from wherry.building.archive import Tree
from wherry.building.failure import refuse, shown
from wherry.building.json_text import Node
from wherry.model.check import HealthCheck
from wherry.model.cron import CronTask
from wherry.model.limits import SIZES
from wherry.model.process import MAX_QUANTITY

FILE = "app.json"
MAX_SIZE = 256 * 1024
USED = ("buildpacks", "cron", "env", "formation", "healthchecks", "scripts")
DESCRIPTIVE = ("name", "description", "keywords", "website", "repository", "logo", "success_url", "$schema")
NOT_USED = ("addons", "environments", "features", "image", "stack")
FORMATION_KEYS, FORMATION_NOT_USED = ("quantity", "size"), ("max_parallel", "memory")


@dataclass
class AppJSON:
    """What was asked for, and the warnings that its author should see."""

    checks: dict[str, tuple[HealthCheck, ...]] = field(default_factory=dict)
    formation: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, str] = field(default_factory=dict)
    env: dict[str, EnvVar] = field(default_factory=dict)
    scripts: dict[str, str] = field(default_factory=dict)
    buildpacks: tuple[str, ...] = ()
    cron: tuple[CronTask, ...] = ()
    warnings: list[str] = field(default_factory=list)


def parse(text: str) -> AppJSON:
    """Raises DeployFailed with line, column and the allowed form."""
    if len(text) > MAX_SIZE:
        raise refuse(f"app.json has {len(text):,} characters: up to {MAX_SIZE:,} are allowed", "Keep data in another file.", code=CODE)
    try:
        root = json_text.parse(text)
    except json_text.JSONError as error:
        conflict.check(FILE, text)
        raise refuse(f"app.json line {error.line} column {error.column}: {error.what}", error.fix, code=CODE) from error
    found = AppJSON()
    members = members_of(root, "app.json", '{"healthchecks": {"web": [{"type": "startup", "path": "/healthz"}]}}')
    check_keys(found.warnings, root, "", (*USED, *DESCRIPTIVE), NOT_USED)
    if "formation" in members:
        _read_formation(found, members["formation"])
    if "healthchecks" in members:
        found.checks = app_json_checks.read(members["healthchecks"], found.warnings)
    _read_rest(found, members)
    return found


def of_tree(tree: Tree) -> AppJSON:
    """What the app's own file says; nothing when there is none."""
    text = tree.text(FILE)
    return parse(text) if text is not None else AppJSON()


def _read_rest(found: AppJSON, members: dict[str, Node]) -> None:
    if "env" in members:
        found.env = app_json_env.read(members["env"], found.warnings)
    if "scripts" in members:
        found.scripts = app_json_scripts.scripts(members["scripts"], found.warnings)
    if "buildpacks" in members:
        found.buildpacks = app_json_scripts.buildpacks(members["buildpacks"], found.warnings)
    if "cron" in members:
        found.cron = app_json_scripts.cron(members["cron"], found.warnings)
    if found.cron:
        tasks = "1 cron task is" if len(found.cron) == 1 else f"{len(found.cron)} cron tasks are"
        found.warnings.append(f"app.json line {members['cron'].line}: {tasks} kept with the release, and not run yet")


def _read_formation(found: AppJSON, node: Node) -> None:
    for process, entry in members_of(node, "formation", '{"web": {"quantity": 2}}').items():
        check_process(process, node, "formation")
        place = f"formation.{process}"
        members = members_of(entry, place, '{"quantity": 2}')
        check_keys(found.warnings, entry, place, FORMATION_KEYS, FORMATION_NOT_USED)
        if "quantity" in members:
            found.formation[process] = whole_of(members["quantity"], f"{place}.quantity", 0, MAX_QUANTITY)
        if "size" in members:
            _read_size(found, process, text_of(members["size"], f"{place}.size", "small"), members["size"].line)


def _read_size(found: AppJSON, process: str, size: str, line: int) -> None:
    """Heroku's own sizes mean nothing here: that is no reason to refuse a push."""
    if size in SIZES:
        found.sizes[process] = size
    else:
        names = ", ".join(SIZES)
        found.warnings.append(f'app.json line {line}: {process} has no size "{shown(size)}" here: known are {names}')
