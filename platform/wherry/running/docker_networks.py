"""One bridge network per app, on a subnet that we hand out, with a bridge name that the firewall knows."""

from __future__ import annotations

import hashlib
from typing import Any

from wherry.errors import Conflict
from wherry.running import labels
from wherry.running.docker_client import translated


class Networks:
    """The networks of one platform; `api` is docker-py's low-level client."""

    def __init__(self, platform: str, api: Any) -> None:
        self.platform = platform
        self._api = api

    def name(self, app: str) -> str:
        return f"{self.platform}-{app}"

    def bridge(self, app: str) -> str:
        """At most 15 characters (the kernel's limit), and with the platform's own prefix for the firewall."""
        return bridge_prefix(self.platform) + hashlib.sha256(app.encode()).hexdigest()[:8]

    def ensure(self, app: str, subnet: str) -> None:
        """Raises Conflict when `subnet` overlaps with a network that is there already."""
        from docker.errors import APIError

        name = self.name(app)
        with translated():
            if self._api.networks(names=[f"^{name}$"]):
                return
            try:
                self._api.create_network(
                    name,
                    driver="bridge",
                    check_duplicate=True,
                    options={"com.docker.network.bridge.name": self.bridge(app)},
                    ipam={"Driver": "default", "Config": [{"Subnet": subnet}]},
                    labels={labels.PLATFORM: self.platform, labels.APP: app},
                )
            except APIError as error:
                if "overlap" in str(error):
                    raise Conflict(f"the subnet {subnet} is in use", code="subnet_taken") from error
                if "already exists" not in str(error):
                    raise

    def remove(self, app: str) -> None:
        from docker.errors import NotFound

        with translated():
            try:
                self._api.remove_network(self.name(app))
            except NotFound:
                return


def bridge_prefix(platform: str) -> str:
    """How the names of all bridges of a platform begin."""
    return "wh" + hashlib.sha256(platform.encode()).hexdigest()[:4]
