"""What an admin can ask the doctor: a look at everything, and the bundle for a report. The engine lets it look."""

from __future__ import annotations

from wherry.access.require import require
from wherry.errors import NotFound
from wherry.model.operation import Operation
from wherry.model.user import Actor
from wherry.services.platform import Platform
from wherry.store import operations


def examine(platform: Platform, actor: Actor, bundle: bool) -> Operation:
    """Queues a look; its result holds the findings."""
    require(actor, "admin", "ask the doctor")
    return platform.wish(actor, "", "doctor", {"bundle": bundle})


def bundle(platform: Platform, actor: Actor, operation_id: int) -> bytes:
    """The tar.gz that an operation made. Raises NotFound when it made none, or it is gone: it is kept for about an hour."""
    require(actor, "admin", "get the doctor's bundle")
    with platform.database.read() as connection:
        operation = operations.get(connection, operation_id)
    name = operation.result.get("bundle") if operation.kind == "doctor" else None
    try:
        return (platform.settings.spool / str(name)).read_bytes() if name else _none(operation_id)
    except FileNotFoundError:
        return _none(operation_id)


def _none(operation_id: int) -> bytes:
    raise NotFound(f"operation {operation_id} has no bundle (any more)", hint="Make one: wherry doctor --bundle", code="no_such_bundle")
