"""The wish for one app, complete: which instances should run, and which hosts they answer for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wherry.model.app import App
from wherry.model.check import HealthCheck
from wherry.model.check_settings import applied, before_visitors, is_disabled
from wherry.model.limits import limits_of, wish_of
from wherry.model.process import RELEASE, WEB
from wherry.model.release import Release, wished_quantities
from wherry.model.run import TYPE as ONE_OFF
from wherry.model.volume import mounts_from_json
from wherry.routing.front import front_of, main_host
from wherry.routing.proxy import Route
from wherry.running.engine import InstanceSpec, VolumeMount
from wherry.secret import Secret
from wherry.settings import Settings

PORT = 5000
"""What $PORT says in every container: each has a network of its own, so the number is free."""


@dataclass(frozen=True)
class Desired:
    """`idle` is the route's state while no instance can answer (`starting`, `held`, `no-web`, `stopped` or `empty`).
    `held` are the slots that would run had nobody stopped them one by one. `front` is the route as far as instances have
    no part in it; `main_host` is the host that checks ask for."""

    app: str
    specs: tuple[InstanceSpec, ...]
    hosts: tuple[str, ...]
    idle: str
    checks: dict[str, tuple[HealthCheck, ...]]
    held: tuple[tuple[str, int], ...] = ()
    front: Route | None = None
    main_host: str = "localhost"
    restart_policy: str = "always"
    check_settings: dict[str, Any] = field(default_factory=dict)

    def checks_of(self, process_type: str) -> tuple[HealthCheck, ...]:
        """The checks in force."""
        return self.checks.get(process_type, ())

    def startup_of(self, process_type: str) -> tuple[HealthCheck, ...]:
        """Those that a new instance must pass before it gets visitors."""
        return before_visitors(self.check_settings, process_type, self.checks_of(process_type))


def desired_of(app: App, release: Release | None, settings: Settings) -> Desired:
    """The wish for `app` if `release` were its current one. None means nothing was deployed yet."""
    front = front_of(app, settings)
    if release is None:
        return Desired(app.name, (), front.hosts, "empty", {}, front=front)
    quantities = wished_quantities(app, release)
    slots = [(name, index) for name, count in quantities.items() for index in range(1, count + 1)]
    specs = tuple(spec_of(app, release, name, index, settings) for name, index in slots if not app.holds(name, index))
    held = () if app.stopped else tuple(slot for slot in slots if app.holds(*slot))
    idle, main = _idle(app, specs, quantities), main_host(app, settings)
    set_so = release.shape.checks
    checks = applied(set_so, release.build.checks)
    return Desired(app.name, specs, front.hosts, idle, checks, held, front, main, app.restart_policy, set_so)


def spec_of(app: App, release: Release, process_type: str, index: int, settings: Settings) -> InstanceSpec:
    """One instance of a process type of a release. `index` 0 means a one-off."""
    build = release.build
    port = (build.port or PORT) if process_type == "web" else None
    limits = limits_of(wish_of(release.shape.limits, build.sizes, process_type), settings.instance_memory)
    return InstanceSpec(
        app=app.name,
        type=process_type,
        index=index,
        release=release.number,
        image=build.image,
        command=build.processes.get(process_type, ""),
        env={key: Secret(value) for key, value in _environment(app, release, process_type, index, port).items()},
        port=port,
        memory=limits.memory,
        share=limits.share,
        cpu=limits.cpu,
        pids=limits.pids,
        generation=app.generation(process_type, index),
        root=build.root,
        mounts=mounts_of(app, process_type),
        stop_first=is_disabled(release.shape.checks, process_type),
    )


def mounts_of(app: App, process_type: str) -> tuple[VolumeMount, ...]:
    """The app's volumes as an instance of this type sees them. One-offs see all that some process sees."""
    volumes = {volume.name: volume for volume in app.volumes}
    found: dict[str, VolumeMount] = {}
    for mount in sorted(mounts_from_json(app.mounts), key=lambda mount: mount.read_only):
        volume = volumes.get(mount.volume)
        if volume and (process_type in (RELEASE, ONE_OFF) or mount.serves(process_type)):
            found.setdefault(mount.path, VolumeMount(volume.name, volume.source, mount.path, mount.read_only, not volume.shared))
    return tuple(found.values())


def _environment(app: App, release: Release, process_type: str, index: int, port: int | None) -> dict[str, str]:
    name = f"{process_type}.{index}" if index else process_type
    ours = {
        "DYNO": name,
        "WHERRY_APP": app.name,
        "WHERRY_INSTANCE": name,
        "WHERRY_RELEASE": release.version,
        "WHERRY_COMMIT": release.build.commit,
    }
    return {**release.config, **ours, **({"PORT": str(port)} if port else {})}


def _idle(app: App, specs: tuple[InstanceSpec, ...], quantities: dict[str, int]) -> str:
    web = [spec for spec in specs if spec.type == WEB]
    if web:
        return "held" if any(spec.needs_alone or spec.stop_first for spec in web) else "starting"
    return "stopped" if app.stopped or quantities.get("web") else "no-web"
