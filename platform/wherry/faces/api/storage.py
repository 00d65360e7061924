"""An app's volumes and where they are mounted: `/volumes` and `/mounts` of `/api/apps/<app>`."""

from __future__ import annotations

from flask import Response
from msgspec import Struct, field

from wherry.faces.api.answers import accepted, changed, created, ok, path
from wherry.faces.api.documents import Links, OperationDocument
from wherry.faces.api.routes import Ask, Routes
from wherry.model.app import App
from wherry.model.operation import Operation
from wherry.model.volume import Volume, mounts_from_json
from wherry.services import storage as services

routes = Routes("storage")


class MountDocument(Struct):
    path: str
    read_only: bool
    types: list[str]


class VolumeDocument(Struct):
    """`size` is in bytes, null until it was measured. `shared` says that several instances may write to it at a time; no
    `types` means all. `source` is its name at the Docker engine."""

    app: str
    name: str
    shared: bool
    size: int | None
    measured_at: str | None
    source: str
    created_at: str
    created_by: str
    mounts: list[MountDocument]
    links: Links


class VolumeList(Struct):
    app: str
    volumes: list[VolumeDocument]
    links: Links


class NewVolume(Struct, forbid_unknown_fields=True):
    name: str
    shared: bool = False


class VolumeChange(Struct, forbid_unknown_fields=True):
    shared: bool


class NewMount(Struct, forbid_unknown_fields=True):
    volume: str
    path: str
    read_only: bool = False
    types: list[str] = field(default_factory=list)


class UnmountQuery(Struct, forbid_unknown_fields=True):
    volume: str
    path: str = ""


class ConfirmVolume(Struct, forbid_unknown_fields=True):
    confirm: str = ""


@routes.on("GET", "/api/apps/<app>/volumes", needs="read", answers=VolumeList)
def list_volumes(ask: Ask, app: str) -> Response:
    """list volumes"""
    found = services.of_app(ask.platform, ask.actor, app)
    at = path("apps", app)
    return ok(VolumeList(app, [shown(found, volume) for volume in found.volumes], {"self": f"{at}/volumes", "app": at}))


@routes.on("POST", "/api/apps/<app>/volumes", needs="deploy", body=NewVolume, answers=VolumeDocument, status=201)
def create_volume(ask: Ask, app: str, body: NewVolume) -> Response:
    """make volumes"""
    document = shown(*services.create(ask.platform, ask.actor, app, body.name, body.shared))
    return created(document, document.links["self"])


@routes.on("GET", "/api/apps/<app>/volumes/<volume>", needs="read", answers=VolumeDocument)
def show_volume(ask: Ask, app: str, volume: str) -> Response:
    """look at a volume"""
    return ok(shown(*services.get(ask.platform, ask.actor, app, volume)))


@routes.on("PATCH", "/api/apps/<app>/volumes/<volume>", needs="deploy", body=VolumeChange, answers=VolumeDocument)
def change_volume(ask: Ask, app: str, volume: str, body: VolumeChange) -> Response:
    """change volumes"""
    return ok(shown(*services.share(ask.platform, ask.actor, app, volume, body.shared)))


@routes.on("DELETE", "/api/apps/<app>/volumes/<volume>", needs="deploy", query=ConfirmVolume, answers=OperationDocument, status=202)
def destroy_volume(ask: Ask, app: str, volume: str, query: ConfirmVolume) -> Response:
    """destroy volumes"""
    return accepted(services.destroy(ask.platform, ask.actor, app, volume, query.confirm))


@routes.on("POST", "/api/apps/<app>/mounts", needs="deploy", body=NewMount, answers=OperationDocument, status=202)
def mount(ask: Ask, app: str, body: NewMount) -> Response:
    """mount volumes"""
    return _done(app, services.mount(ask.platform, ask.actor, app, body.volume, body.path, body.read_only, body.types))


@routes.on("DELETE", "/api/apps/<app>/mounts", needs="deploy", query=UnmountQuery, answers=OperationDocument, status=202)
def unmount(ask: Ask, app: str, query: UnmountQuery) -> Response:
    """unmount volumes"""
    return _done(app, services.unmount(ask.platform, ask.actor, app, query.volume, query.path))


def _done(app: str, operation: Operation | None) -> Response:
    return accepted(operation) if operation else changed(f"{app} has its volumes so from its first deploy on")


def shown(app: App, volume: Volume) -> VolumeDocument:
    """A volume of `app` with where it is mounted."""
    mounts = [MountDocument(one.path, one.read_only, list(one.types)) for one in mounts_from_json(app.mounts) if one.volume == volume.name]
    at = path("apps", app.name)
    links = {"self": f"{at}/volumes/{volume.name}", "app": at}
    made = (volume.source, volume.created_at, volume.created_by)
    return VolumeDocument(app.name, volume.name, volume.shared, volume.size, volume.measured_at, *made, mounts, links)
