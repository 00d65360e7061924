"""The container engine port over Docker: hardened containers on a bridge network per app."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from wherry import clock
from wherry.errors import Conflict, DeployFailed
from wherry.running import docker_client, labels
from wherry.running.docker_client import translated
from wherry.running.engine import Happening, InstanceSpec, Observed, OneOff, Sample
from wherry.running.hardening import host_config
from wherry.running.shell_line import shell_argv

ZERO_TIME = "0001-01-01T00:00:00Z"


class DockerEngine:
    """Implements `Engine`. Safe to share between threads; short calls share one client, streams get their own."""

    def __init__(self, platform: str, socket_path: str = docker_client.SOCKET) -> None:
        self.platform = platform
        self.socket_path = socket_path
        self._client = docker_client.client(socket_path)
        self._api = self._client.api
        self._known: dict[str, Observed] = {}
        self._known_lock = threading.Lock()

    # Networks

    def network_name(self, app: str) -> str:
        return f"{self.platform}-{app}"

    def bridge_name(self, app: str) -> str:
        """At most 15 characters (the kernel's limit), and with the platform's own prefix for the firewall."""
        return bridge_prefix(self.platform) + hashlib.sha256(app.encode()).hexdigest()[:8]

    def ensure_network(self, app: str, subnet: str) -> None:
        """Raises Conflict when `subnet` overlaps with a network that is there already."""
        from docker.errors import APIError

        name = self.network_name(app)
        with translated():
            if self._api.networks(names=[f"^{name}$"]):
                return
            try:
                self._api.create_network(
                    name,
                    driver="bridge",
                    check_duplicate=True,
                    options={"com.docker.network.bridge.name": self.bridge_name(app)},
                    ipam={"Driver": "default", "Config": [{"Subnet": subnet}]},
                    labels={labels.PLATFORM: self.platform, labels.APP: app},
                )
            except APIError as error:
                if "overlap" in str(error):
                    raise Conflict(f"the subnet {subnet} is in use", code="subnet_taken") from error
                if "already exists" not in str(error):
                    raise

    def remove_network(self, app: str) -> None:
        from docker.errors import NotFound

        with translated():
            try:
                self._api.remove_network(self.network_name(app))
            except NotFound:
                return

    # Instances

    def start(self, spec: InstanceSpec) -> Observed:
        from docker.errors import APIError

        with translated():
            try:
                container = self._create(spec, labels.INSTANCE)
            except APIError as error:
                raise _refused(spec, error) from error
            try:
                self._api.start(container)
            except APIError as error:
                self.remove(container)
                raise _refused(spec, error) from error
            return self._inspected(container)

    def observe(self, app: str | None = None) -> list[Observed]:
        with translated():
            rows = self._api.containers(all=True, filters=labels.filters(self.platform, app))
            found = [seen for row in rows if (seen := self._seen(row))]
        if app is None:
            with self._known_lock:
                self._known = {seen.id: seen for seen in found}
        return found

    def forget(self, container: str) -> None:
        """The next observation of this container asks Docker anew."""
        with self._known_lock:
            self._known.pop(container, None)

    def stop(self, container: str, grace: int) -> bool:
        from docker.errors import NotFound

        with translated():
            try:
                self._api.stop(container, timeout=grace)
                return bool(self._api.inspect_container(container)["State"]["ExitCode"] != 137)
            except NotFound:
                return True

    def remove(self, container: str) -> None:
        from docker.errors import APIError, NotFound

        with translated():
            try:
                self._api.remove_container(container, force=True, v=True)
            except NotFound:
                pass
            except APIError as error:
                if "already in progress" not in str(error):
                    raise
        self.forget(container)

    def run(self, spec: InstanceSpec, timeout: int, line: Callable[[str], None] | None = None) -> OneOff:
        from docker.errors import APIError

        with translated():
            try:
                container = self._create(spec, labels.ONE_OFF)
            except APIError as error:
                raise _refused(spec, error) from error
            try:
                self._api.start(container)
                return self._watched(container, spec, timeout, line)
            except APIError as error:
                raise _refused(spec, error) from error
            finally:
                self.remove(container)

    def remove_one_offs(self, app: str | None = None) -> None:
        """Removes what one-off commands of a dead engine left behind."""
        with translated():
            for row in self._api.containers(all=True, filters=labels.filters(self.platform, app, labels.ONE_OFF)):
                self.remove(row["Id"])

    def tail(self, container: str, lines: int = 20) -> list[str]:
        from docker.errors import APIError

        with translated():
            try:
                output = self._api.logs(container, stdout=True, stderr=True, tail=lines)
            except APIError:
                return []
        return [text for text in output.decode("utf-8", "replace").splitlines() if text.strip()]

    def sample(self, container: str) -> Sample | None:
        from docker.errors import APIError

        with translated():
            try:
                stats = self._api.stats(container, stream=False, one_shot=True)
            except APIError:
                return None
        memory = stats.get("memory_stats", {})
        if "usage" not in memory:
            return None
        detail = memory.get("stats", {})
        reclaimable = detail.get("total_inactive_file", detail.get("inactive_file", 0))
        cpu = stats["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9
        return Sample(max(0, memory["usage"] - reclaimable), memory.get("limit", 0), cpu)

    # Images

    def image_exists(self, image: str) -> bool:
        from docker.errors import APIError

        with translated():
            try:
                self._api.inspect_image(image)
            except APIError:
                return False
        return True

    def remove_image(self, image: str) -> None:
        from docker.errors import APIError

        with translated():
            try:
                self._api.remove_image(image, force=True)
            except APIError:
                return

    def happenings(self) -> Iterator[Happening]:
        stream = docker_client.client(self.socket_path, timeout=None)  # type: ignore[arg-type]
        try:
            with translated():
                for event in stream.events(decode=True, filters={"type": "container", "label": f"{labels.PLATFORM}={self.platform}"}):
                    attributes = event["Actor"]["Attributes"]
                    container = event["Actor"]["ID"]
                    self.forget(container)
                    yield Happening(event["Action"], container, attributes.get(labels.APP, ""))
        finally:
            stream.close()

    def _create(self, spec: InstanceSpec, kind: str) -> str:
        name = f"{self.platform}-{spec.app}-{spec.type}.{spec.index}-v{spec.release}-{_salt()}"
        made = self._api.create_container(
            spec.image,
            command=shell_argv(spec.command) or None,
            name=name,
            hostname=f"{spec.app}-{spec.type}-{spec.index}"[:63],
            environment={key: value.reveal() for key, value in spec.env.items()},
            labels=labels.of_spec(self.platform, spec, kind),
            host_config=self._api.create_host_config(network_mode=self.network_name(spec.app), **host_config(spec)),
        )
        return str(made["Id"])

    def _watched(self, container: str, spec: InstanceSpec, timeout: int, line: Callable[[str], None] | None) -> OneOff:
        end = clock.monotonic() + timeout
        killer = threading.Timer(timeout, self._kill, [container])
        killer.start()
        try:
            lines = [text for text in self._lines(container) if line is None or line(text) is None]
            state = self._api.inspect_container(container)["State"]
        finally:
            killer.cancel()
        if clock.monotonic() >= end:
            raise DeployFailed(
                f"{spec.type} did not end within {timeout} s", code="release_timeout", evidence=tuple(lines[-20:]), source=spec.type
            )
        return OneOff(int(state["ExitCode"]), bool(state.get("OOMKilled")), tuple(lines[-20:]))

    def _lines(self, container: str) -> Iterator[str]:
        rest = b""
        for chunk in self._api.logs(container, stdout=True, stderr=True, stream=True, follow=True):
            *whole, rest = (rest + chunk).split(b"\n")
            yield from (text.decode("utf-8", "replace").rstrip("\r") for text in whole)
        if rest:
            yield rest.decode("utf-8", "replace")
        self._api.wait(container)

    def _kill(self, container: str) -> None:
        from docker.errors import APIError

        try:
            self._api.kill(container)
        except APIError:
            return

    def _seen(self, row: dict[str, Any]) -> Observed | None:
        with self._known_lock:
            known = self._known.get(row["Id"])
        if known and known.running == (row["State"] == "running"):
            return known
        from docker.errors import NotFound

        try:
            return self._inspected(row["Id"])
        except NotFound:
            return None

    def _inspected(self, container: str) -> Observed:
        facts = self._api.inspect_container(container)
        seen = _observed(facts, self.network_name(facts["Config"]["Labels"][labels.APP]))
        if facts["State"]["Status"] in ("running", "exited"):
            with self._known_lock:
                self._known[container] = seen
        return seen


def bridge_prefix(platform: str) -> str:
    """How the names of all bridges of a platform begin."""
    return "wh" + hashlib.sha256(platform.encode()).hexdigest()[:4]


def _observed(facts: dict[str, Any], network: str) -> Observed:
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
    )


def _refused(spec: InstanceSpec, error: Exception) -> DeployFailed:
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


def _salt() -> str:
    import secrets

    return secrets.token_hex(3)
