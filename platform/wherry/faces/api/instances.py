"""What runs, as it was last seen: `/api/apps/<app>/instances`, and of all apps `/api/instances`."""

from __future__ import annotations

from flask import Response
from msgspec import Struct

from wherry.errors import NotFound
from wherry.faces.api.answers import Nothing, accepted, ok
from wherry.faces.api.documents import InstanceDocument, Links, OperationDocument, instance_document
from wherry.faces.api.routes import Ask, Routes
from wherry.model.limits import limits_of
from wherry.routing.front import url_of
from wherry.services import apps, limits
from wherry.services import formation as services

routes = Routes("instances")
MEGABYTE = 1024 * 1024


class InstanceView(Struct):
    """All that `ps` shows. `memory_limit` is what one instance gets by default, `limits` what one of each
    process type gets, in bytes."""

    app: str
    release: str | None
    url: str
    stopped: bool
    maintenance: bool
    formation: dict[str, int]
    memory_limit: int
    limits: dict[str, int]
    instances: list[InstanceDocument]
    links: Links


class InstanceList(Struct):
    instances: list[InstanceDocument]
    links: Links


@routes.on("GET", "/api/instances", needs="read", answers=InstanceList)
def list_all_instances(ask: Ask) -> Response:
    """look at instances"""
    found = [seen for app in apps.every(ask.platform, ask.actor) for seen in services.seen(ask.platform, ask.actor, app.name)]
    return ok(InstanceList([instance_document(seen) for seen in found], {"self": "/api/instances"}))


@routes.on("GET", "/api/apps/<app>/instances", needs="read", answers=InstanceView)
def list_instances(ask: Ask, app: str) -> Response:
    """look at instances"""
    found = apps.get(ask.platform, ask.actor, app)
    settings = ask.platform.settings
    wishes = limits.of_app(ask.platform, ask.actor, app)
    view = InstanceView(
        app=app,
        release=f"v{found.release}" if found.release else None,
        url=url_of(found, settings),
        stopped=found.stopped,
        maintenance=found.front.maintenance,
        formation=services.of_app(ask.platform, ask.actor, app),
        memory_limit=settings.instance_memory * MEGABYTE,
        limits={process: limits_of(wish, settings.instance_memory).memory * MEGABYTE for process, wish in wishes.items()},
        instances=[instance_document(seen) for seen in services.seen(ask.platform, ask.actor, app)],
        links={"self": f"/api/apps/{app}/instances", "app": f"/api/apps/{app}"},
    )
    return ok(view)


@routes.on("GET", "/api/apps/<app>/instances/<instance>", needs="read", answers=InstanceDocument)
def show_instance(ask: Ask, app: str, instance: str) -> Response:
    """look at an instance"""
    for seen in services.seen(ask.platform, ask.actor, app):
        if seen.name == instance:
            return ok(instance_document(seen))
    raise NotFound(f"{app} has no instance {instance[:40]!a}", code="no_such_instance", hint=f"See them with: wherry ps {app}")


@routes.on(
    "POST", "/api/apps/<app>/instances/<instance>/actions/restart", needs="deploy", body=Nothing, answers=OperationDocument, status=202
)
def restart_instance(ask: Ask, app: str, instance: str, body: Nothing) -> Response:
    """restart an instance"""
    return accepted(services.restart(ask.platform, ask.actor, app, instance))


@routes.on("POST", "/api/apps/<app>/instances/<instance>/actions/stop", needs="deploy", body=Nothing, answers=OperationDocument, status=202)
def stop_instance(ask: Ask, app: str, instance: str, body: Nothing) -> Response:
    """stop an instance"""
    return accepted(services.stop(ask.platform, ask.actor, app, instance))


@routes.on(
    "POST", "/api/apps/<app>/instances/<instance>/actions/start", needs="deploy", body=Nothing, answers=OperationDocument, status=202
)
def start_instance(ask: Ask, app: str, instance: str, body: Nothing) -> Response:
    """start an instance"""
    return accepted(services.start(ask.platform, ask.actor, app, instance))
