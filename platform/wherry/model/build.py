"""A build: source and buildpack become one image, or a reason why not."""

from __future__ import annotations

from dataclasses import dataclass, field

from wherry.model.build_settings import BuildSettings
from wherry.model.check import HealthCheck
from wherry.model.cron import CronTask
from wherry.model.operation import Operation

POSTDEPLOY, FIRST_DEPLOY = "postdeploy", "first_deploy"
"""Scripts of `app.json` that run in the new image once it is live: after every deploy, and after the first one only."""


@dataclass(frozen=True)
class Build:
    """`image` is the engine's image id (`sha256:…`). `processes` maps process type to command line, as the Procfile
    says; an empty command runs the image's own CMD. `checks` maps process type to its checks. `settings` are the
    build settings that it was made with; `origin` says where its source came from when nobody pushed it. `scripts` maps
    POSTDEPLOY and FIRST_DEPLOY to commands; `cron` is kept for the scheduler. `sizes` maps process type to the name of a size.
    `gone` is when its image was let go for want of room, empty while it is kept."""

    id: int
    app_id: int
    commit: str
    tree: str
    buildpack: str
    image: str
    size: int
    processes: dict[str, str]
    created_at: str
    checks: dict[str, tuple[HealthCheck, ...]] = field(default_factory=dict)
    formation: dict[str, int] = field(default_factory=dict)
    root: bool = False
    port: int | None = None
    settings: BuildSettings = field(default_factory=BuildSettings)
    origin: str = ""
    scripts: dict[str, str] = field(default_factory=dict)
    cron: tuple[CronTask, ...] = ()
    sizes: dict[str, str] = field(default_factory=dict)
    gone: str = ""


@dataclass(frozen=True)
class BuildRecord:
    """A build as it is looked at later: also one that waits, runs, failed or was cancelled. Its number is its operation's.
    `made` is what it made, None while it has not, or when the app is gone."""

    operation: Operation
    made: Build | None

    @property
    def number(self) -> int:
        return self.operation.id

    @property
    def state(self) -> str:
        """waiting, building, succeeded, failed or cancelled; a build that succeeded may belong to a release that failed."""
        if "build" in self.operation.progress:
            return "succeeded"
        if self.operation.state == "running":
            return "waiting" if self.waits_for else "building"
        return "waiting" if self.operation.state == "queued" else self.operation.state

    @property
    def waits_for(self) -> str:
        """Why it does not run yet, in words."""
        return str(self.operation.progress.get("waiting", ""))

    @property
    def commit(self) -> str:
        return self.made.commit if self.made else str(self.operation.payload.get("commit", ""))

    @property
    def release(self) -> int | None:
        """The number of the release that it was for, once there is one."""
        return self.operation.progress.get("release")

    @property
    def began_at(self) -> str | None:
        """When its turn came."""
        return self.operation.progress.get("build_began")

    @property
    def ended_at(self) -> str | None:
        return self.made.created_at if self.made else self.operation.finished_at
