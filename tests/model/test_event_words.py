"""Which events an app's log tells, under which name, in which words."""

from __future__ import annotations

from typing import Any

import pytest

from wherry.model.event import Event
from wherry.model.event_words import line_of
from wherry.model.user import PLATFORM


def event(kind: str, actor: str = "alice", **data: Any) -> Event:
    return Event(1, "2026-11-25T12:00:00Z", actor, "ssh", "shop", kind, data)


TOLD = [
    (event("release.created", release="v7", description="Deploy 3f2c1ab"), ("release", "v7 by alice: Deploy 3f2c1ab")),
    (event("release.live", release="v7"), ("release", "v7 is live")),
    (event("release.failed", release="v7", code="R10", reason="opened no port"), ("release", "v7 failed: R10 opened no port")),
    (event("config.changed", keys=["A", "B"], release="v8"), ("config", "changed by alice: keys A, B")),
    (event("restart.succeeded", operation=3), ("restart", "succeeded, by alice")),
    (event("deploy.requested", commit="3f2c1ab"), ("deploy", "requested by alice: commit 3f2c1ab")),
    (event("mounts.failed", code="volume_missing"), ("mounts", "failed, by alice: code volume_missing")),
    (event("app.locked", why=""), ("app", "locked by alice")),
    (event("app.locked", why="until Monday"), ("app", "locked by alice: why until Monday")),
]


@pytest.mark.parametrize(("event", "line"), TOLD, ids=lambda value: value.type if isinstance(value, Event) else "")
def test_what_a_person_did_is_told_with_who_and_what(event: Event, line: tuple[str, str]) -> None:
    assert line_of(event) == line


@pytest.mark.parametrize("kind", ["deploy", "config", "rollback", "limits", "mounts", "scale", "checks"])
def test_a_change_that_made_a_release_is_told_by_the_release_alone(kind: str) -> None:
    assert line_of(event(f"{kind}.succeeded", operation=3, release="v7")) is None
    assert line_of(event(f"{kind}.failed", code="R10")) is not None


def test_what_leaves_better_lines_elsewhere_is_not_told_twice() -> None:
    assert line_of(event("instance.crashed", instance="web.1")) is None
    assert line_of(event("run.ended", run="run.1234")) is None
    assert line_of(event("scale.requested")) is None
    assert line_of(event("certificate.issued", actor=PLATFORM.name, certificate="a.example.org")) is None
    assert line_of(event("certificate.added", certificate="a.example.org")) == ("certificate", "added by alice: certificate a.example.org")
