"""What the last line of a change says of the app: whether it is live, where, and what keeps visitors from it. A stopped app is
not called live."""

from __future__ import annotations

from wherry.model.app import App
from wherry.reconciler.work import Work
from wherry.routing.front import url_of


def in_force(work: Work, words: str, version: str) -> str:
    """`Set KEY. v7 live in 0.4 s`, or that v7 waits for the app to be started."""
    app = work.app()
    return f"{words}. {version} is in place; {rest(work, app)}" if app.stopped else f"{words}. {version} live in {work.seconds():.1f} s"


def kept(app: str) -> str:
    """Of a change before the first deploy."""
    return f"{app} has no release yet; its first will have this"


def rest(work: Work, app: App) -> str:
    """Of a stopped app: that it is, and the way out."""
    return f"{app.name} is stopped. Start it: {work.command} ps:start {app.name}"


def address(work: Work, app: App) -> str:
    """`https://shop.example.org`, with what has to be done before a visitor sees the app there."""
    url = url_of(app, work.outside.settings)
    if not url:
        return f"at no address yet. Add one: {work.command} domains:add {app.name} shop.example.org"
    return f"{url} (in maintenance; end it: {work.command} maintenance:off {app.name})" if app.front.maintenance else url
