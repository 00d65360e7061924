"""The container engine port over Docker: hardened containers on a bridge network per app."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from typing import Any

from wherry import failpoint
from wherry.errors import NotFound
from wherry.model.log_line import safe_lines
from wherry.model.run import Screen
from wherry.running import docker_client, labels
from wherry.running.docker_client import translated, until_it_hears
from wherry.running.docker_conversations import ContainerConversation, ShellConversation
from wherry.running.docker_facts import observed, refused, sample_of
from wherry.running.docker_line import open_line
from wherry.running.docker_networks import Networks
from wherry.running.docker_one_off import run_out, watched
from wherry.running.docker_volumes import Volumes
from wherry.running.engine import Happening, InstanceSpec, Observed, OneOff, Sample
from wherry.running.hardening import host_config
from wherry.running.shell_line import shell_argv


class DockerEngine:
    """Implements `Engine`. Safe to share between threads; short calls share one client, streams get their own."""

    def __init__(self, platform: str, socket_path: str = docker_client.SOCKET) -> None:
        self.platform = platform
        self.socket_path = socket_path
        self._client = docker_client.client(socket_path)
        self._api = self._client.api
        self.networks = Networks(platform, self._api)
        self._volumes = Volumes(platform, self._api)
        self._known: dict[str, Observed] = {}
        self._known_lock = threading.Lock()

    def ensure_network(self, app: str, subnet: str) -> None:
        self.networks.ensure(app, subnet)

    def remove_network(self, app: str) -> None:
        self.networks.remove(app)

    def start(self, spec: InstanceSpec) -> Observed:
        return self._start(spec, labels.INSTANCE)

    def start_detached(self, spec: InstanceSpec) -> Observed:
        return self._start(spec, labels.DETACHED)

    def _start(self, spec: InstanceSpec, kind: str) -> Observed:
        from docker.errors import APIError

        with translated():
            try:
                container = self._create(spec, kind)
            except APIError as error:
                raise refused(spec, error) from error
            failpoint.at("create")
            try:
                self._api.start(container)
            except APIError as error:
                self.remove(container)
                raise refused(spec, error) from error
            return self._inspected(container)

    def observe(self, app: str | None = None) -> list[Observed]:
        found = self._all(app, labels.INSTANCE)
        if app is None:
            with self._known_lock:
                self._known = {seen.id: seen for seen in found}
        return found

    def detached(self, app: str | None = None) -> list[Observed]:
        return self._all(app, labels.DETACHED)

    def _all(self, app: str | None, kind: str) -> list[Observed]:
        with translated():
            rows = self._api.containers(all=True, filters=labels.filters(self.platform, app, kind))
            return [seen for row in rows if (seen := self._seen(row))]

    def forget(self, container: str) -> None:
        """The next observation of this container asks Docker anew."""
        with self._known_lock:
            self._known.pop(container, None)

    def stop(self, container: str, grace: int) -> bool:
        from docker.errors import NotFound

        with translated():
            try:
                until_it_hears(self._api, container)
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
                raise refused(spec, error) from error
            try:
                self._api.start(container)
                return watched(self._api, container, spec, timeout, line)
            except APIError as error:
                raise refused(spec, error) from error
            finally:
                self.remove(container)

    def remove_one_offs(self, app: str | None = None, detached: bool = False) -> None:
        """Removes what one-off commands of a dead engine left behind."""
        with translated():
            for kind in (labels.ONE_OFF, *([labels.DETACHED] if detached else [])):
                for row in self._api.containers(all=True, filters=labels.filters(self.platform, app, kind)):
                    self.remove(row["Id"])

    def converse(self, spec: InstanceSpec, screen: Screen | None) -> ContainerConversation:
        from docker.errors import APIError

        with translated():
            try:
                container = self._create(spec, labels.ONE_OFF, screen=screen, stdin_open=True, tty=screen is not None)
            except APIError as error:
                raise refused(spec, error) from error
            try:
                line = open_line(self.socket_path, f"/containers/{container}/attach?stream=1&stdin=1&stdout=1&stderr=1")
            except BaseException:
                self.remove(container)
                raise
        return ContainerConversation(self._api, container, line, screen is not None, lambda: self._begin(container, spec))

    def _begin(self, container: str, spec: InstanceSpec) -> None:
        from docker.errors import APIError

        with translated():
            try:
                self._api.start(container)
            except APIError as error:
                raise refused(spec, error) from error

    def enter(self, container: str, argv: list[str], screen: Screen | None) -> ShellConversation:
        from docker.errors import APIError

        tty = screen is not None
        term = {"TERM": screen.term} if screen else None
        with translated():
            try:
                made = self._api.exec_create(container, argv, stdin=True, tty=tty, environment=term)["Id"]
            except APIError as error:
                raise NotFound("that instance does not run any more", code="no_such_instance") from error
            size = {"ConsoleSize": [screen.rows, screen.columns]} if screen else {}
            line = open_line(self.socket_path, f"/exec/{made}/start", {"Detach": False, "Tty": tty, **size})
        return ShellConversation(self._api, container, made, line, tty)

    def execute(self, container: str, argv: list[str], timeout: float) -> OneOff:
        return run_out(self.enter(container, argv, None), timeout)

    def tail(self, container: str, lines: int = 20) -> list[str]:
        from docker.errors import APIError

        with translated():
            try:
                output = self._api.logs(container, stdout=True, stderr=True, tail=lines)
            except APIError:
                return []
        return safe_lines(output)

    def sample(self, container: str) -> Sample | None:
        from docker.errors import APIError

        with translated():
            try:
                stats = self._api.stats(container, stream=False, one_shot=True)
            except APIError:
                return None
        return sample_of(stats)

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

    def remove_volume(self, source: str) -> None:
        self._volumes.remove(source)

    def volume_size(self, source: str) -> int | None:
        return self._volumes.size(source)

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

    def _create(self, spec: InstanceSpec, kind: str, screen: Screen | None = None, **streams: bool) -> str:
        """With `streams` the container talks with a person, and Docker keeps no log of what is said."""
        limits = {**host_config(spec), **({"log_config": {"type": "none"}} if streams else {})}
        host = self._api.create_host_config(network_mode=self.networks.name(spec.app), **limits, **self._volumes.mounted(spec))
        if screen:
            host["ConsoleSize"] = [screen.rows, screen.columns]
        name = f"{self.platform}-{spec.app}-{spec.type}.{spec.index}-v{spec.release}-{_salt()}"
        made = self._api.create_container(
            spec.image,
            command=list(spec.argv) or shell_argv(spec.command) or None,
            name=name,
            hostname=f"{spec.app}-{spec.type}-{spec.index}"[:63],
            environment={key: value.reveal() for key, value in spec.env.items()},
            labels=labels.of_spec(self.platform, spec, kind),
            host_config=host,
            **streams,
        )
        container = str(made["Id"])
        try:
            self._volumes.hand_over(container, spec)
        except BaseException:
            self.remove(container)
            raise
        return container

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
        seen = observed(facts, self.networks.name(facts["Config"]["Labels"][labels.APP]))
        if facts["State"]["Status"] in ("running", "exited"):
            with self._known_lock:
                self._known[container] = seen
        return seen


def _salt() -> str:
    return secrets.token_hex(3)
