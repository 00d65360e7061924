"""The doctor: `/api/doctor`. For admins: what it tells is about the whole machine."""

from __future__ import annotations

from flask import Response
from msgspec import Struct

from wherry.faces.api.answers import accepted
from wherry.faces.api.documents import OperationDocument
from wherry.faces.api.operations import number_of
from wherry.faces.api.routes import Ask, Routes
from wherry.services import doctor as services

routes = Routes("doctor")


class NewExamination(Struct, forbid_unknown_fields=True):
    bundle: bool = False


@routes.on("POST", "/api/doctor", needs="admin", body=NewExamination, answers=OperationDocument, status=202)
def examine(ask: Ask, body: NewExamination) -> Response:
    """ask the doctor"""
    return accepted(services.examine(ask.platform, ask.actor, body.bundle))


@routes.on("GET", "/api/doctor/<number>/bundle", needs="admin")
def get_bundle(ask: Ask, number: str) -> Response:
    """get the doctor's bundle"""
    return Response(services.bundle(ask.platform, ask.actor, number_of(number)), mimetype="application/gzip")
