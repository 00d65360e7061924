"""How an app is built: shown, changed, and a reason to build the same tree anew."""

import pytest

from stored_platform import DEPLOYER, READER, deployed, event_types
from wherry.errors import Forbidden, InvalidInput, NothingToDo
from wherry.model.build_settings import BuildSettings
from wherry.services import apps, builds, pushes
from wherry.services.platform import Platform


@pytest.fixture(autouse=True)
def shop(platform: Platform) -> None:
    apps.create(platform, DEPLOYER, "shop")


def test_what_is_set_is_there_and_what_is_unset_has_its_default(platform: Platform) -> None:
    builds.change(platform, DEPLOYER, "shop", {"dir": "apps/web/", "dockerfile": "./docker/Prod", "args": {"A": "1", "B": ""}})
    builds.change(platform, DEPLOYER, "shop", {"args": {"A": None}, "dir": None})
    assert builds.settings_of(platform, DEPLOYER, "shop") == BuildSettings("", "docker/Prod", {"B": ""})
    assert event_types(platform)[-1] == "build.changed"


def test_the_same_again_is_nothing_to_do(platform: Platform) -> None:
    builds.change(platform, DEPLOYER, "shop", {"builder": "dockerfile"})
    with pytest.raises(NothingToDo):
        builds.change(platform, DEPLOYER, "shop", {"builder": "dockerfile"})


def test_other_build_settings_make_the_same_tree_worth_a_deploy(platform: Platform) -> None:
    deployed(platform)
    assert pushes.already_running(platform, "shop", "t" * 40) == "v1"
    builds.change(platform, DEPLOYER, "shop", {"args": {"A": "1"}})
    assert pushes.already_running(platform, "shop", "t" * 40) is None
    builds.change(platform, DEPLOYER, "shop", {"args": {"A": None}})
    assert pushes.already_running(platform, "shop", "t" * 40) == "v1"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("heroku/python", "https://github.com/heroku/heroku-buildpack-python.git"),
        ("heroku/heroku-buildpack-go#v1", "https://github.com/heroku/heroku-buildpack-go.git#v1"),
        ("someone/pack", "https://github.com/someone/pack.git"),
        ("https://example.org/pack.git#main", "https://example.org/pack.git#main"),
        ("https://example.org/pack.tgz", "https://example.org/pack.tgz"),
    ],
)
def test_a_buildpack_may_be_named_as_on_heroku(platform: Platform, given: str, url: str) -> None:
    assert builds.change(platform, DEPLOYER, "shop", {"buildpacks": [given]}).buildpacks == (url,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dir": "../other"}, "give a path inside the source, e.g. apps/web"),
        ({"dir": "/etc"}, "give a path inside the source"),
        ({"dir": "a/../../b"}, "give a path inside the source"),
        ({"dockerfile": "$(id)"}, "e.g. docker/Dockerfile.prod"),
        ({"builder": "nix"}, 'builder "nix": give one of dockerfile, buildpack, classic, cnb'),
        ({"builder": "classic:heroku/builder:24"}, "or cnb:IMAGE"),
        ({"builder": "cnb:"}, "image ''"),
        ({"builder": "cnb:Not An Image"}, "image 'Not An Image': give a name such as"),
        ({"args": {"1A": "x"}}, "use letters, digits"),
        ({"args": {"A": "\0"}}, "no NUL byte"),
        ({"buildpacks": ["ext::sh -c id"]}, "give https://HOST/PATH.git"),
        ({"buildpacks": ["http://example.org/a.git"]}, "give https://HOST/PATH.git"),
        ({"buildpacks": ["https://user:secret@example.org/a.git"]}, "give https://HOST/PATH.git"),
        ({"buildpacks": ["heroku/go", "heroku/go"]}, "is given twice"),
        ({}, "nothing to set"),
    ],
)
def test_what_is_off_is_refused_with_its_form(platform: Platform, changes: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        builds.change(platform, DEPLOYER, "shop", changes)
    assert builds.settings_of(platform, DEPLOYER, "shop") == BuildSettings()


def test_a_reader_may_not_look_at_args_nor_change_them(platform: Platform) -> None:
    with pytest.raises(Forbidden):
        builds.settings_of(platform, READER, "shop")
    with pytest.raises(Forbidden):
        builds.change(platform, READER, "shop", {"dir": "web"})
