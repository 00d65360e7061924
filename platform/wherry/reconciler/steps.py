"""The steps that change the world, as data. `plan` writes them, `execute` takes them."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.routing.proxy import Route
from wherry.running.engine import InstanceSpec, Observed


@dataclass(frozen=True)
class Discard:
    """Takes note of how a container ended and removes it."""

    container: Observed


@dataclass(frozen=True)
class Boot:
    """Starts an instance and waits until it is ready."""

    spec: InstanceSpec


@dataclass(frozen=True)
class Verify:
    """Waits until an instance that was found running is ready."""

    container: Observed
    spec: InstanceSpec


@dataclass(frozen=True)
class Publish:
    """Makes the route the app's route."""

    route: Route


@dataclass(frozen=True)
class Retire:
    """Lets an instance finish its requests, then ends it."""

    container: Observed


@dataclass(frozen=True)
class Vacate:
    """Like Retire, but waits until the instance is gone: its successor may not run beside it."""

    container: Observed


Step = Discard | Boot | Verify | Publish | Retire | Vacate
