"""Reads certificates and keys. Imported only by the certificate child: the library costs more memory than a process may idle with."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

MAX_BUNDLE = 15_000
"""Bytes: HAProxy takes a certificate at run time up to the size of its buffer, 16 KB."""
PEM = serialization.Encoding.PEM


class Refused(ValueError):
    """What is wrong with a bundle, for people; `hint` is the way out."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def inspect(bundle: str, now: dt.datetime) -> dict[str, Any]:
    """Checks certificate, chain and key, in any order. Returns the `facts` and `pem`, written anew: the certificate, the
    certificates that lead from it upwards, the key. Raises Refused."""
    key = _key(bundle)
    found = [_certificate(block) for kind, block in _blocks(bundle) if kind.endswith("CERTIFICATE")]
    if not found:
        raise Refused("no certificate in it", "Give the file that begins with -----BEGIN CERTIFICATE-----, with its chain.")
    leaf = _leaf(found, key)
    _check_dates(leaf, now)
    if not names_of(leaf):
        raise Refused("the certificate names no host", "It needs its names as subjectAltName; a CN alone is not read by browsers.")
    pem = "".join(one.public_bytes(PEM).decode() for one in _chain(leaf, found)) + key_text(key)
    if len(pem) > MAX_BUNDLE:
        raise Refused(f"certificate, chain and key have {len(pem)} bytes: up to {MAX_BUNDLE} are taken", "Leave the root out of the chain.")
    return {"facts": facts(leaf), "pem": pem}


def facts(leaf: x509.Certificate) -> dict[str, Any]:
    """What the certificate says of itself, as `model.certificate.Facts` has it."""
    return {
        "names": names_of(leaf),
        "issuer": _issuer(leaf),
        "serial": f"{leaf.serial_number:x}",
        "fingerprint": leaf.fingerprint(hashes.SHA1()).hex().upper(),
        "not_before": text(leaf.not_valid_before_utc),
        "not_after": text(leaf.not_valid_after_utc),
    }


def names_of(leaf: x509.Certificate) -> list[str]:
    """The DNS names, lower case, in their order."""
    try:
        alternative = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in alternative.get_values_for_type(x509.DNSName)]


def text(moment: dt.datetime) -> str:
    """As `clock.text` writes it."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def key_text(key: Any) -> str:
    written = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return str(written.decode())


def _blocks(bundle: str) -> list[tuple[str, str]]:
    """The kind and the whole of each PEM block. Cut at the beginnings: a search for the end of each would take for ever when
    a million begin and none ends."""
    found = []
    for piece in bundle.split("-----BEGIN ")[1:]:
        kind, _, rest = piece.partition("-----")
        body, end, _ = rest.partition(f"-----END {kind}-----")
        if end and re.fullmatch(r"[A-Z0-9 ]{1,40}", kind):
            found.append((kind, f"-----BEGIN {kind}-----{body}{end}"))
    return found


def _key(bundle: str) -> Any:
    keys = [(kind, block) for kind, block in _blocks(bundle) if kind.endswith("PRIVATE KEY")]
    if len(keys) != 1:
        what = "no private key in it" if not keys else f"{len(keys)} private keys in it"
        raise Refused(what, "Give one key in PEM, the file that begins with -----BEGIN PRIVATE KEY-----, together with its certificate.")
    if "ENCRYPTED" in keys[0][1]:
        raise Refused("the private key has a passphrase", "Take it off first: openssl pkey -in key.pem -out plain.pem")
    try:
        key = serialization.load_pem_private_key(keys[0][1].encode(), None)
    except Exception as error:
        raise Refused("the private key can not be read", "Check it: openssl pkey -in key.pem -noout") from error
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)) or (isinstance(key, rsa.RSAPrivateKey) and key.key_size < 2048):
        raise Refused("the private key is of a kind that browsers refuse", "Take an EC key (P-256, P-384) or RSA of at least 2048 bits.")
    return key


def _certificate(block: str) -> x509.Certificate:
    """The library reads a part only when it is asked for; all that we shall ask for is read here."""
    try:
        found = x509.load_pem_x509_certificate(block.replace("TRUSTED CERTIFICATE", "CERTIFICATE").encode())
        found.subject, found.issuer, found.not_valid_before_utc, found.not_valid_after_utc, names_of(found)
        return found
    except Exception as error:
        raise Refused("a certificate in it can not be read", "Check it: openssl x509 -in cert.pem -noout -text") from error


def _leaf(found: list[x509.Certificate], key: Any) -> x509.Certificate:
    wanted = _public(key)
    for certificate in found:
        # One of a kind that the library does not know is not ours: we read its key.
        with suppress(UnsupportedAlgorithm, ValueError):
            if _public(certificate) == wanted:
                return certificate
    raise Refused("the private key does not belong to the certificate", "Take the key that the certificate was ordered with.")


def _public(holder: Any) -> bytes:
    key = holder.public_key()
    return bytes(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


def _chain(leaf: x509.Certificate, found: list[x509.Certificate]) -> list[x509.Certificate]:
    """From the leaf upwards as far as it goes; what does not belong to it is left out, and so is the root."""
    chain = [leaf]
    while True:
        last = chain[-1]
        above = next((one for one in found if one.subject == last.issuer and one not in chain and one.subject != one.issuer), None)
        if above is None:
            return chain
        chain.append(above)


def _check_dates(leaf: x509.Certificate, now: dt.datetime) -> None:
    if leaf.not_valid_after_utc <= now:
        raise Refused(f"the certificate expired on {leaf.not_valid_after_utc:%Y-%m-%d}", "Order a new one.")
    if leaf.not_valid_before_utc > now:
        raise Refused(
            f"the certificate is valid from {leaf.not_valid_before_utc:%Y-%m-%d} on", "Add it then, or check this machine's clock."
        )


def _issuer(leaf: x509.Certificate) -> str:
    """Who signed it, in a few words: the organisation and the name."""
    parts = [leaf.issuer.get_attributes_for_oid(oid) for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)]
    words = [str(part[0].value) for part in parts if part]
    return "".join(character for character in " ".join(words)[:100] if character.isprintable()) or "unknown"
