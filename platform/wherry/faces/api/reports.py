"""All about an app's processes in one document, `/api/apps/<app>/report`; and the restart policy."""

from __future__ import annotations

from flask import Response
from msgspec import Struct

from wherry.faces.api.answers import ok
from wherry.faces.api.documents import Links
from wherry.faces.api.routes import Ask, Routes
from wherry.model.limits import limits_of
from wherry.services import reports as services
from wherry.services.reports import Report

routes = Routes("reports")
MEGABYTE = 1024 * 1024


class ProcessReport(Struct):
    """`memory` is bytes; `restarts` counts the crashes in a row of all its instances."""

    quantity: int
    running: int
    restarts: int
    command: str
    size: str | None
    memory: int
    cpu: float | None
    pids: int
    set: bool


class ReportDocument(Struct):
    """`state` is `running`, `partly`, `down`, `stopped` or `not deployed`."""

    app: str
    release: str | None
    released_at: str | None
    released_by: str | None
    state: str
    running: int
    wished: int
    restart_policy: str
    locked_by: str | None
    processes: dict[str, ProcessReport]
    links: Links


class NewPolicy(Struct, forbid_unknown_fields=True):
    policy: str


class PolicyDocument(Struct):
    app: str
    restart_policy: str
    links: Links


@routes.on("GET", "/api/apps/<app>/report", needs="read", answers=ReportDocument)
def show_report(ask: Ask, app: str) -> Response:
    """look at the report"""
    return ok(_document(services.of_app(ask.platform, ask.actor, app), ask.platform.settings.instance_memory))


@routes.on("PUT", "/api/apps/<app>/restart-policy", needs="deploy", body=NewPolicy, answers=PolicyDocument)
def set_restart_policy(ask: Ask, app: str, body: NewPolicy) -> Response:
    """set the restart policy"""
    after = services.set_restart_policy(ask.platform, ask.actor, app, body.policy)
    return ok(PolicyDocument(app, after.restart_policy, {"self": f"/api/apps/{app}/restart-policy", "app": f"/api/apps/{app}"}))


def _document(report: Report, default_memory: int) -> ReportDocument:
    app, current = report.app, report.current
    at = f"/api/apps/{app.name}"
    return ReportDocument(
        app=app.name,
        release=f"v{app.release}" if app.release else None,
        released_at=current.created_at if current else None,
        released_by=current.actor if current else None,
        state=report.state,
        running=sum(one.state == "running" for one in report.seen),
        wished=sum(report.quantities.values()),
        restart_policy=app.restart_policy,
        locked_by=app.lock.by if app.lock else None,
        processes={name: _process(report, name, default_memory) for name in report.quantities},
        links={"self": f"{at}/report", "app": at, "instances": f"{at}/instances", "limits": f"{at}/limits"},
    )


def _process(report: Report, name: str, default_memory: int) -> ProcessReport:
    mine = [one for one in report.seen if one.type == name]
    wish = report.wishes.get(name, {})
    found = limits_of(wish, default_memory)
    size = wish.get("size")
    return ProcessReport(
        quantity=report.quantities[name],
        running=sum(one.state == "running" for one in mine),
        restarts=sum(one.restarts for one in mine),
        command=report.release.build.processes.get(name, "") if report.release else "",
        size=str(size) if size else None,
        memory=found.memory * MEGABYTE,
        cpu=found.cpu,
        pids=found.pids,
        set=bool(wish),
    )
