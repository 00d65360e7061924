"""The control API as a Flask application: the nouns, the guard before them, one form for all that goes wrong."""

from __future__ import annotations

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from wherry.errors import WherryError
from wherry.faces.api import (
    apps,
    builds,
    certificates,
    checks,
    config_vars,
    disk,
    doctor,
    domains,
    drains,
    events,
    formation,
    fronts,
    global_config,
    guard,
    index,
    instances,
    keys,
    limits,
    logs,
    openapi,
    operations,
    problems,
    registries,
    releases,
    reports,
    runs,
    sources,
    storage,
    tokens,
    users,
)
from wherry.faces.api.bodies import BODY_SECONDS
from wherry.faces.api.followers import Followers
from wherry.faces.api.matched import MatchingFlask
from wherry.faces.api.routes import Routes
from wherry.services.platform import Platform


def nouns() -> list[Routes]:
    """Every route of the API."""
    described = [
        module.routes
        for module in (
            index,
            apps,
            formation,
            instances,
            checks,
            logs,
            releases,
            config_vars,
            global_config,
            builds,
            disk,
            operations,
            runs,
            keys,
            tokens,
            users,
        )
    ]
    described += [events.routes, domains.routes, certificates.routes, fronts.routes]
    described += [drains.routes, sources.routes, registries.routes, limits.routes, doctor.routes, storage.routes]
    described += [reports.routes]
    return [*described, openapi.routes_for(described)]


def create_app(platform: Platform, followers: Followers | None = None, body_seconds: float = BODY_SECONDS) -> Flask:
    """Stateless but for the places of followers: all it knows is in the platform's database and log files."""
    app = MatchingFlask("wherry", static_folder=None, template_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.config["BODY_SECONDS"] = body_seconds
    app.url_map.merge_slashes = False
    app.extensions["wherry"] = (platform, followers or Followers())
    found, name = nouns(), platform.settings.name
    for noun in found:
        app.register_blueprint(noun.blueprint())
    guard.install(app, platform, found)
    app.register_error_handler(WherryError, lambda error: problems.of_error(error, name))
    app.register_error_handler(HTTPException, problems.of_http)
    app.register_error_handler(Exception, lambda error: problems.of_unexpected(error, name))
    app.after_request(_private)
    return app


def _private(answer: Response) -> Response:
    """Answers are for one person now: not for a cache, and never to be taken for a page."""
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
