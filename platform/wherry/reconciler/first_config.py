"""Config vars that an app gets at a deploy: before its first those that its `app.json` gives, and at any those that its buildpack makes
up for apps without them. What it has already stays as it is."""

from __future__ import annotations

from collections.abc import Mapping

from wherry import clock
from wherry.building.app_json_env import EnvVar, FirstConfig, resolve
from wherry.errors import DeployFailed
from wherry.model.config_var import merged
from wherry.reconciler.work import Work
from wherry.secret import Secret
from wherry.store import apps, events


def add_first_config(work: Work, wanted: Mapping[str, EnvVar]) -> bool:
    """Sets what is to be set and says which keys; True when that changed the app. Raises DeployFailed, and sets nothing,
    when a config var is required that nobody gave."""
    with work.outside.database.write() as connection:
        app = apps.get(connection, work.operation.app)
        found = resolve(wanted, app.environment)
        if found.missing:
            raise _missing(app.name, found.missing)
        if not found.new:
            return False
        apps.change(connection, app, config=merged(app.config, dict(found.new)))
        events.add(connection, work.actor, "config.changed", app.name, clock.now(), keys=sorted(found.new), origin="app.json")
    work.detail(f"config vars from app.json: {_named(found)}")
    return True


def keep(work: Work, made: dict[str, Secret]) -> dict[str, Secret]:
    """Sets what a build made up, but for what the app has by now; returns what it has."""
    with work.outside.database.write() as connection:
        app = apps.get(connection, work.operation.app)
        new = {key: value.reveal() for key, value in made.items() if key not in app.environment}
        if new:
            apps.change(connection, app, config=merged(app.config, dict(new)))
            events.add(connection, work.actor, "config.changed", app.name, clock.now(), keys=sorted(new), origin="generated")
    return {key: made[key] if key in new else Secret(app.environment[key]) for key in made}


def _named(found: FirstConfig) -> str:
    return ", ".join(f"{key} (generated)" if key in found.generated else key for key in sorted(found.new))


def _missing(app: str, keys: tuple[str, ...]) -> DeployFailed:
    one = len(keys) == 1
    return DeployFailed(
        f"app.json requires {'a config var' if one else 'config vars'} that nobody has set: {', '.join(keys)}",
        code="config_missing",
        hint=f"Set {'it' if one else 'them'}, then push again: wherry config:set {app} {' '.join(f'{key}=VALUE' for key in keys)}",
    )
