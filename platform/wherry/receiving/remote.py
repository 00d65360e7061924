"""Fetches commits from somebody else's git server, which may be hostile: an allowed protocol and address, no hooks, no
submodules, no questions, every object checked. Only for short-lived processes of an unprivileged user.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wherry.addresses import resolve
from wherry.errors import Forbidden, InvalidInput, NotFound, Unavailable, WherryError
from wherry.model.origin import GIT_PORTS, Remote
from wherry.receiving.repositories import GIT_ENVIRONMENT

CONFIG = (
    "core.hooksPath=/dev/null",
    "credential.helper=",
    "fetch.fsckObjects=true",
    "fetch.fsck.zeroPaddedFilemode=warn",
    "fetch.fsck.missingSpaceBeforeDate=warn",
    "fetch.fsck.badTimezone=warn",
    "fetch.unpackLimit=1",
    "fetch.recurseSubmodules=false",
    "gc.auto=0",
    "http.followRedirects=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=30",
    "maintenance.auto=false",
)
NO_KEY = "Is it the right address? A private one takes a deploy key: wherry git:public-key APP, and the ssh address."
GONE = (
    r"Permission denied|Authentication failed|could not read Username|Repository not found|not exported|repository '[^']*' not found"
    r"|does not appear to be a git repository|error: 40[134]"
)
TOLD: tuple[tuple[str, type[WherryError], str, str, str], ...] = (
    (r"couldn't find remote ref (\S+)", NotFound, "no_such_ref", "has no branch, tag or commit {1}", "Check its spelling."),
    (r"not our ref|unadvertised object", NotFound, "no_such_ref", "does not give out this commit", "Name a branch or a tag."),
    (r"Host key verification failed", Forbidden, "remote_refused", "shows another host key than before", "Ask its owner which is right."),
    (GONE, Forbidden, "remote_refused", "is not there, or does not let us in", NO_KEY),
    (r"File too large", InvalidInput, "too_large", "has more than may be fetched", "The limit is WHERRY_MAX_PUSH."),
    (r"certificate", Forbidden, "remote_failed", "shows a certificate that this machine does not trust", "Is it the right host?"),
    (r"error: 30[1278]|from redirection", InvalidInput, "remote_failed", "has moved", "Give its new address."),
)  # fmt: skip


@dataclass(frozen=True)
class Access:
    """`known_hosts` remembers the host keys of ssh servers from their first use on; `key` is a private key's file."""

    known_hosts: Path
    internal: bool = False
    key: Path | None = None


def fetch(repository: Path, remote: Remote, refspec: str, access: Access, *, depth: int = 0) -> None:
    """Brings `refspec` of `remote` into the bare repository. Raises Forbidden, NotFound, InvalidInput or Unavailable."""
    from git import Repo
    from git.exc import GitCommandError

    address = resolve(remote.host, remote.port, access.internal)
    words = ["--quiet", "--no-tags", "--no-write-fetch-head", *([f"--depth={depth}"] if depth else [])]
    with Repo(repository) as repo, repo.git.custom_environment(**_environment(remote, address, access)):
        try:
            repo.git(c=[*CONFIG, *_pinned(remote, address)]).fetch(*words, "--end-of-options", _url(remote, address), refspec)
        except GitCommandError as error:
            raise _told(remote, str(error.stderr)) from error


def _environment(remote: Remote, address: str, access: Access) -> dict[str, Any]:
    asked = {"GIT_ASKPASS": "/bin/false", "SSH_ASKPASS": "/bin/false", "GIT_ALLOW_PROTOCOL": ":".join(GIT_PORTS)}
    return {**GIT_ENVIRONMENT, **asked, "GIT_SSH_COMMAND": shlex.join(_ssh(remote, address, access)), "GIT_SSH_VARIANT": "ssh"}


def _ssh(remote: Remote, address: str, access: Access) -> list[str]:
    """Connects to the address that was looked at; the name stays what the host key belongs to."""
    options = {
        "HostName": address,
        "HostKeyAlias": f"[{remote.host}]:{remote.port}",
        "UserKnownHostsFile": str(access.known_hosts),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "accept-new",
        "BatchMode": "yes",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "ClearAllForwardings": "yes",
        "ConnectTimeout": "15",
        "ServerAliveInterval": "15",
    }
    key = ["-i", str(access.key)] if access.key else []
    return ["ssh", "-F", "/dev/null", *key, *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]


def _pinned(remote: Remote, address: str) -> list[str]:
    if remote.scheme != "https":
        return []
    shown = f"[{address}]" if ":" in address else address
    return [f"http.curloptResolve={remote.host}:{remote.port}:{shown}"]


def _url(remote: Remote, address: str) -> str:
    """git's own protocol knows no other way to say where to connect."""
    if remote.scheme != "git":
        return remote.url
    shown = f"[{address}]" if ":" in address else address
    return f"git://{shown}:{remote.port}{remote.path}"


def _told(remote: Remote, stderr: str) -> WherryError:
    """git's complaint in a sentence of ours."""
    for pattern, kind, code, sentence, hint in TOLD:
        found = re.search(pattern, stderr)
        if found:
            what = sentence.replace("{1}", ascii(found[1][:60])[1:-1]) if found.groups() else sentence
            return kind(f"{remote.url} {what}", hint=hint, code=code)
    lines = [line.strip().removeprefix("stderr: '").strip("'") for line in stderr.strip().splitlines() if line.strip()]
    last = next(
        (line for line in reversed(lines) if line.startswith(("fatal:", "error:", "ssh:"))), lines[-1] if lines else "no reason given"
    )
    return Unavailable(f"{remote.url} can not be fetched: {ascii(last[:160])[1:-1]}", hint="Try again in a moment.", code="remote_failed")
