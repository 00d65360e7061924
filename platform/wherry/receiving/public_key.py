"""Reads one OpenSSH public key as people paste it, and says in plain words what is wrong with the rest."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass

from wherry.errors import InvalidInput

EXAMPLE = "e.g. ssh-ed25519 AAAAC3Nz… ada@laptop"
CURVES = {"nistp256": 65, "nistp384": 97, "nistp521": 133}
LEAST_RSA_BITS = 2048
MOST_RSA_BITS = 16384
LONGEST = 16_000


@dataclass(frozen=True)
class PublicKey:
    """`type` as in authorized_keys, `blob` its base64 in the one spelling that is stored and compared, `comment` the
    words after it (may be empty), `fingerprint` OpenSSH's `SHA256:…`."""

    type: str
    blob: str
    comment: str
    fingerprint: str


def parse(text: str) -> PublicKey:
    """Reads the line of an `id_….pub` file. Raises InvalidInput for anything else, a private key before all."""
    if "PRIVATE KEY" in text:
        raise _refused("this is a private key: keep it, and give the file that ends in .pub")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if len(lines) != 1 or len(lines[0]) > LONGEST:
        raise _refused(f"{len(lines)} lines: give one public key, {EXAMPLE}" if lines else f"no key given: {EXAMPLE}")
    words = lines[0].split(None, 2)
    if len(words) < 2 or words[0] not in READERS:
        raise _refused(_unknown_type(words[0]))
    raw = _decoded(words[1])
    _check(words[0], raw)
    comment = words[2] if len(words) == 3 else ""
    return PublicKey(words[0], base64.b64encode(raw).decode(), ascii(comment)[1:-1][:100], fingerprint(raw))


def fingerprint(raw: bytes) -> str:
    """OpenSSH's `SHA256:…` of a key's raw bytes."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")


def _check(key_type: str, raw: bytes) -> None:
    """Raises InvalidInput unless `raw` is a whole key of that type, with no byte too many: one key, one spelling."""
    fields = _fields(raw)
    if not fields or fields[0] != key_type.encode():
        raise _refused(f"the key does not say {key_type} inside; was it cut when it was copied?")
    if not READERS[key_type](fields[1:]):
        raise _refused(f"the key is not a whole {key_type} key; was it cut when it was copied?")


def _fields(raw: bytes) -> list[bytes]:
    """The length-prefixed strings of an SSH key (RFC 4253, section 6.6); empty when they do not add up."""
    fields, at = [], 0
    while at + 4 <= len(raw):
        (length,) = struct.unpack_from(">I", raw, at)
        fields.append(raw[at + 4 : at + 4 + length])
        at += 4 + length
    return fields if at == len(raw) else []


def _is_ed25519(fields: list[bytes]) -> bool:
    return len(fields) == 1 and len(fields[0]) == 32


def _is_ecdsa(fields: list[bytes]) -> bool:
    if len(fields) != 2:
        return False
    return fields[1][:1] == b"\x04" and len(fields[1]) == CURVES.get(fields[0].decode("ascii", "replace"))


def _is_rsa(fields: list[bytes]) -> bool:
    if len(fields) != 2 or not all(_is_plain_number(field) for field in fields):
        return False
    bits = int.from_bytes(fields[1], "big").bit_length()
    if not LEAST_RSA_BITS <= bits <= MOST_RSA_BITS:
        raise _refused(f"an RSA key of {bits} bits: {LEAST_RSA_BITS} to {MOST_RSA_BITS} are accepted; better: ssh-keygen -t ed25519")
    return True


def _is_plain_number(field: bytes) -> bool:
    """Positive and without needless zeros, so that equal keys are equal bytes."""
    return bool(field) and field[0] < 128 and (field[0] != 0 or (len(field) > 1 and field[1] >= 128))


def _is_security_ed25519(fields: list[bytes]) -> bool:
    return len(fields) == 2 and _is_ed25519(fields[:1]) and bool(fields[1])


def _is_security_ecdsa(fields: list[bytes]) -> bool:
    return len(fields) == 3 and _is_ecdsa(fields[:2]) and fields[0] == b"nistp256" and bool(fields[2])


READERS = {
    "ssh-ed25519": _is_ed25519,
    "ecdsa-sha2-nistp256": lambda fields: _is_ecdsa(fields) and fields[0] == b"nistp256",
    "ecdsa-sha2-nistp384": lambda fields: _is_ecdsa(fields) and fields[0] == b"nistp384",
    "ecdsa-sha2-nistp521": lambda fields: _is_ecdsa(fields) and fields[0] == b"nistp521",
    "ssh-rsa": _is_rsa,
    "sk-ssh-ed25519@openssh.com": _is_security_ed25519,
    "sk-ecdsa-sha2-nistp256@openssh.com": _is_security_ecdsa,
}


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise _refused(f"the part after the type is not base64: {EXAMPLE}") from None


def _unknown_type(word: str) -> str:
    shown = ascii(word[:40])[1:-1]
    if word == "ssh-dss":
        return "DSA keys are too weak: make another with ssh-keygen -t ed25519"
    if "-cert-" in word:
        return f'"{shown}" is a certificate: give the plain public key, {EXAMPLE}'
    return f'"{shown}" is no key type (options before the key are not accepted): {EXAMPLE}'


def _refused(why: str) -> InvalidInput:
    return InvalidInput(f"not a public key: {why}", field="key", code="invalid_key")
