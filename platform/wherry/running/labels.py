"""The labels on everything we make at the container engine: the second copy of the truth."""

from __future__ import annotations

from wherry.running.engine import InstanceSpec

PLATFORM = "wherry.platform"
APP = "wherry.app"
TYPE = "wherry.type"
INDEX = "wherry.index"
RELEASE = "wherry.release"
FINGERPRINT = "wherry.fingerprint"
IMAGE = "wherry.image"
PORT = "wherry.port"
KIND = "wherry.kind"
WRITES = "wherry.writes"
VOLUME = "wherry.volume"

INSTANCE, ONE_OFF, DETACHED = "instance", "one-off", "detached"
"""A one-off belongs to the engine process that started it and goes with it; a detached one goes on alone."""


def of_spec(platform: str, spec: InstanceSpec, kind: str) -> dict[str, str]:
    """All labels of a container made from `spec`; no secret is among them."""
    writes = {WRITES: ",".join(sorted(spec.writes))} if spec.writes else {}
    return {
        **writes,
        PLATFORM: platform,
        APP: spec.app,
        TYPE: spec.type,
        INDEX: str(spec.index),
        RELEASE: str(spec.release),
        FINGERPRINT: spec.fingerprint,
        IMAGE: spec.image,
        PORT: str(spec.port or ""),
        KIND: kind,
    }


def filters(platform: str, app: str | None = None, kind: str = INSTANCE) -> dict[str, list[str]]:
    """The engine's list filter for our own containers."""
    wanted = [f"{PLATFORM}={platform}", f"{KIND}={kind}"]
    return {"label": [*wanted, f"{APP}={app}"] if app else wanted}
