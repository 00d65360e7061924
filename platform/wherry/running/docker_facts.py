"""What Docker answers, in our words: an inspected container as Observed, a refusal as DeployFailed."""

from __future__ import annotations

from typing import Any

from wherry.errors import DeployFailed
from wherry.running import labels
from wherry.running.engine import InstanceSpec, Observed, Sample

ZERO_TIME = "0001-01-01T00:00:00Z"


def observed(facts: dict[str, Any], network: str) -> Observed:
    """`facts` is what an inspection of one of our containers answers; `network` the name of its app's network."""
    state, found = facts["State"], facts["Config"]["Labels"]
    running = bool(state["Running"]) and not state.get("Dead")
    attached = facts["NetworkSettings"]["Networks"].get(network) or {}
    return Observed(
        id=facts["Id"],
        app=found[labels.APP],
        type=found[labels.TYPE],
        index=int(found[labels.INDEX]),
        release=int(found[labels.RELEASE]),
        fingerprint=found[labels.FINGERPRINT],
        image=found[labels.IMAGE],
        running=running,
        address=(attached.get("IPAddress") or "") if running else "",
        port=int(found[labels.PORT]) if found[labels.PORT] else None,
        pid=int(state["Pid"]),
        exit_code=None if running else int(state["ExitCode"]),
        oom=bool(state.get("OOMKilled")),
        created_at=facts["Created"],
        started_at="" if state["StartedAt"] == ZERO_TIME else state["StartedAt"],
        finished_at="" if state["FinishedAt"] == ZERO_TIME else state["FinishedAt"],
        memory=int(facts["HostConfig"].get("Memory") or 0) // 2**20,
        writes=frozenset(found.get(labels.WRITES, "").split(",")) - {""},
    )


def sample_of(stats: dict[str, Any]) -> Sample | None:
    """`stats` is one answer of the engine's; None when the container does not run. Memory is without what can be dropped."""
    memory = stats.get("memory_stats", {})
    if "usage" not in memory:
        return None
    detail = memory.get("stats", {})
    reclaimable = detail.get("total_inactive_file", detail.get("inactive_file", 0))
    cpu = stats["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9
    return Sample(max(0, memory["usage"] - reclaimable), memory.get("limit", 0), cpu)


def refused(spec: InstanceSpec, error: Exception) -> DeployFailed:
    """Says a refusal of Docker's in our words, keeping what it named."""
    text = str(getattr(error, "explanation", "") or error)
    if "No such image" in text:
        return DeployFailed(f"the image of {spec.app} v{spec.release} is gone", code="image_gone", hint="Push again to build it anew.")
    if "No command specified" in text:
        return DeployFailed(
            f"{spec.type} has no command: the Dockerfile has no CMD",
            code="no_command",
            hint="Add CMD, or a Procfile line such as: web: ./server",
        )
    if "executable file not found" in text or "no such file or directory" in text:
        return DeployFailed(
            f"{spec.name} could not start: its command is not in the image",
            code="command_missing",
            evidence=(text[:300],),
            source=spec.name,
        )
    return DeployFailed(f"the Docker engine refused to start {spec.name}", code="start_refused", evidence=(text[:300],), source=spec.name)
