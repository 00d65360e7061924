"""The documents that the API answers: each lists its fields, so nothing else of a row can leave."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from msgspec import Struct

from wherry.model.app import App
from wherry.model.instance import Instance
from wherry.model.operation import Operation
from wherry.model.run import Run
from wherry.model.user import Key, Token, User
from wherry.routing.front import url_of
from wherry.secret import Secret
from wherry.settings import Settings

Links = dict[str, str]


class LockDocument(Struct):
    by: str
    at: str
    why: str


class AppDocument(Struct):
    name: str
    url: str
    git_url: str
    release: str | None
    stopped: bool
    maintenance: bool
    formation: dict[str, int]
    created_at: str
    created_by: str
    labels: dict[str, str]
    lock: LockDocument | None
    links: Links


class InstanceDocument(Struct):
    app: str
    name: str
    type: str
    index: int
    release: str
    state: str
    since: str
    memory: int | None
    memory_limit: int | None
    cpu: float | None
    restarts: int
    detail: str
    next_try: str | None
    links: Links


class OperationDocument(Struct):
    id: int
    app: str
    kind: str
    actor: str
    state: str
    request: dict[str, Any]
    result: dict[str, Any]
    error: dict[str, Any] | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    links: Links


class RunDocument(Struct, omit_defaults=True):
    """`ticket` is what lets the client of an attached run in, in the answer that made it and never again."""

    app: str
    name: str
    release: str
    command: list[str]
    attached: bool
    terminal: bool
    instance: str | None
    memory: int | None
    time_limit: int | None
    state: str
    actor: str
    exit_code: int | None
    reason: str
    stopped_by: str
    created_at: str
    started_at: str | None
    finished_at: str | None
    links: Links
    ticket: str = ""


class KeyDocument(Struct):
    name: str
    user: str
    type: str
    fingerprint: str
    created_at: str
    links: Links


class TokenDocument(Struct, omit_defaults=True):
    """`token` is the secret, in the answer that made it and never again."""

    name: str
    user: str
    role: str
    prefix: str
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    links: Links
    token: str = ""


class UserDocument(Struct):
    name: str
    role: str
    local_uid: int | None
    created_at: str
    links: Links


def app_document(settings: Settings, app: App, formation: dict[str, int]) -> AppDocument:
    at = f"/api/apps/{app.name}"
    names = {
        "formation": "formation",
        "instances": "instances",
        "logs": "logs",
        "releases": "releases",
        "runs": "runs",
        "config_vars": "config-vars",
        **{name: name for name in ("labels", "limits", "checks", "domains", "certificates", "https", "allow", "logins", "maintenance")},
    }
    links = {"self": at, **{key: f"{at}/{name}" for key, name in names.items()}, "operations": f"/api/operations?app={app.name}"}
    links |= {action: f"{at}/actions/{action}" for action in ("restart", "stop", "start")}
    release = f"v{app.release}" if app.release else None
    lock = LockDocument(app.lock.by, app.lock.at, app.lock.why) if app.lock else None
    made = (app.created_at, app.created_by)
    where, state = (url_of(app, settings), settings.git_url_of(app.name)), (app.stopped, app.front.maintenance)
    return AppDocument(app.name, *where, release, *state, formation, *made, app.labels, lock, links)


def instance_document(seen: Instance) -> InstanceDocument:
    app = f"/api/apps/{seen.app}"
    at = f"{app}/instances/{seen.name}"
    links = {"self": at, "app": app, "restart": f"{at}/actions/restart", "logs": f"{app}/logs?process={seen.name}"}
    return InstanceDocument(
        seen.app,
        seen.name,
        seen.type,
        seen.index,
        f"v{seen.release}",
        seen.state,
        seen.since,
        seen.memory,
        seen.memory_limit,
        seen.cpu,
        seen.restarts,
        seen.detail,
        seen.next_try or None,
        links,
    )


def operation_document(operation: Operation) -> OperationDocument:
    at = f"/api/operations/{operation.id}"
    app = {"app": f"/api/apps/{operation.app}"} if operation.app else {}
    links = {"self": at, "log": f"{at}/log", **app, "cancel": f"{at}/actions/cancel"}
    told = ("code", "message", "hint", "source", "evidence")
    return OperationDocument(
        operation.id,
        operation.app,
        operation.kind,
        operation.actor,
        operation.state,
        _request(operation),
        operation.result,
        {key: operation.error[key] for key in told if key in operation.error} if operation.error else None,
        operation.created_at,
        operation.started_at,
        operation.finished_at,
        links,
    )


def run_document(run: Run, ticket: Secret | None = None) -> RunDocument:
    app = f"/api/apps/{run.app}"
    at = f"{app}/runs/{run.name}"
    links = {
        "self": at,
        "app": app,
        "stop": f"{at}/actions/stop",
        "attach": f"{at}/actions/attach",
        "logs": f"{app}/logs?process={run.name}",
    }
    return RunDocument(
        run.app,
        run.name,
        f"v{run.release}",
        list(run.command),
        run.attached,
        run.screen is not None,
        run.instance or None,
        run.memory * 2**20 or None,
        run.time_limit,
        run.state,
        run.actor,
        run.exit_code,
        run.reason,
        run.stopped_by,
        run.created_at,
        run.started_at,
        run.finished_at,
        links,
        ticket.reveal() if ticket else "",
    )


def _request(operation: Operation) -> dict[str, Any]:
    """What may be shown of a wish: of config vars the names, never the values."""
    payload = operation.payload
    shown: dict[str, Any] = {
        name: payload[name]
        for name in ("formation", "limits", "clone_of", "scope", "commit", "origin", "server", "user", "set", "types", "into", "instance")
        if name in payload
    }
    if "changes" in payload:
        shown["keys"] = sorted(payload["changes"])
    if "to" in payload:
        shown["to"] = payload["to"] if operation.kind == "rename" else f"v{payload['to']}"
    return shown


def key_document(key: Key) -> KeyDocument:
    return KeyDocument(key.name, key.user, key.type, key.fingerprint, key.created_at, {"self": f"/api/keys/{quote(key.name, safe='@:+')}"})


def token_document(token: Token, secret: str = "") -> TokenDocument:
    links = {"self": f"/api/tokens/{token.prefix}"}
    return TokenDocument(
        token.name, token.user, token.role, token.prefix, token.created_at, token.expires_at, token.last_used_at, links, secret
    )


def user_document(user: User) -> UserDocument:
    return UserDocument(user.name, user.role, user.local_uid, user.created_at, {"self": f"/api/users/{user.name}"})
