"""How an app is built: `/api/apps/<app>/build`. A change holds from the next build on."""

from __future__ import annotations

from flask import Response
from msgspec import UNSET, Struct, UnsetType, structs

from wherry.faces.api.answers import ok
from wherry.faces.api.documents import Links
from wherry.faces.api.routes import Ask, Routes
from wherry.model.build_settings import BuildSettings
from wherry.services import builds as services

routes = Routes("builds")


class BuildSettingsDocument(Struct):
    app: str
    dir: str
    dockerfile: str
    procfile: str
    args: dict[str, str]
    buildpacks: list[str]
    builder: str
    links: Links


class BuildChanges(Struct, forbid_unknown_fields=True):
    """What is absent stays; null is the default again, and of `args` takes one away."""

    dir: str | UnsetType | None = UNSET
    dockerfile: str | UnsetType | None = UNSET
    procfile: str | UnsetType | None = UNSET
    args: dict[str, str | None] | UnsetType | None = UNSET
    buildpacks: list[str] | UnsetType | None = UNSET
    builder: str | UnsetType | None = UNSET


@routes.on("GET", "/api/apps/<app>/build", needs="deploy", answers=BuildSettingsDocument)
def show_build_settings(ask: Ask, app: str) -> Response:
    """read build settings"""
    return ok(_document(app, services.settings_of(ask.platform, ask.actor, app)))


@routes.on("PATCH", "/api/apps/<app>/build", needs="deploy", body=BuildChanges, answers=BuildSettingsDocument)
def change_build_settings(ask: Ask, app: str, body: BuildChanges) -> Response:
    """change build settings"""
    changes = {name: value for name, value in structs.asdict(body).items() if value is not UNSET}
    return ok(_document(app, services.change(ask.platform, ask.actor, app, changes)))


def _document(app: str, found: BuildSettings) -> BuildSettingsDocument:
    links = {"self": f"/api/apps/{app}/build", "app": f"/api/apps/{app}"}
    return BuildSettingsDocument(app, found.dir, found.dockerfile, found.procfile, found.args, list(found.buildpacks), found.builder, links)
