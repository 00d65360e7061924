"""The file that HAProxy starts from: whether it would take it. The running one has read it long ago, so only asking tells."""

from __future__ import annotations

from wherry import command
from wherry.routing.haproxy_config import Files
from wherry.settings import Settings


def refusal(settings: Settings) -> str:
    """HAProxy's own words about the first thing that it does not take; empty when it takes all, or when there is no file yet."""
    config = Files(settings).config
    if not config.exists():
        return ""
    told = command.run(["haproxy", "-c", "-f", str(config)], timeout=30, check=False)
    return _first_alert(told.err) if told.status else ""


def is_of_certificate(why: str) -> bool:
    """Whether it is a file with a certificate that HAProxy refuses, which no writing of the configuration mends."""
    return ".pem" in why


def _first_alert(told: bytes) -> str:
    """What follows the first alert only says that HAProxy does not go on."""
    alerts = [line for line in told.decode("utf-8", "replace").splitlines() if "[ALERT]" in line]
    return alerts[0].partition(" : ")[2].removeprefix("config : ")[:300] if alerts else "it does not say why"
