"""Certificates for tests: an authority of our own, and what it signs; with any names, dates and keys."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PEM, NO_PASSPHRASE = serialization.Encoding.PEM, serialization.NoEncryption()
NOW = dt.datetime.now(dt.UTC)
Key = ec.EllipticCurvePrivateKey
MAY_SIGN = x509.KeyUsage(False, False, False, False, False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False)
"""Python 3.13 verifies strictly: it wants this of an authority, and key identifiers everywhere."""


def pem_of(key: Key, passphrase: bytes = b"") -> str:
    kind = serialization.PrivateFormat.PKCS8
    hidden = serialization.BestAvailableEncryption(passphrase) if passphrase else NO_PASSPHRASE
    return key.private_bytes(PEM, kind, hidden).decode()


@dataclass(frozen=True)
class Signed:
    """A certificate with its key, both PEM; `chain` is the certificate of who signed it."""

    certificate: str
    key: str
    chain: str

    @property
    def bundle(self) -> str:
        return self.certificate + self.chain + self.key


class Authority:
    """Signs what it is asked to."""

    def __init__(self, name: str = "Test Authority") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._builder(self.name, self.key, -1, 3650).add_extension(x509.BasicConstraints(True, None), True)
        made = made.add_extension(MAY_SIGN, True).add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False)
        self.certificate = made.sign(self.key, hashes.SHA256()).public_bytes(PEM).decode()

    def sign(self, *names: str, start: float = -1, days: float = 90, key: Key | None = None) -> Signed:
        """For these DNS names, valid from `start` days from now until `days` from now."""
        own = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        built = self._builder(subject, own, start, days)
        built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
        built = built.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False)
        return Signed(built.sign(self.key, hashes.SHA256()).public_bytes(PEM).decode(), pem_of(own), self.certificate)

    def _builder(self, subject: x509.Name, key: Key, start: float, days: float) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
        times = made.not_valid_before(NOW + dt.timedelta(days=start)).not_valid_after(NOW + dt.timedelta(days=days))
        return times.serial_number(x509.random_serial_number())


def served_certificate(port: int, host: str) -> str:
    """The PEM of the certificate that a visitor of `host` is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), 5) as plain, context.wrap_socket(plain, server_hostname=host) as secure:
        return ssl.DER_cert_to_PEM_cert(secure.getpeercert(binary_form=True) or b"")


def names_in(pem: str) -> list[str]:
    found = x509.load_pem_x509_certificate(pem.encode()).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return found.value.get_values_for_type(x509.DNSName)
