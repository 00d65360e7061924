"""What a token looks like: `wherry_`, 30 random characters, and 6 of checksum, so that a typo is told from a revoked token.

The first 8 random characters are shown in lists; the 22 that stay hidden hold 131 bits.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib

from wherry.secret import Secret

PREFIX = "wherry_"
SHOWN = len(PREFIX) + 8
ALPHABET = string.digits + string.ascii_letters
FORM = rf"{PREFIX}[0-9A-Za-z]{{36}}"


def new() -> Secret:
    body = "".join(secrets.choice(ALPHABET) for _ in range(30))
    return Secret(PREFIX + body + _checksum(body))


def is_whole(text: str) -> bool:
    """Whether `text` has the form of a token and its checksum fits."""
    return bool(re.fullmatch(FORM, text)) and _checksum(text[len(PREFIX) : -6]) == text[-6:]


def shown(token: Secret) -> str:
    """The part that names the token in lists: `wherry_k3f9a0bc`."""
    return token.reveal()[:SHOWN]


def digest(text: str) -> str:
    """What is stored instead of the token. A plain hash is enough: nobody guesses 131 bits."""
    return hashlib.sha256(text.encode()).hexdigest()


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, rest = divmod(number, len(ALPHABET))
        digits = ALPHABET[rest] + digits
    return digits
