"""A build: source and buildpack become one image, or a reason why not."""

from __future__ import annotations

from dataclasses import dataclass, field

from wherry.model.build_settings import BuildSettings
from wherry.model.check import HealthCheck
from wherry.model.cron import CronTask

POSTDEPLOY, FIRST_DEPLOY = "postdeploy", "first_deploy"
"""Scripts of `app.json` that run in the new image once it is live: after every deploy, and after the first one only."""


@dataclass(frozen=True)
class Build:
    """`image` is the engine's image id (`sha256:…`). `processes` maps process type to command line, as the Procfile
    says; an empty command runs the image's own CMD. `checks` maps process type to its checks. `settings` are the
    build settings that it was made with; `origin` says where its source came from when nobody pushed it. `scripts` maps
    POSTDEPLOY and FIRST_DEPLOY to commands; `cron` is kept for the scheduler. `sizes` maps process type to the name of a size."""

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
