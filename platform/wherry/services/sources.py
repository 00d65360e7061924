"""What a person can deploy without a push: an image, an archive, a git remote, or what was pushed last once more."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

from wherry import clock
from wherry.access.require import require
from wherry.errors import Conflict
from wherry.model.app import check_name
from wherry.model.operation import Operation
from wherry.model.origin import check_archive_url, check_ref, parse_image_here, parse_remote, parse_saved, shown_url
from wherry.model.user import Actor
from wherry.receiving.deploy_key import make
from wherry.services import apps as app_services
from wherry.services import pushes
from wherry.services.platform import Platform
from wherry.store import deploy_keys, events, releases
from wherry.store.deploy_keys import DeployKey

Options = tuple[str, ...]
"""Of `force` (also when it runs already) and `nocache` (build every layer anew)."""


def from_image(platform: Platform, actor: Actor, name: str, image: str, options: Options = ()) -> Operation:
    """Queues the deploy of an image as it is at its registry now, or on this machine alone. The first deploy makes the app."""
    found = parse_image_here(image)
    return _wish(platform, actor, name, {"kind": "image", "image": image}, image if found.server else found.shown, options)


def from_url(platform: Platform, actor: Actor, name: str, url: str, options: Options = ()) -> Operation:
    """Queues the deploy of the archive at `url`."""
    check_archive_url(url)
    return _wish(platform, actor, name, {"kind": "url", "url": url}, shown_url(url), options)


def from_upload(platform: Platform, actor: Actor, name: str, receive: Callable[[Path], None], options: Options = ()) -> Operation:
    """Queues the deploy of an archive that `receive` writes to the path it is given, a new file in the spool."""
    return _received(platform, actor, name, {"kind": "upload"}, "an uploaded archive", receive, options)


def from_saved(
    platform: Platform, actor: Actor, name: str, image: str, receive: Callable[[Path], None], options: Options = ()
) -> Operation:
    """Queues the deploy of `image` out of an archive that `receive` writes as for `from_upload`, as `docker image save` makes it."""
    parse_saved(image)
    return _received(platform, actor, name, {"kind": "load", "image": image}, image, receive, options)


def from_git(platform: Platform, actor: Actor, name: str, url: str, ref: str = "", options: Options = ()) -> Operation:
    """Queues the deploy of what `ref` (a branch, a tag, a commit; empty: the remote's own choice) is at a git remote now."""
    parse_remote(url)
    check_ref(ref)
    return _wish(platform, actor, name, {"kind": "git", "url": url, "ref": ref}, f"{url} {ref}".rstrip(), options)


def rebuild(platform: Platform, actor: Actor, name: str, options: Options = ()) -> Operation:
    """Queues the deploy of what was pushed last, with the present build settings."""
    _check_pushed(platform, actor, name)
    return _wish(platform, actor, name, {"kind": "pushed"}, "what was pushed last", ("force", *options))


def plan(platform: Platform, actor: Actor, name: str) -> Operation:
    """Queues a look at what a deploy of what was pushed last would build and change; it changes nothing."""
    require(actor, "deploy", f"plan a deploy of {name}")
    _check_pushed(platform, actor, name)
    return platform.wish(actor, name, "plan", _payload({"kind": "pushed"}, "what was pushed last", ()))


def deploy_key(platform: Platform, actor: Actor, name: str) -> str:
    """The public half of the app's key, made when there is none: whoever adds it to a repository lets the platform read it."""
    require(actor, "deploy", f"use the deploy key of {name}")
    app = app_services.get(platform, actor, name)
    with platform.database.read() as connection:
        known = deploy_keys.find(connection, app)
    if known:
        return known.public
    public, private = make(f"{platform.settings.name}-{name}")
    with platform.database.write() as connection:
        kept = deploy_keys.add(connection, app, DeployKey(public, private, clock.now()))
        events.add(connection, actor, "deploy_key.created", name, clock.now(), public=kept.public)
    return kept.public


def _received(
    platform: Platform,
    actor: Actor,
    name: str,
    wanted: dict[str, str],
    origin: str,
    receive: Callable[[Path], None],
    options: Options,
) -> Operation:
    require(actor, "deploy", f"deploy to {name}")
    check_name(name)
    path = platform.settings.spool / f"{uuid.uuid4()}.upload"
    try:
        receive(path)
        return _wish(platform, actor, name, {**wanted, "file": path.name}, origin, options)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _wish(platform: Platform, actor: Actor, name: str, wanted: dict[str, str], origin: str, options: Options) -> Operation:
    pushes.check_options(options)
    pushes.app_for(platform, actor, name)
    return platform.wish(actor, name, "deploy", _payload(wanted, origin, options))


def _payload(wanted: dict[str, str], origin: str, options: Options) -> dict[str, object]:
    return {"from": wanted, "origin": origin, "options": list(options), "at": clock.now()}


def _check_pushed(platform: Platform, actor: Actor, name: str) -> None:
    app = app_services.get(platform, actor, name)
    with platform.database.read() as connection:
        current = releases.current(connection, app)
    if current and current.build.tree.startswith(("image:", "archive:")):
        raise Conflict(
            f"{name} was not pushed with git: it runs {current.build.origin}",
            hint="Give that again: wherry git:from-image, git:load-image or git:from-archive",
            code="not_pushed",
        )
