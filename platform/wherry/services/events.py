"""What a person can do with events, the audit: look who changed what, when, and by which way."""

from __future__ import annotations

from wherry.access.require import require
from wherry.model.event import Event, Wanted
from wherry.model.user import Actor
from wherry.services import apps as app_services
from wherry.services.platform import Platform
from wherry.store import events


def recent(platform: Platform, actor: Actor, wanted: Wanted, limit: int = 50) -> list[Event]:
    """The newest first. An app's events are for everybody who may look at it, those of the platform for admins. Raises NotFound for an
    app that neither exists nor has left events."""
    _allow(actor, wanted)
    with platform.database.read() as connection:
        found = events.recent(connection, wanted, limit)
    if not found and wanted.app:
        app_services.get(platform, actor, wanted.app)
    return found


def since(platform: Platform, actor: Actor, event_id: int, wanted: Wanted, limit: int = 50) -> list[Event]:
    """Those after `event_id`, the oldest first: who polls gives the last id that was seen."""
    _allow(actor, wanted)
    with platform.database.read() as connection:
        return events.since(connection, event_id, wanted, limit)


def _allow(actor: Actor, wanted: Wanted) -> None:
    if wanted.app:
        require(actor, "read", "look at events")
    else:
        require(actor, "admin", "look at the events of the whole platform")
