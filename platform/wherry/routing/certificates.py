"""Keeps a certificate at hand for HTTPS: until a real one is there, one that we sign ourselves."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from wherry import command
from wherry.routing.hosts import is_host

FALLBACK = "00-fallback.pem"
"""HAProxy takes the first file of its folder, by name, for hosts that no certificate names."""
DAYS = 825
RENEW_BEFORE = 30 * 24 * 3600


def ensure_fallback_certificate(folder: Path, domain: str) -> Path:
    """Makes sure that `folder` holds a self-signed certificate for `domain` and `*.domain`; returns its file (mode 0600).

    A present one is kept until 30 days before its end. Raises CommandFailed when openssl is missing or refuses.
    """
    if not is_host(domain):
        raise ValueError(f"not a host name: {domain!a}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = folder / FALLBACK
    if not _fresh(wanted, domain):
        _make(wanted, domain)
    return wanted


def _fresh(certificate: Path, domain: str) -> bool:
    try:
        age = time.time() - certificate.stat().st_mtime
        return age < DAYS * 24 * 3600 - RENEW_BEFORE and certificate.read_text("ascii").startswith(f"{domain}\n")
    except FileNotFoundError:
        return False


def _make(wanted: Path, domain: str) -> None:
    with tempfile.TemporaryDirectory(dir=wanted.parent.parent) as scratch:
        key, certificate = Path(scratch, "key.pem"), Path(scratch, "cert.pem")
        names = f"subjectAltName=DNS:{domain},DNS:*.{domain}"
        made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", str(DAYS)]
        told = ["-subj", "/CN=Wherry fallback", "-addext", names, "-keyout", str(key), "-out", str(certificate)]
        command.run(["openssl", "req", "-x509", *made, *told])
        both = Path(scratch, "both.pem")
        with os.fdopen(os.open(both, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            # Text before the first block is no part of a PEM file: it says whose this is when the domain changes.
            file.write(domain.encode() + b"\n" + certificate.read_bytes() + key.read_bytes())
        both.replace(wanted)
