"""The forms that values of settings have: each reads a text, or raises ValueError with the allowed form and an example."""

from __future__ import annotations

import re
from pathlib import Path

from wherry import failpoint


def port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise ValueError("a port from 1 to 65535, e.g. 8080")
    return int(text)


def count(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text):
        raise ValueError("a whole number, e.g. 30")
    return int(text)


def processors(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,2})?", text):
        raise ValueError("a number of processors, e.g. 1.5")
    return float(text)


def log_size(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= 1024:
        raise ValueError("MB from 1 to 1024, e.g. 16")
    return int(text)


def kept(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,3}", text):
        raise ValueError("a whole number from 1 to 9999, e.g. 50")
    return int(text)


def folder(text: str) -> Path:
    if not text.startswith("/") or "\n" in text or "\0" in text:
        raise ValueError("an absolute path, e.g. /var/lib/wherry")
    return Path(text)


def domain(text: str) -> str:
    if not re.fullmatch(r"(?=.{1,200}\Z)[0-9a-z]([0-9a-z-]*[0-9a-z])?(\.[0-9a-z]([0-9a-z-]*[0-9a-z])?)*", text):
        raise ValueError("a host name in lower case, e.g. apps.example.org")
    return text


def word(text: str) -> str:
    if not re.fullmatch(r"[a-z][0-9a-z-]{0,14}", text):
        raise ValueError("1-15 characters of a-z, 0-9 and -, starting with a letter, e.g. wherry")
    return text


def registry(text: str) -> str:
    if not re.fullmatch(r"([0-9a-z][0-9a-z.-]*(:[0-9]{1,5})?/([0-9a-z._-]+/)*)?", text):
        raise ValueError("a host, a port and a path, ending in a slash, e.g. mirror.example.org:5000/library/")
    return text


def image(text: str) -> str:
    if not re.fullmatch(r"([0-9a-z][0-9a-zA-Z.:@/_-]{0,250})?", text):
        raise ValueError("the name of an image, e.g. heroku/builder:24")
    return text


def yes_or_no(text: str) -> str:
    if text not in ("yes", "no"):
        raise ValueError("yes or no")
    return text


def branch(text: str) -> str:
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._/-]{0,99}", text):
        raise ValueError("a branch name, e.g. main")
    return text


def email(text: str) -> str:
    if not re.fullmatch(r"([^\s@<>\"]{1,64}@[0-9A-Za-z.-]{3,200})?", text):
        raise ValueError("an address, e.g. me@example.org")
    return text


def directory(text: str) -> str:
    if not re.fullmatch(r"https://[0-9A-Za-z.\[\]:-]{1,200}/[0-9A-Za-z./_~-]{0,200}", text):
        raise ValueError("the URL of an ACME directory, e.g. https://acme.example.org/directory")
    return text


def challenge(text: str) -> str:
    if text not in ("http", "dns"):
        raise ValueError("http or dns")
    return text


def file(text: str) -> str:
    if not re.fullmatch(r"(/[^\n\0]{1,300})?", text):
        raise ValueError("the absolute path of a file, e.g. /usr/local/bin/dns-hook")
    return text


def failpoints(text: str) -> str:
    failpoint.parse(text)
    return text
