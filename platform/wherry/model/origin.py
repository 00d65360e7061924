"""Where a source that nobody pushed may come from: an image, an archive's address, a git remote. Pure forms, no resolving."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wherry.errors import InvalidInput

HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
PORT = r"[0-9]{1,5}"
PATH = r"[A-Za-z0-9._~/+%@,=:-]{1,500}"
QUERY = r"(?:\?[A-Za-z0-9._~/+%@,=:;&*!$'()-]{0,2000})?"
ACCOUNT = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}"
SCP = rf"(?P<user>{ACCOUNT})@(?P<host>{HOST}):(?P<path>(?![/:-]){PATH})"
URL = rf"(?P<scheme>[a-z]+)://(?:(?P<user>{ACCOUNT})@)?(?P<host>{HOST})(?::(?P<port>{PORT}))?/(?P<path>(?!-){PATH})"
GIT_PORTS = {"https": 443, "ssh": 22, "git": 9418}
REF = r"(?!.*(?:\.\.|//|@\{|\.lock(?:/|$)))[0-9A-Za-z_][0-9A-Za-z._/@+-]{0,199}"
NAME = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
TAG = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
DIGEST = r"sha256:[0-9a-f]{64}"
IMAGE = rf"(?:(?P<server>{HOST}(?::{PORT})?)/)?(?P<path>{NAME}(?:/{NAME})*)(?::(?P<tag>{TAG}))?(?:@(?P<digest>{DIGEST}))?"
IMAGE_ID = r"sha256:[0-9a-f]{64}|[0-9a-f]{12,64}"
HUB = "docker.io"


@dataclass(frozen=True)
class Remote:
    """A git remote. `url` is as git takes it, `user` empty but for ssh."""

    url: str
    scheme: str
    host: str
    port: int
    user: str = ""
    path: str = ""


@dataclass(frozen=True)
class ImageName:
    """An image at a registry. `name` is what the engine calls it, without tag; `server` the registry that serves it. One of this
    machine, meant by its id, has that as `name` and no server."""

    server: str
    name: str
    tag: str
    digest: str

    @property
    def text(self) -> str:
        if not self.server:
            return self.name
        return f"{self.name}@{self.digest}" if self.digest else f"{self.name}:{self.tag}"

    @property
    def shown(self) -> str:
        """What a person calls it."""
        return self.text if self.server else f"image {self.name.removeprefix('sha256:')[:12]}"


def parse_remote(text: str) -> Remote:
    """Reads `https://…`, `ssh://…`, `git://…` and `git@host:path`. Raises InvalidInput for every other form: no local path,
    no helper (`ext::`), no password in it."""
    _refuse_password(text, "Use a deploy key instead: wherry git:public-key APP, and the ssh address.")
    short = re.fullmatch(SCP, text)
    if short:
        return Remote(text, "ssh", short["host"], 22, short["user"], short["path"])
    found = re.fullmatch(URL, text)
    if not found or found["scheme"] not in GIT_PORTS or (found["user"] and found["scheme"] != "ssh"):
        raise InvalidInput(
            f"git remote {text[:80]!a}: give https://HOST/PATH, ssh://USER@HOST/PATH, git://HOST/PATH or USER@HOST:PATH",
            field="git",
        )
    port = _port(found["port"], GIT_PORTS[found["scheme"]], "git")
    return Remote(text, found["scheme"], found["host"], port, found["user"] or "", f"/{found['path']}")


def check_ref(text: str) -> str:
    """Returns a branch, a tag or a commit; empty is the remote's own choice. Raises InvalidInput."""
    if text and not re.fullmatch(REF, text):
        raise InvalidInput(f"ref {text[:60]!a}: give a branch, a tag or a commit, e.g. main", field="ref")
    return text


def check_archive_url(text: str) -> str:
    """Returns the http or https address of an archive. Raises InvalidInput."""
    _refuse_password(text, "Download it yourself: curl … | wherry git:from-archive APP -")
    found = re.fullmatch(rf"{URL}{QUERY}", text)
    if not found or found["scheme"] not in ("http", "https") or found["user"]:
        raise InvalidInput(f"archive {text[:80]!a}: give an address such as https://example.org/app.tar.gz", field="archive")
    _port(found["port"], 443, "archive")
    return text


def shown_url(text: str) -> str:
    """The address without its query, where people put signatures and tokens."""
    return text.partition("?")[0]


def parse_image(text: str) -> ImageName:
    """Reads `nginx`, `nginx:1.27`, `ghcr.io/me/app@sha256:…`. Raises InvalidInput."""
    found = re.fullmatch(IMAGE, text) if len(text) <= 400 else None
    if not found:
        raise InvalidInput(f"image {text[:80]!a}: give a name such as nginx:1.27 or ghcr.io/me/app:v2", field="image")
    server, path = found["server"] or "", found["path"]
    if server and not (set(server) & set(".:") or server == "localhost"):
        server, path = "", f"{server}/{path}"
        if server.lower() != server or path.lower() != path:
            raise InvalidInput(f"image {text[:80]!a}: names are lower case, e.g. nginx:1.27", field="image")
    name = f"{server}/{path}" if server else path
    return ImageName(server or HUB, name, found["tag"] or "latest", found["digest"] or "")


def parse_image_here(text: str) -> ImageName:
    """Reads what `parse_image` does, or the id of an image on this machine as `docker images` shows it. Raises InvalidInput."""
    return ImageName("", text, "", "") if re.fullmatch(IMAGE_ID, text) else parse_image(text)


def parse_saved(text: str) -> ImageName:
    """Reads the name with a tag that an image has in an archive. Raises InvalidInput."""
    found = parse_image(text)
    if found.digest:
        raise InvalidInput(f"image {text[:80]!a}: an archive knows its images by name and tag, e.g. shop:v2", field="image")
    return found


def familiar(text: str) -> str:
    """A name with its tag as docker shows it, whether docker or podman wrote it: `docker.io/library/shop:v2` is `shop:v2`. What is
    no name stays as it is."""
    try:
        found = parse_image(text).text
    except InvalidInput:
        return text
    for start in ("docker.io/library/", "docker.io/", "localhost/"):
        found = found.removeprefix(start)
    return found


def loaded_name(platform: str, app: str, digest: str) -> ImageName:
    """What a loaded image is called until the app has it; no other image is called so."""
    return ImageName(HUB, f"{platform}/{app}", f"loaded-{digest[:12]}", "")


def check_server(text: str) -> str:
    """Returns the host of a registry, with its port when it has one; `docker.io` is Docker Hub. Raises InvalidInput."""
    known = {"hub": HUB, "docker.com": HUB, "hub.docker.com": HUB, "index.docker.io": HUB, "registry-1.docker.io": HUB}
    server = text.removeprefix("https://").rstrip("/")
    if not re.fullmatch(rf"{HOST}(?::{PORT})?", server):
        raise InvalidInput(f"registry {text[:60]!a}: give its host, e.g. ghcr.io or docker.io", field="server")
    return known.get(server, server)


def _port(text: str | None, default: int, field: str) -> int:
    port = int(text) if text else default
    if not 1 <= port <= 65535:
        raise InvalidInput(f"port {port}: give one from 1 to 65535", field=field)
    return port


def _refuse_password(text: str, hint: str) -> None:
    """What is in an address ends up in logs and histories."""
    authority = text.partition("://")[2].partition("/")[0]
    if ":" in authority.rpartition("@")[0]:
        raise InvalidInput("the address holds a password, which would end up in logs", hint=hint, field="url")
