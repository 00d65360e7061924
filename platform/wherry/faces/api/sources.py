"""Deploys without a push: `/api/apps/<app>/sources`; an app's deploy key; and what a deploy would do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from flask import Response, request
from msgspec import Meta, Struct

from wherry.errors import InvalidInput
from wherry.faces.api import uploads
from wherry.faces.api.answers import Nothing, accepted, ok
from wherry.faces.api.bodies import read_body
from wherry.faces.api.documents import Links, OperationDocument
from wherry.faces.api.routes import Ask, Routes
from wherry.model.operation import Operation
from wherry.services import sources as services

routes = Routes("sources")


class NewSource(Struct, forbid_unknown_fields=True):
    """Exactly one of image, archive (an address), git (with a ref, if any) and rebuild."""

    image: str = ""
    archive: str = ""
    git: str = ""
    ref: str = ""
    rebuild: bool = False
    force: bool = False
    no_cache: bool = False


class SourceQuery(Struct, forbid_unknown_fields=True):
    """For an archive in the body: of an app's source, or of the image that is named."""

    image: Annotated[str, Meta(description="deploy this image, e.g. shop:v2, of an archive as docker image save writes it")] = ""
    force: Annotated[bool, Meta(description="deploy also what runs already")] = False
    no_cache: bool = False


class DeployKeyDocument(Struct):
    app: str
    public_key: str
    links: Links


@routes.on(
    "POST",
    "/api/apps/<app>/sources",
    needs="deploy",
    query=SourceQuery,
    raw=(NewSource, uploads.TYPES),
    answers=OperationDocument,
    status=202,
)
def deploy_source(ask: Ask, app: str, query: SourceQuery) -> Response:
    """deploy a source"""
    if request.mimetype not in uploads.TYPES:
        return accepted(_told(ask, app, read_body(request, NewSource)))
    limit = ask.platform.settings.max_push * 2**20
    options = _options(query.force, query.no_cache)

    def receive(path: Path) -> None:
        uploads.receive(request, path, limit)

    if query.image:
        return accepted(services.from_saved(ask.platform, ask.actor, app, query.image, receive, options))
    return accepted(services.from_upload(ask.platform, ask.actor, app, receive, options))


@routes.on("POST", "/api/apps/<app>/actions/plan", needs="deploy", body=Nothing, answers=OperationDocument, status=202, on_locked=True)
def plan_deploy(ask: Ask, app: str, body: Nothing) -> Response:
    """plan a deploy"""
    return accepted(services.plan(ask.platform, ask.actor, app))


@routes.on("POST", "/api/apps/<app>/deploy-key", needs="deploy", body=Nothing, answers=DeployKeyDocument)
def ensure_deploy_key(ask: Ask, app: str, body: Nothing) -> Response:
    """use a deploy key"""
    public = services.deploy_key(ask.platform, ask.actor, app)
    return ok(DeployKeyDocument(app, public, {"app": f"/api/apps/{app}"}))


def _told(ask: Ask, app: str, body: NewSource) -> Operation:
    options = _options(body.force, body.no_cache)
    given = [name for name in ("image", "archive", "git", "rebuild") if getattr(body, name)]
    if len(given) != 1 or (body.ref and not body.git):
        raise InvalidInput("give exactly one of image, archive, git (with ref, if any) and rebuild", field="body")
    if body.image:
        return services.from_image(ask.platform, ask.actor, app, body.image, options)
    if body.archive:
        return services.from_url(ask.platform, ask.actor, app, body.archive, options)
    if body.git:
        return services.from_git(ask.platform, ask.actor, app, body.git, body.ref, options)
    return services.rebuild(ask.platform, ask.actor, app, options)


def _options(force: bool, no_cache: bool) -> tuple[str, ...]:
    return tuple(name for name, wished in (("force", force), ("nocache", no_cache)) if wished)
