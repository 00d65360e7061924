"""AES-256-GCM by OpenSSL's libcrypto, which Python has loaded anyway for its hashes: no second library in memory.

Source: EVP_EncryptInit(3), section "GCM and OCB modes"; NIST SP 800-38D for the lengths.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from typing import Any

from wherry.errors import Unavailable

KEY, NONCE, TAG = 32, 12, 16
"""Lengths in bytes."""
SET_TAG, GET_TAG = 0x11, 0x10
"""EVP_CTRL_AEAD_SET_TAG and EVP_CTRL_AEAD_GET_TAG of openssl/evp.h."""


class Broken(Exception):
    """What is to be opened was not sealed with this key, or was changed since."""


def seal(key: bytes, text: bytes, proven: bytes = b"") -> bytes:
    """A fresh nonce, the sealed text, the tag. `proven` is not in it, and is needed to open it."""
    nonce = os.urandom(NONCE)
    with _Context() as context:
        context.begin("Encrypt", key, nonce)
        context.update("Encrypt", proven, out=False)
        sealed = context.update("Encrypt", text)
        context.end("Encrypt")
        tag = ctypes.create_string_buffer(TAG)
        context.control(GET_TAG, tag)
    return nonce + sealed + tag.raw


def unseal(key: bytes, sealed: bytes, proven: bytes = b"") -> bytes:
    """Raises Broken."""
    nonce, body, tag = sealed[:NONCE], sealed[NONCE:-TAG], sealed[-TAG:]
    if len(nonce) < NONCE or len(tag) < TAG:
        raise Broken
    with _Context() as context:
        context.begin("Decrypt", key, nonce)
        context.update("Decrypt", proven, out=False)
        text = context.update("Decrypt", body)
        context.control(SET_TAG, ctypes.create_string_buffer(tag, TAG))
        context.end("Decrypt")
    return text


class _Context:
    """One EVP_CIPHER_CTX. Every call that fails raises Broken."""

    def __enter__(self) -> _Context:
        self._crypto = _libcrypto()
        self._handle = ctypes.c_void_p(self._crypto.EVP_CIPHER_CTX_new())
        return self

    def __exit__(self, *_: object) -> None:
        self._crypto.EVP_CIPHER_CTX_free(self._handle)

    def begin(self, way: str, key: bytes, nonce: bytes) -> None:
        cipher = ctypes.c_void_p(self._crypto.EVP_aes_256_gcm())
        self._call(f"EVP_{way}Init_ex", cipher, None, key, nonce)

    def update(self, way: str, data: bytes, out: bool = True) -> bytes:
        """Without `out` the data is only proven, not sealed."""
        buffer = ctypes.create_string_buffer(len(data)) if out else None
        length = ctypes.c_int()
        self._call(f"EVP_{way}Update", buffer, ctypes.byref(length), data, ctypes.c_int(len(data)))
        return buffer.raw[: length.value] if buffer else b""

    def control(self, what: int, buffer: Any) -> None:
        self._call("EVP_CIPHER_CTX_ctrl", ctypes.c_int(what), ctypes.c_int(TAG), buffer)

    def end(self, way: str) -> None:
        """Of what is opened, this checks the tag."""
        self._call(f"EVP_{way}Final_ex", ctypes.create_string_buffer(TAG), ctypes.byref(ctypes.c_int()))

    def _call(self, name: str, *arguments: Any) -> None:
        if getattr(self._crypto, name)(self._handle, *arguments) <= 0:
            raise Broken


@cache
def _libcrypto() -> Any:
    try:
        found = ctypes.CDLL("libcrypto.so.3")
    except OSError as error:
        raise Unavailable(
            "OpenSSL's libcrypto.so.3 is not there", code="no_libcrypto", hint="Install it: apt-get install libssl3"
        ) from error
    found.EVP_CIPHER_CTX_new.restype = found.EVP_aes_256_gcm.restype = ctypes.c_void_p
    return found
