"""Decides what the line after `ssh wherry@host` asks for. Pure, and no shell: the line becomes a list of words or a refusal."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from wherry.errors import InvalidInput
from wherry.model.app import check_name

LONGEST = 100_000
LOGIN_IS_OFF = "interactive login is off. Try: ssh wherry@host help"
NO_LFS = "Git LFS is not served here: an app's files have to be in git itself. Undo it with: git lfs migrate export"
VERB = r"[a-z][0-9a-z]*([:-][0-9a-z]+)*"
FOREIGN = frozenset({"bash", "dash", "sh", "zsh", "scp", "sftp", "sftp-server", "internal-sftp", "rsync", "su", "sudo", "mosh-server"})


AT_A_TERMINAL = frozenset({"run", "enter"})
"""Commands that get the terminal a client asks for; all others get it in name only."""


@dataclass(frozen=True)
class Push:
    """`git push`: the app's repository receives a pack."""

    app: str


@dataclass(frozen=True)
class Fetch:
    """`git clone` or `git fetch` of what was pushed."""

    app: str


@dataclass(frozen=True)
class Run:
    """A command of the `wherry` command line, as its words."""

    words: tuple[str, ...]


Request = Push | Fetch | Run
GIT: dict[str, type[Push] | type[Fetch]] = {"git-receive-pack": Push, "git-upload-pack": Fetch}


def parse(line: bytes, name: str = "wherry") -> Request:
    """Raises InvalidInput for what is neither git nor a command of ours. `name`, what the command is called on the machine, may
    stand before it: hints have it there."""
    words = _words(line)
    if words[:1] == ["git"] and len(words) > 1:
        words = [f"git-{words[1]}", *words[2:]]
    if words and words[0] in GIT:
        return GIT[words[0]](_app(words))
    if words and words[0].startswith("git-lfs-"):
        raise InvalidInput(NO_LFS, code="no_lfs")
    if words[:1] in (["wherry"], [name]):
        words = words[1:] or ["help"]
    if not words or words[0] in FOREIGN or words[0].startswith("git-") or not re.fullmatch(VERB, words[0]):
        raise InvalidInput(LOGIN_IS_OFF, code="no_login")
    return Run(tuple(words))


def is_git(line: bytes) -> bool:
    """Whether git itself waits at the other end: it wants refusals in its own protocol."""
    return bool(re.match(rb"git[- ](receive|upload)-pack\b", line))


def _words(line: bytes) -> list[str]:
    if len(line) > LONGEST:
        raise InvalidInput(f"the command has {len(line):,} bytes; at most {LONGEST:,} are accepted", code="too_long")
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the command is not UTF-8: byte {error.start + 1} is {line[error.start]:#04x}") from None
    if "\0" in text:
        raise InvalidInput("the command holds a NUL byte; give plain words, e.g. ssh wherry@host ps my-app")
    try:
        return shlex.split(text)
    except ValueError:
        raise InvalidInput("the command has a quote or a backslash without an end; quote twice, for your shell and for ssh") from None


def _app(words: list[str]) -> str:
    """The one app that a git command names; `/shop`, `shop.git` and `/shop.git` are `shop`."""
    if len(words) != 2:
        raise InvalidInput(f"{words[0]} takes one app, e.g. ssh://wherry@host:2222/my-app", code="one_app")
    return check_name(words[1].removeprefix("/").removesuffix("/").removesuffix(".git"))
