"""Deploys without a push, over a real database and real fetching; engine, proxy, builder and registry are in memory."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from git_server_support import git, git_daemon, repository
from platform_support import ADMIN, Machine, TextBuilder, machine
from wherry.building import logins
from wherry.errors import Conflict, Forbidden, InvalidInput, NotFound
from wherry.model.operation import Operation
from wherry.model.user import Actor
from wherry.receiving import repositories
from wherry.secret import Secret
from wherry.services import apps, builds, registries, releases, sources

DEPLOYER = Actor("dora", "deploy", "token")


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path / "home", WHERRY_USER="root", WHERRY_FETCH_INTERNAL="yes") as made:
        made.outside.settings.ssh.mkdir()
        yield made


@pytest.fixture
def builder(here: Machine) -> TextBuilder:
    assert isinstance(here.outside.builder, TextBuilder)
    return here.outside.builder


def last(here: Machine, operation: Operation) -> str:
    return here.log(operation)[-1].strip()


def test_an_image_goes_live_as_it_is(here: Machine, builder: TextBuilder) -> None:
    builder.registry["nginx:1.27"] = "good"
    operation = here.wait(sources.from_image(here.services, ADMIN, "shop", "nginx:1.27"))
    assert operation.state == "succeeded", operation.error
    assert here.log(operation)[0] == "-----> Fetching nginx:1.27 from docker.io"
    assert here.targets("shop") == ["web.1"]
    release = releases.current(here.services, ADMIN, "shop")
    assert release and (release.build.buildpack, release.build.origin, release.build.processes) == ("image", "nginx:1.27", {"web": ""})
    assert release.description.startswith("Deploy nginx:1.27 (")


def test_the_same_image_again_is_nothing_to_do_until_it_moved_or_is_forced(here: Machine, builder: TextBuilder) -> None:
    builder.registry["nginx:latest"] = "good"
    here.wait(sources.from_image(here.services, ADMIN, "shop", "nginx"))
    again = here.wait(sources.from_image(here.services, ADMIN, "shop", "nginx"))
    assert "shop already runs nginx (" in last(here, again) and "as v1; nothing to do" in last(here, again)
    assert again.state == "succeeded"
    assert here.wait(sources.from_image(here.services, ADMIN, "shop", "nginx", ("force",))).result["release"] == "v2"
    builder.registry["nginx:latest"] = "good2"
    assert here.wait(sources.from_image(here.services, ADMIN, "shop", "nginx")).result["release"] == "v3"


def test_an_image_that_is_not_there_changes_nothing(here: Machine, builder: TextBuilder) -> None:
    operation = here.wait(sources.from_image(here.services, ADMIN, "shop", "nginx:nope"))
    assert operation.error and operation.error["code"] == "no_such_image"
    assert last(here, operation) == "Nothing was changed. More: wherry help no_such_image"


def test_an_image_of_the_machine_alone_goes_live_by_its_name_or_its_id(here: Machine, builder: TextBuilder) -> None:
    builder.machine |= {"shop:v1": "good", "0123456789ab": "good2"}
    named = here.wait(sources.from_image(here.services, ADMIN, "shop", "shop:v1"))
    assert here.log(named)[0] == "-----> Taking shop:v1 from this machine" and named.state == "succeeded"
    by_id = here.wait(sources.from_image(here.services, ADMIN, "shop", "0123456789ab"))
    release = releases.current(here.services, ADMIN, "shop")
    assert by_id.state == "succeeded" and release and release.description.startswith("Deploy image 0123456789ab (")


def test_a_private_image_takes_a_login_that_nobody_can_read(here: Machine, builder: TextBuilder) -> None:
    builder.registry["ghcr.io/me/app:latest"] = "good"
    builder.doors["ghcr.io"] = ("me", "s3cret")
    refused = here.wait(sources.from_image(here.services, ADMIN, "shop", "ghcr.io/me/app"))
    assert refused.error and refused.error["code"] == "registry_refused"
    wrong = here.wait(registries.login(here.services, ADMIN, "ghcr.io", "me", Secret("wr0ng")))
    assert wrong.error and wrong.error["code"] == "registry_refused"
    assert registries.every(here.services, ADMIN) == []
    login = here.wait(registries.login(here.services, ADMIN, "https://ghcr.io/", "me", Secret("s3cret")))
    assert here.log(login) == ["logged in at ghcr.io as me"]
    assert [(known.server, known.user) for known in registries.every(here.services, DEPLOYER)] == [("ghcr.io", "me")]
    assert here.wait(sources.from_image(here.services, ADMIN, "shop", "ghcr.io/me/app")).state == "succeeded"
    settings = here.outside.settings
    assert settings.registry_logins.stat().st_mode & 0o777 == 0o600
    places = [path for path in settings.home.rglob("*") if path.is_file() and b"s3cret" in path.read_bytes()]
    assert places == [settings.registry_logins]
    here.wait(registries.logout(here.services, ADMIN, "ghcr.io"))
    assert logins.of(settings, "ghcr.io") is None and registries.every(here.services, ADMIN) == []
    with pytest.raises(NotFound):
        registries.logout(here.services, ADMIN, "ghcr.io")


def test_only_admins_log_in(here: Machine) -> None:
    with pytest.raises(Forbidden):
        registries.login(here.services, DEPLOYER, "ghcr.io", "me", Secret("x"))


def test_a_remote_is_synced_and_the_same_commit_again_is_nothing_to_do(here: Machine, tmp_path: Path) -> None:
    (tmp_path / "remotes").mkdir()
    commit = repository(tmp_path / "remotes" / "shop", {"text": "image=good\nweb=run\n"})
    with git_daemon(tmp_path / "remotes") as url:
        operation = here.wait(sources.from_git(here.services, ADMIN, "shop", f"{url}/shop", "main"))
        branch = git(repositories.path_of(here.outside.settings, "shop"), "rev-parse", "main")
        again = here.wait(sources.from_git(here.services, ADMIN, "shop", f"{url}/shop", "main"))
    assert operation.state == "succeeded" and operation.progress["fetched"]["commit"] == commit
    assert branch == commit, "who clones when the sync has ended gets what went live"
    assert here.log(operation)[0] == f"-----> Fetching {url}/shop main"
    assert "shop already runs" in last(here, again) and "as v1; nothing to do" in last(here, again)
    here.until(lambda: not [path for path in here.outside.settings.spool.iterdir() if path.suffix == ".tar"])


def test_what_is_no_source_is_refused_before_anything_is_made(here: Machine) -> None:
    for ask in (
        lambda: sources.from_image(here.services, ADMIN, "shop", "--help"),
        lambda: sources.from_url(here.services, ADMIN, "shop", "file:///etc"),
        lambda: sources.from_git(here.services, ADMIN, "shop", "ext::sh", ""),
        lambda: sources.from_git(here.services, ADMIN, "shop", "https://example.org/x", "--all"),
    ):
        with pytest.raises(InvalidInput):
            ask()
    assert apps.every(here.services, ADMIN) == []


def test_an_upload_that_breaks_off_leaves_nothing(here: Machine) -> None:
    def broken(path: Path) -> None:
        path.write_text("half")
        raise InvalidInput("it broke off")

    with pytest.raises(InvalidInput, match="it broke off"):
        sources.from_upload(here.services, ADMIN, "shop", broken)
    assert list(here.outside.settings.spool.iterdir()) == []
    assert apps.every(here.services, ADMIN) == []


def saved(path: Path) -> None:
    """An archive as docker writes it, of the image shop:v2."""
    files = {"c.json": b"{}", "manifest.json": b'[{"Config": "c.json", "RepoTags": ["shop:v2"], "Layers": []}]'}
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def test_an_image_out_of_an_archive_goes_live_and_leaves_nothing_in_the_spool(here: Machine) -> None:
    operation = here.wait(sources.from_saved(here.services, DEPLOYER, "shop", "shop:v2", saved))
    assert operation.state == "succeeded", operation.error
    assert here.log(operation)[:2] == ["-----> Loading shop:v2", "       0 layers, 1 KB"]
    release = releases.current(here.services, ADMIN, "shop")
    assert release and (release.build.buildpack, release.build.origin) == ("image", "shop:v2")
    again = here.wait(sources.from_saved(here.services, ADMIN, "shop", "shop:v2", saved))
    assert "shop already runs shop:v2 (" in last(here, again) and "as v1; nothing to do" in last(here, again)
    with pytest.raises(Conflict, match="shop was not pushed with git: it runs shop:v2"):
        sources.plan(here.services, ADMIN, "shop")
    here.until(lambda: not list(here.outside.settings.spool.iterdir()))


def test_an_archive_without_the_image_changes_nothing_and_goes(here: Machine) -> None:
    operation = here.wait(sources.from_saved(here.services, ADMIN, "shop", "shop:v3", saved))
    assert operation.error and operation.error["code"] == "no_such_image"
    assert "the archive has no image shop:v3: it holds shop:v2" in operation.error["message"]
    here.until(lambda: not list(here.outside.settings.spool.iterdir()))
    for image in ("shop@sha256:" + "0" * 64, "UPPER"):
        with pytest.raises(InvalidInput):
            sources.from_saved(here.services, ADMIN, "shop", image, saved)


def test_a_deploy_key_is_made_once_and_its_private_half_stays_inside(here: Machine) -> None:
    apps.create(here.services, ADMIN, "shop")
    public = sources.deploy_key(here.services, DEPLOYER, "shop")
    assert public.startswith("ssh-ed25519 ") and public.endswith(" wherry-shop")
    assert sources.deploy_key(here.services, DEPLOYER, "shop") == public


def test_a_rebuild_needs_something_that_was_pushed(here: Machine, builder: TextBuilder) -> None:
    apps.create(here.services, ADMIN, "shop")
    operation = here.wait(sources.rebuild(here.services, ADMIN, "shop"))
    assert operation.error and operation.error["code"] == "nothing_pushed"
    builder.registry["nginx:latest"] = "good"
    here.wait(sources.from_image(here.services, ADMIN, "shop", "nginx"))
    with pytest.raises(Conflict, match="shop was not pushed with git: it runs nginx"):
        sources.plan(here.services, ADMIN, "shop")


def planned(here: Machine, tree: str, app: str = "shop", **words: str) -> list[str]:
    from wherry import clock
    from wherry.services import pushes

    archive = here.services.settings.spool / f"{clock.monotonic()}.tar"
    archive.write_text("".join(f"{key}={value}\n" for key, value in words.items()), "utf-8")
    operation = here.wait(pushes.plan(here.services, ADMIN, app, tree * 40, tree * 40, archive))
    assert operation.state == "succeeded", operation.error
    return [line.strip() for line in here.log(operation)]


def test_a_plan_does_not_guess_what_buildpacks_will_name(here: Machine) -> None:
    assert "processes: those that the buildpacks name" in planned(here, "a", buildpacks="classic")
    assert "process web: the image's own command" in planned(here, "a", buildpacks="dockerfile")


def test_a_plan_of_the_first_push_makes_nothing_not_even_the_app(here: Machine) -> None:
    assert planned(here, "a", image="good", web="run", worker="work") == [
        "-----> Text",
        "process web: run",
        "process worker: work",
        "config vars: none",
        "release: would be v1, the first",
        "would start: web.1",
    ]
    assert apps.every(here.services, ADMIN) == []


def test_a_plan_says_what_would_be_replaced_started_and_ended(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run", clock="tick")
    builds.change(here.services, ADMIN, "shop", {"args": {"TOKEN": "s3cret"}})
    before = here.engine.observe("shop")
    lines = planned(here, "b", image="good", web="run2")
    assert lines[-3:] == ["build settings: arg.TOKEN", "release: would be v2, v1 is current", "would replace: web.1"]
    assert here.engine.observe("shop") == before
    assert [release.version for release in releases.of_app(here.services, ADMIN, "shop")] == ["v1"]


def test_a_plan_of_what_runs_says_so(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    assert planned(here, "a", image="good", web="run")[-1] == "shop already runs this with this config as v1: a deploy would do nothing"
