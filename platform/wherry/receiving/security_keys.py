"""Checks the signatures of hardware tokens (`sk-…` keys), which paramiko does not know.

Source of the formats: OpenSSH's PROTOCOL.u2f. The token signs a hash of the application name, its flags, its counter
and a hash of what ssh wants signed; we ask that the flag "a person touched it" is set, as sshd does.
"""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from wherry.receiving.ssh_library import paramiko

PRESENT = 0x01


class SecurityKey:
    """The part that both kinds share. Has what paramiko's AuthHandler asks of a key."""

    name = ""

    def __init__(self, message: paramiko.Message) -> None:
        self._raw: bytes = message.asbytes()
        if message.get_text() != self.name:
            raise ValueError(f"not a {self.name} key")
        self._read(message)
        self._application = message.get_binary()

    def get_name(self) -> str:
        return self.name

    def asbytes(self) -> bytes:
        return self._raw

    def verify_ssh_sig(self, data: bytes, signature: paramiko.Message) -> bool:
        """True when a person touched the token that holds this key to sign `data`."""
        if signature.get_text() != self.name:
            return False
        raw, flags, counter = signature.get_binary(), signature.get_byte(), signature.get_bytes(4)
        if len(flags) != 1 or not flags[0] & PRESENT:
            return False
        try:
            self._verify(raw, hashlib.sha256(self._application).digest() + flags + counter + hashlib.sha256(data).digest())
        except (InvalidSignature, ValueError):
            return False
        return True

    def _read(self, message: paramiko.Message) -> None:
        raise NotImplementedError

    def _verify(self, raw: bytes, signed: bytes) -> None:
        raise NotImplementedError


class SecurityEd25519(SecurityKey):
    name = "sk-ssh-ed25519@openssh.com"

    def _read(self, message: paramiko.Message) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(message.get_binary())

    def _verify(self, raw: bytes, signed: bytes) -> None:
        self._key.verify(raw, signed)


class SecurityEcdsa(SecurityKey):
    name = "sk-ecdsa-sha2-nistp256@openssh.com"

    def _read(self, message: paramiko.Message) -> None:
        if message.get_text() != "nistp256":
            raise ValueError("not on nistp256")
        self._key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), message.get_binary())

    def _verify(self, raw: bytes, signed: bytes) -> None:
        numbers = paramiko.Message(raw)
        r, s = numbers.get_mpint(), numbers.get_mpint()
        self._key.verify(encode_dss_signature(r, s), signed, ECDSA(SHA256()))


KINDS: dict[str, Any] = {kind.name: kind for kind in (SecurityEd25519, SecurityEcdsa)}
