"""One order at a certificate authority (ACME, RFC 8555), and one question when to renew (ARI). Imported only by the child.

Proofs are not given here: `talk` asks the parent, which has the proxy and the DNS hook, and waits for its word.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Callable
from typing import Any
from urllib import parse

import requests
from acme import challenges, client, crypto_util, errors, messages
from cryptography import x509 as library
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from josepy.jwa import ES256
from josepy.jwk import JWKEC

from wherry.routing import x509
from wherry.version import VERSION

Talk = Callable[[dict[str, Any]], dict[str, Any]]
SYSTEM_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
PATIENCE = dt.timedelta(seconds=240)


class Failed(Exception):
    """Why there is no certificate; `kind` is ACME's word (`rateLimited`, `unauthorized`, …), `retry_after` in seconds or None."""

    def __init__(self, message: str, kind: str = "", retry_after: int | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after


class Authority:
    """One certificate authority, known by its directory's URL. `wished` holds `directory`, `ca` and `email`, `account`."""

    def __init__(self, wished: dict[str, Any]) -> None:
        self.wished = wished
        self.retry_after: int | None = None
        account = wished["account"]
        key = serialization.load_pem_private_key(account["key"].encode(), None) if account else ec.generate_private_key(ec.SECP256R1())
        self._key = JWKEC(key=key)
        self._key_text = x509.key_text(key)
        trust: Any = wished["ca"] or (SYSTEM_BUNDLE if os.path.exists(SYSTEM_BUNDLE) else True)  # noqa: PTH110 - a string for requests
        self._net = client.ClientNetwork(self._key, alg=ES256, verify_ssl=trust, user_agent=f"wherry/{VERSION}", timeout=30)
        self._net.session.hooks["response"].append(self._note)

    def order(self, talk: Talk) -> dict[str, Any]:
        """Orders a certificate for `wished["name"]`. Raises Failed."""
        try:
            return self._order(talk)
        except errors.ValidationError as error:
            raise Failed(_validation(error), "unauthorized", self.retry_after) from error
        except messages.Error as error:
            raise Failed(f"{error.detail or error.typ}"[:500], error.code or "", self.retry_after) from error
        except (errors.Error, requests.RequestException) as error:
            raise Failed(self._unreached(error), "", self.retry_after) from error

    def renewal(self, pem: str) -> dict[str, Any]:
        """When to renew, as the authority advises; `renew_at` is None when it does not say."""
        try:
            return self._advice(self._client(), pem)
        except (errors.Error, messages.Error, requests.RequestException) as error:
            raise Failed(self._unreached(error)) from error

    def _unreached(self, error: Exception) -> str:
        """In our words what keeps us from the authority; in the library's what we do not know."""
        name = parse.urlsplit(self.wished["directory"]).netloc
        if isinstance(error, requests.exceptions.SSLError):
            return f"the authority at {name} shows a certificate that is not trusted here (WHERRY_ACME_CA names the CA of a private one)"
        if isinstance(error, requests.Timeout):
            return f"the authority at {name} did not answer in time"
        if isinstance(error, requests.ConnectionError):
            reason = re.search(r"\[Errno -?\d+\] ([^)'\"]+)", str(error))
            return f"the authority at {name} can not be reached{': ' + reason[1] if reason else ''}"
        if status := getattr(next(iter(error.args), None), "status_code", 0):
            return f"the authority at {name} answered {status}"
        return f"the authority at {name} answered with what is not ACME ({type(error).__name__}: {error})"[:300]

    def _order(self, talk: Talk) -> dict[str, Any]:
        acme = self._client()
        self._join(acme, talk)
        key = ec.generate_private_key(ec.SECP256R1())
        request = crypto_util.make_csr(x509.key_text(key).encode(), [self.wished["name"]])
        order = acme.new_order(request)
        for authorization in order.authorizations:
            self._prove(acme, authorization, talk)
        done = acme.poll_and_finalize(order, dt.datetime.now() + PATIENCE)
        chain = str(done.fullchain_pem)
        leaf = library.load_pem_x509_certificate(chain.encode())
        pem = "\n".join(line for line in chain.splitlines() if line) + "\n" + x509.key_text(key)
        return {"pem": pem, "facts": x509.facts(leaf), **self._advice(acme, chain)}

    def _client(self) -> client.ClientV2:
        directory = client.ClientV2.get_directory(self.wished["directory"], self._net)
        return client.ClientV2(directory, self._net)

    def _join(self, acme: client.ClientV2, talk: Talk) -> None:
        """Uses the account, or opens one: the terms were accepted by whoever gave the address."""
        account = self.wished["account"]
        if account:
            self._net.account = messages.RegistrationResource(uri=account["uri"], body=messages.Registration())
            return
        wish = messages.NewRegistration.from_data(email=self.wished["email"], terms_of_service_agreed=True)
        opened = acme.new_account(wish)
        talk({"account": {"key": self._key_text, "uri": opened.uri}})

    def _prove(self, acme: client.ClientV2, authorization: messages.AuthorizationResource, talk: Talk) -> None:
        if authorization.body.status == messages.STATUS_VALID:
            return
        wanted = challenges.DNS01 if self.wished["challenge"] == "dns" else challenges.HTTP01
        found = next((one for one in authorization.body.challenges if isinstance(one.chall, wanted)), None)
        if found is None:
            raise Failed(f"the authority offers no {wanted.typ} challenge for {self.wished['name']}")
        response, proof = found.chall.response_and_validation(self._key)
        if isinstance(found.chall, challenges.DNS01):
            told = talk({"dns": found.chall.validation_domain_name(authorization.body.identifier.value), "proof": proof})
        else:
            told = talk({"token": found.chall.encode("token"), "proof": proof})
        if "failed" in told:
            raise Failed(told["failed"])
        acme.answer_challenge(found, response)

    def _advice(self, acme: client.ClientV2, pem: str) -> dict[str, Any]:
        try:
            renew_at, ask_again = acme.renewal_time(pem.encode())
        except errors.ARIError as error:
            renew_at, ask_again = None, error.retry_after
        return {"renew_at": x509.text(renew_at) if renew_at else None, "ask_again": x509.text(ask_again)}

    def _note(self, response: requests.Response, *_: object, **__: object) -> None:
        told = response.headers.get("Retry-After", "")
        self.retry_after = int(told) if response.status_code in (429, 503) and told.isdecimal() else self.retry_after


def _validation(error: errors.ValidationError) -> str:
    """What the authority saw when it looked, e.g. `shop.example.org: DNS problem: NXDOMAIN …`; equal for equal reasons."""
    told = []
    for authorization in error.failed_authzrs:
        reasons = [one.error.detail or one.error.typ for one in authorization.body.challenges if one.error]
        told.append(f"{authorization.body.identifier.value}: {'; '.join(map(str, reasons))}")
    return re.sub(r"(acme-challenge/)[0-9A-Za-z_-]+", r"\1TOKEN", "; ".join(told))[:500]
