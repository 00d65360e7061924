"""What a container may not do: the limits that every app's container gets, whoever wrote the image.

Source of the list: shared RELIABILITY.md, "Security, in one screen". A root-started image keeps the few capabilities
that let an entry point hand files over and drop to its own user (as nginx's and postgres' official images do).
"""

from __future__ import annotations

import os
from typing import Any

from wherry.model.limits import USUAL_SHARE
from wherry.running.engine import InstanceSpec

ROOT_CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID", "KILL", "NET_BIND_SERVICE")
LOG_SIZE, LOG_FILES = "10m", "3"


def host_config(spec: InstanceSpec) -> dict[str, Any]:
    """Keyword arguments for docker-py's `create_host_config`. Memory and swap together are `spec.memory` MB.
    A cap on CPU is never more than the machine has: Docker would refuse it."""
    cores = min(spec.cpu, float(os.cpu_count() or 1)) if spec.cpu else None
    return {
        "init": True,
        "cap_drop": ["ALL"],
        "cap_add": list(ROOT_CAPABILITIES) if spec.root else None,
        "security_opt": ["no-new-privileges"],
        "pids_limit": spec.pids,
        "cpu_shares": spec.share if spec.share != USUAL_SHARE else None,
        "nano_cpus": int(cores * 1e9) if cores else None,
        "mem_limit": f"{spec.memory}m",
        "memswap_limit": f"{spec.memory}m",
        "restart_policy": {"Name": "no"},
        "log_config": {"type": "json-file", "config": {"max-size": LOG_SIZE, "max-file": LOG_FILES}},
        "ulimits": [],
    }
