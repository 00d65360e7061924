"""Domains, certificates and visitors through the API: documents, statuses, links, and that the page tells of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from certificate_support import Authority
from stored_platform import ADMIN, deployed, new_platform
from wherry.faces.api import certificates, domains, fronts
from wherry.faces.api.app import create_app
from wherry.services import tokens, users
from wherry.services.platform import Platform

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
SHOWN = (
    domains.DomainDocument, certificates.CertificateDocument, certificates.CertificateList, fronts.HttpsDocument, fronts.AllowDocument,
    fronts.LoginList, fronts.LoginDocument, fronts.MaintenanceDocument,
)  # fmt: skip


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    made = new_platform(tmp_path)
    users.add(made, ADMIN, "alice", "admin")
    deployed(made)
    return made


@pytest.fixture
def ask(platform: Platform) -> Any:
    client: FlaskClient = create_app(platform).test_client()
    secret = tokens.create(platform, ADMIN, "test")[1].reveal()

    def one(method: str, path: str, body: object = None) -> TestResponse:
        given = {} if body is None else {"json": body}
        return client.open(path, method=method, headers={"Authorization": f"Bearer {secret}"}, **given)

    return one


@pytest.mark.parametrize("shape", SHOWN, ids=lambda shape: shape.__name__)
def test_the_page_shows_every_field_of_a_document(shape: Any) -> None:
    assert [name for name in shape.__struct_fields__ if f'"{name}":' not in PAGE] == []


def test_a_domain_is_made_and_found_where_it_was_said_to_be(ask: Any) -> None:
    answer = ask("POST", "/api/apps/shop/domains", {"host": "*.Shop.example.org"})
    assert (answer.status_code, answer.headers["Location"]) == (201, "/api/apps/shop/domains/*.shop.example.org")
    assert ask("GET", answer.headers["Location"]).get_json() == answer.get_json()
    listed = ask("GET", "/api/apps/shop/domains").get_json()
    assert [(one["host"], one["default"]) for one in listed["domains"]] == [("*.shop.example.org", False), ("shop.localhost", True)]
    assert ask("GET", "/api/domains").get_json()["domains"] == listed["domains"]
    assert ask("DELETE", answer.headers["Location"]).status_code == 204
    assert ask("GET", answer.headers["Location"]).get_json()["code"] == "no_such_domain"


def test_the_address_of_an_app_is_its_first_own_domain(ask: Any) -> None:
    ask("PATCH", "/api/apps/shop/domains", {"add": ["*.a.org", "b.org", "a.org"]})
    assert ask("GET", "/api/apps/shop").get_json()["url"] == "http://b.org"
    assert ask("GET", "/api/apps/shop/instances").get_json()["url"] == "http://b.org"


def test_what_is_so_already_says_so(ask: Any) -> None:
    wishes = [
        ("PUT", "domains", {"hosts": ["shop.localhost"]}),
        ("PATCH", "https", {"redirect": "auto"}),
        ("PUT", "allow", {"addresses": []}),
        ("PUT", "maintenance", {"on": False}),
        ("PATCH", "certificates", {"auto": True}),
    ]
    for method, part, body in wishes:
        answer = ask(method, f"/api/apps/shop/{part}", body)
        assert (answer.status_code, answer.get_json()["changed"]) == (200, False), part


def test_every_part_is_changed_and_read_back(ask: Any) -> None:
    https = ask("PATCH", "/api/apps/shop/https", {"redirect": "on", "hsts": 600, "hsts_subdomains": True}).get_json()
    assert (https["redirect"], https["hsts"], https["hsts_subdomains"], https["live"]) == ("on", 600, True, False)
    assert ask("PUT", "/api/apps/shop/allow", {"addresses": ["192.0.2.1", "::/0"]}).get_json()["addresses"] == ["192.0.2.1/32", "::/0"]
    made = ask("POST", "/api/apps/shop/logins", {"user": "al.ice@example.org"})
    assert (made.status_code, len(made.get_json()["password"])) == (201, 20)
    assert "password" not in ask("POST", "/api/apps/shop/logins", {"user": "bob", "password": "long enough"}).get_json()
    assert ask("GET", "/api/apps/shop/logins").get_json()["logins"] == ["al.ice@example.org", "bob"]
    assert ask("DELETE", made.headers["Location"]).status_code == 204
    page = ask("PUT", "/api/apps/shop/maintenance", {"on": True, "page": "<p>later"}).get_json()
    assert (page["on"], page["page"]) == (True, "<p>later")
    for part in ("https", "allow", "logins", "maintenance", "certificates", "domains"):
        found = ask("GET", f"/api/apps/shop/{part}").get_json()
        assert found["links"]["self"] == f"/api/apps/shop/{part}"


def test_a_certificate_goes_in_and_its_key_never_comes_out(ask: Any) -> None:
    ask("POST", "/api/apps/shop/domains", {"host": "a.org"})
    signed = Authority().sign("a.org")
    answer = ask("POST", "/api/apps/shop/certificates", {"pem": signed.bundle})
    assert (answer.status_code, answer.headers["Location"]) == (201, "/api/apps/shop/certificates/a.org")
    for path in (answer.headers["Location"], "/api/apps/shop/certificates"):
        assert "PRIVATE" not in ask("GET", path).get_data(as_text=True)
    refused = ask("POST", "/api/apps/shop/certificates", {"pem": signed.certificate})
    assert (refused.status_code, refused.get_json()["code"], refused.get_json()["field"]) == (422, "bad_certificate", "pem")
    assert ask("POST", "/api/apps/shop/certificates/a.org/actions/renew").get_json()["code"] == "own_certificate"
    assert ask("DELETE", "/api/apps/shop/certificates/a.org").status_code == 204


@pytest.mark.parametrize(
    ("method", "part", "body", "field"),
    [
        ("POST", "domains", {"host": 1}, "host"),
        ("POST", "domains", {}, "body"),
        ("PATCH", "domains", {"add": "a.org"}, "add"),
        ("PATCH", "domains", {"plus": []}, "body"),
        ("PATCH", "https", {"hsts": -1}, "hsts"),
        ("PATCH", "https", {"hsts": 10**12}, "hsts"),
        ("PATCH", "https", {"hsts": "1"}, "hsts"),
        ("PATCH", "https", {"redirect": "yes"}, "redirect"),
        ("PUT", "allow", {"addresses": ["10.0.0.0/8", "x"]}, "addresses"),
        ("PUT", "allow", {"addresses": "10.0.0.0/8"}, "addresses"),
        ("POST", "logins", {"user": ""}, "user"),
        ("POST", "logins", {"user": "a\nb"}, "user"),
        ("POST", "logins", {"user": "alice", "password": "a\tb c d e f"}, "password"),
        ("PUT", "maintenance", {"page": "x"}, "body"),
        ("PUT", "maintenance", {"on": 1}, "on"),
        ("PUT", "maintenance", {"on": True, "page": " "}, "page"),
        ("POST", "certificates", {"pem": None}, "pem"),
    ],
)
def test_a_body_that_is_off_is_refused_by_the_name_of_its_field(ask: Any, method: str, part: str, body: object, field: str) -> None:
    answer = ask(method, f"/api/apps/shop/{part}", body)
    assert (answer.status_code, answer.get_json()["field"]) == (422, field)
