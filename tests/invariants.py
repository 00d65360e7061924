"""What must hold whatever happened to a platform, looked up from outside: HTTP, Docker, the database file, the disk, `ps`.

I1 each app serves its last good release · I2 no host is answered by another app · I3 one operation per app at a time ·
I4 nothing is left over · I5 database = container = image · I6 the client heard the truth (its caller knows) ·
I7 the turn is free again within 10 s · I8 no secret outside its place.

Apps answer with `<app>/<version>` (see `versioned`), so an answer says whose it is.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from scenario_support import Site, contents, tiny_app

PATIENCE = 40.0
LOCK_LIMIT = 10.0
HALF_MADE = re.compile(r"\..*\.git\..*")
"""A repository that is being made or taken away."""


def versioned(app: str, version: int | str) -> dict[str, str]:
    """The tiny app, answering with its name and version."""
    return tiny_app(f"{app}/{version}")


def hold(site: Site, apps: Mapping[str, set[str]], secret: str = "", patience: float = PATIENCE) -> None:
    """Every invariant, for `apps` with the versions that each may serve; given `patience` seconds to become true. I4 is given it
    too: what was left over has to go by itself."""
    end, found = time.monotonic() + patience, ["not looked at yet"]
    while found and time.monotonic() < end:
        found = list(violations(site, apps))
        time.sleep(0.2 if found else 0)
    assert not found, "\n".join(found)
    assert not (leaks := list(leaked(site, secret))), leaks


def violations(site: Site, apps: Mapping[str, set[str]]) -> Iterator[str]:
    """Each invariant that does not hold now, in a sentence."""
    yield from open_operations(site)
    for app, versions in apps.items():
        yield from served(site, app, versions)
        yield from same_everywhere(site, app)
    yield from left_over(site)


def served(site: Site, app: str, versions: set[str]) -> Iterator[str]:
    """I1 and I2."""
    try:
        status, body = site.get(app, timeout=5)
    except OSError as error:
        yield f"I1 {app} does not answer: {error}"
        return
    whose, _, version = body.partition("/")
    if status == 200 and whose != app:
        yield f"I2 {app} was answered by {body[:60]!a}"
    elif status != 200 or version not in versions:
        yield f"I1 {app} answers {status} {body[:60]!a}, and should serve {' or '.join(sorted(versions))}"


def stranger(site: Site, app: str) -> str:
    """I2 alone, for looking all the time: who else answered for the app's host, or nothing."""
    try:
        status, body = site.get(app, timeout=5)
    except OSError:
        return ""
    return f"I2 {app} was answered by {body[:60]!a}" if status == 200 and not body.startswith(f"{app}/") else ""


def open_operations(site: Site) -> Iterator[str]:
    """I3, once all is quiet: every operation has its end."""
    for row in rows(site, "SELECT id, app, kind, state FROM operations WHERE state IN ('queued', 'running')"):
        yield f"I3 operation {row['id']} ({row['kind']} of {row['app']}) is {row['state']}"


def same_everywhere(site: Site, app: str) -> Iterator[str]:
    """I5, and for its containers I4: as many as are wished, all of them running."""
    (row,) = rows(site, "SELECT id, release, formation FROM apps WHERE name = ?", app)
    (build,) = rows(
        site,
        "SELECT builds.image FROM releases JOIN builds ON builds.id = build_id WHERE releases.app_id = ? AND number = ?",
        row["id"],
        row["release"],
    ) or [{"image": "no release"}]
    containers = inspected(site, site.containers(app))
    wished = sum(json.loads(row["formation"]).values()) or 1
    if len(containers) != wished:
        yield f"I4 {app} has {len(containers)} containers, and {wished} are wished"
    for seen in containers:
        labels, state = seen["Config"]["Labels"], seen["State"]["Status"]
        if state != "running":
            yield f"I4 {app}: a container is {state}"
        if not (seen["Image"] == labels["wherry.image"] == build["image"]):
            images = f"{build['image'][:19]}, label {labels['wherry.image'][:19]}, running {seen['Image'][:19]}"
            yield f"I5 {app} v{row['release']}: image {images}"


def left_over(site: Site) -> Iterator[str]:
    """I4: nothing of an app that is not there, nothing half made."""
    names = {row["name"] for row in rows(site, "SELECT name FROM apps")}
    ours = f"label=wherry.platform={site.name}"
    for kind, argv in {"container": ["ps", "-a"], "network": ["network", "ls"]}.items():
        found = site.docker(*argv, "--filter", ours, "--format", '{{.Label "wherry.app"}}').text.split()
        yield from (f"I4 a {kind} of {app}, which is no app" for app in sorted(set(found) - names))
    spooled = " ".join(row["payload"] for row in rows(site, "SELECT payload FROM operations"))
    for path in site.home.joinpath("spool").iterdir():
        if path.name in spooled:  # what never became an operation is left to the hourly clean-up
            yield f"I4 spool/{path.name} is left"
    for place, folders, files in os.walk(site.home / "repositories"):  # which bears that git takes folders away meanwhile
        found = [name for name in files if name.endswith(".lock") and name != "wherry.lock"]
        found += [name for name in folders if name.startswith("tmp_objdir-") or HALF_MADE.fullmatch(name)]
        yield from (f"I4 {Path(place, name).relative_to(site.home)} is left" for name in found)


def leaked(site: Site, secret: str) -> Iterator[str]:
    """I8: where a secret is that should only be in the database, and inside the app's own containers."""
    if not secret:
        return
    for path, held in contents(site.home / "logs"):
        if secret.encode() in held:
            yield f"I8 in {path.relative_to(site.home)}"
    for row in rows(site, "SELECT * FROM events"):
        if secret in row["data"]:
            yield f"I8 in event {row['id']}"
    for row in rows(site, "SELECT id FROM operations ORDER BY id DESC LIMIT 20"):
        if secret in site.wherry("operations:info", str(row["id"]), "--json").text:
            yield f"I8 in what is told of operation {row['id']}"
    for seen in inspected(site, site.docker("ps", "-aq", "--filter", f"label=wherry.platform={site.name}").text.split()):
        if secret in json.dumps(seen["Config"]["Labels"]):
            yield f"I8 in a label of {seen['Name']}"
    for image in set(site.docker("images", "-q", "--filter", f"label=wherry.platform={site.name}").text.split()):
        if secret in site.docker("history", "--no-trunc", image).text + site.docker("inspect", image).text:
            yield f"I8 in the image {image}"
    if secret in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout:
        yield "I8 in the arguments of a process"


def free_again(ask: Callable[[], bool]) -> float:
    """I7: seconds until `ask` (some operation of the app) is taken up and done; at most ten."""
    began = time.monotonic()
    while not ask():
        assert time.monotonic() - began < LOCK_LIMIT, "I7 the turn is not free after 10 s"
        time.sleep(0.1)
    return time.monotonic() - began


def inspected(site: Site, containers: list[str]) -> list[dict[str, Any]]:
    """What Docker says of the containers that still are there."""
    if not containers:
        return []
    text = subprocess.run(["docker", "inspect", *containers], capture_output=True, text=True, check=False).stdout
    return list(json.loads(text or "[]"))


def rows(site: Site, query: str, *values: object) -> list[Any]:
    """From the platform's own database, read only."""
    path: Path = site.home / "state" / "wherry.db"
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    connection.row_factory = sqlite3.Row
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()
