"""Brings the files of submodules into the archive of a commit: by https only, the pinned commits only, each fetched once."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wherry import command
from wherry.errors import CommandFailed, InvalidInput, NotFound, WherryError
from wherry.model.origin import Remote, parse_remote
from wherry.receiving.archive import Module, Source
from wherry.receiving.remote import Access, fetch
from wherry.receiving.repositories import GIT_ENVIRONMENT
from wherry.receiving.tree import Entry, named

MOST = 50
DEEPEST = 3
FOLDER = "wherry-submodules"
"""Below the app's repository: what was fetched once is there for the next push."""


@dataclass(frozen=True)
class Store:
    """Where the files of an app's submodules are kept: below its `repository`. `bring` gets one commit of a remote there, by
    `fetch_pinned` or by having it done."""

    repository: Path
    bring: Callable[[Remote, str], None]

    @property
    def path(self) -> Path:
        return self.repository / FOLDER


def collect(source: Source, tree: str, links: Sequence[Entry], store: Store, base: Remote | None = None) -> list[Module]:
    """The submodules of a commit, those within submodules too, fetched and looked at. `links` are the tree's gitlinks;
    `base` is where the commit itself was fetched from, which relative addresses start at.

    Raises InvalidInput for one that has no https address, and what `fetch` raises.
    """
    found = list(_collected(source, tree, links, store, base, "", 1)) if links else []
    if len(found) > MOST:
        raise InvalidInput(f"there are {len(found)} submodules; at most {MOST} are fetched", code="submodule")
    return found


def _collected(
    source: Source, tree: str, links: Sequence[Entry], store: Store, base: Remote | None, folder: str, depth: int
) -> Iterator[Module]:
    if depth > DEEPEST:
        raise _plain(links, f"they are nested deeper than {DEEPEST}")
    remotes = _remotes(source, tree, links, base)
    for link, remote in zip(links, remotes, strict=True):
        inner = _bring(store, remote, link)
        path = folder + link.path.decode("utf-8")
        commit = inner.look_up(link.id, "HEAD")
        yield Module(inner, link.id, path)
        nested = inner.check_tree(commit.tree)
        if nested:
            yield from _collected(inner, commit.tree, nested, store, remote, f"{path}/", depth + 1)


def _remotes(source: Source, tree: str, links: Sequence[Entry], base: Remote | None) -> list[Remote]:
    urls = source.module_urls(tree)
    found = []
    for link in links:
        url = urls.get(link.path.decode("utf-8", "surrogateescape"), "")
        try:
            remote = parse_remote(_absolute(url, base))
        except InvalidInput:
            remote = None
        if remote is None or remote.scheme != "https":
            raise _plain([link], f"its address is {url[:80]!a}" if url else ".gitmodules has no address for it")
        found.append(remote)
    return found


def _absolute(url: str, base: Remote | None) -> str:
    if not url.startswith(("./", "../")) or base is None or base.scheme != "https":
        return url
    return f"https://{base.host}:{base.port}{posixpath.normpath(posixpath.join(base.path, url))}"


def _plain(links: Sequence[Entry], why: str) -> InvalidInput:
    hint = "Give it an https address in .gitmodules, put its files into this repository, or install it as a dependency."
    return InvalidInput(f"the submodule {named([link.path for link in links])} can not be fetched: {why}.", hint=hint, code="submodule")


def _bring(store: Store, remote: Remote, link: Entry) -> Source:
    """The pinned commit is in the store."""
    source = Source({**GIT_ENVIRONMENT, "GIT_DIR": str(store.path)})
    if store.path.is_dir() and _has(source, link.id):
        return source
    try:
        store.bring(remote, link.id)
    except WherryError as error:
        raise type(error)(f"the submodule {named([link.path])}: {error.message}", hint=error.hint, code=error.code) from error
    if not _has(source, link.id):
        raise _plain([link], f"{remote.url} does not have the commit {link.id[:7]}")
    return source


def fetch_pinned(repository: Path, remote: Remote, commit: str, access: Access) -> None:
    """Gets the commit alone, or with all branches where the server gives out no single ones."""
    path = repository / FOLDER
    if not path.is_dir():
        command.run(["git", "init", "--quiet", "--bare", "--template=", "--", str(path)], env=GIT_ENVIRONMENT)
    try:
        fetch(path, remote, f"+{commit}:refs/pinned/{commit}", access, depth=1)
    except NotFound:
        fetch(path, remote, f"+refs/heads/*:refs/pinned-branches/{commit}/*", access)


def _has(source: Source, commit: str) -> bool:
    try:
        source.look_up(commit, "HEAD")
    except (InvalidInput, CommandFailed):
        return False
    return True
