"""Says in one sentence why a registry did not give an image, whoever asked: the engine for `git:from-image`, or the builder for a FROM."""

from __future__ import annotations

import re

from wherry.building.failure import shown
from wherry.errors import DeployFailed, Forbidden, NotFound, WherryError
from wherry.model.origin import ImageName

WRONG_MACHINE = re.compile(r"no matching manifest|no match for platform|does not match the specified platform")
REFUSED = re.compile(r"unauthorized|denied|no basic auth|authentication required|authorization failed|\b401\b|\b403\b", re.IGNORECASE)
MISSING = re.compile(r"manifest unknown|not found|does not exist|manifest for .* not|name unknown", re.IGNORECASE)
BUSY = re.compile(r"toomanyrequests|too many requests|\b429\b|rate limit", re.IGNORECASE)


def explained(name: ImageName, message: str, user: str = "") -> WherryError:
    """The sentence of the engine or the builder in ours. `user` is who we came as, empty for nobody."""
    if WRONG_MACHINE.search(message):
        return DeployFailed(f"{name.text} has no variant for this machine's processor", hint="Use one that has.", code="wrong_architecture")
    if BUSY.search(message):
        hint = f"Wait an hour, or log in for more: wherry registry:login {name.server} USER"
        return DeployFailed(f"{name.server} gives no more images for now: its limit is reached", hint=hint, code="registry_limit")
    if REFUSED.search(message):
        return _refused(name, user)
    if MISSING.search(message) and "no such host" not in message:
        return NotFound(f"{name.server} has no image {name.text}", hint="Check its name and tag.", code="no_such_image")
    return unreachable(name.server, message)


def unreachable(server: str, message: str) -> DeployFailed:
    """Not Unavailable: that is our own engine, which is waited for. The reason stands at the end of what Go's programs say, behind all
    that they were about to do."""
    hint, reason = "Is its name right? Then try again in a moment.", message.strip().rpartition(": ")[2]
    whole = () if reason == message.strip() else (shown(message.strip(), 300),)
    words = f"{server} can not be reached: {shown(reason, 160)}"
    return DeployFailed(words, hint=hint, code="registry_unreachable", evidence=whole, source="the engine")


def _refused(name: ImageName, user: str) -> Forbidden:
    if user:
        hint = f"May {user} read it? A new password or token: wherry registry:login {name.server} {user}"
        return Forbidden(f"{name.server} does not give us {name.text}, though we come as {user}", hint=hint, code="registry_refused")
    hint = f"Is the name right? A private one takes a login: wherry registry:login {name.server} USER"
    return Forbidden(f"{name.server} does not give us {name.text}", hint=hint, code="registry_refused")
