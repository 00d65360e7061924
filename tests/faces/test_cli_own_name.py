"""A platform that is not called wherry, as its person meets it: every way out that it names can be typed there."""

from collections.abc import Iterator

import pytest

from cli_support import real_api, run
from platform_support import ADMIN, Machine, machine
from wherry.services import checks


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Machine, dict[str, str]]]:
    home = tmp_path_factory.mktemp("home")
    with machine(home, WHERRY_NAME="trial") as platform, real_api(home, WHERRY_NAME="trial") as environ:
        platform.push("shop", "a", image="good", web="run")
        yield platform, environ


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("foo", 'unknown command "foo"; see: trial help\n'),
        ("ps nope", "no app 'nope'\nSee yours with: trial apps\n"),
        ("ps:scale", "ps:scale: APP is missing\nusage: trial ps:scale APP [TYPE=N…], e.g. trial ps:scale shop web=3\n"),
        ("domains:remove shop a.org", "shop has no domain a.org\nSee them with: trial domains shop\n"),
    ],
)
def test_a_refusal_names_the_platforms_own_command(line: str, told: str, trial: tuple[Machine, dict[str, str]]) -> None:
    assert run(line.split(), trial[1]).err == told


def test_answers_help_and_operations_name_the_platforms_own_command(trial: tuple[Machine, dict[str, str]]) -> None:
    platform, environ = trial
    assert run(["apps:lock", "shop"], environ).out.endswith("Unlock it: trial apps:unlock shop\n")
    run(["apps:unlock", "shop"], environ)
    screen = run(["help"], environ).out.splitlines()
    assert [line.index(word) for line in screen[2:4] for word in ("build it", "what runs") if word in line] == [35, 35]
    assert screen[3].startswith("  trial ps shop    ")
    assert run(["help", "ps:scale"], environ).out.startswith("usage: trial ps:scale APP")
    assert "git push wherry main" in run(["apps:create", "other"], environ).out
    assert "  $ trial ps:stop shop worker" in run(["help", "ps:stop"], environ).out
    assert run(["ps:stop", "shop"], environ).out.endswith("Start it again: trial ps:start shop\n")
    failed = platform.push("broken", "b", image="crash", web="run")
    assert platform.log(failed)[-1].endswith("More: trial help H10")


def test_the_way_out_of_a_failed_operation_is_told_and_kept_in_the_platforms_own_name(trial: tuple[Machine, dict[str, str]]) -> None:
    platform, _ = trial
    platform.push("down", "c", image="good", worker="run")
    failed = platform.wait(checks.run(platform.services, ADMIN, "down", "web.1"))
    assert failed.error == {"code": "nothing_runs", "message": "web.1 does not run", "hint": "See: trial ps down"}
    assert "       See: trial ps down" in platform.log(failed)


def test_git_goes_to_the_user_whom_the_receiver_knows_whatever_the_platform_is_called(trial: tuple[Machine, dict[str, str]]) -> None:
    assert "git      ssh://wherry@localhost:2222/shop\n" in run(["apps:info", "shop"], trial[1]).out


def test_what_people_gave_is_shown_as_it_is(trial: tuple[Machine, dict[str, str]]) -> None:
    _, environ = trial
    run(["apps:create", "kept"], environ)
    run(["config:set", "kept", "GREETING=wherry ps hi"], environ)
    assert "wherry ps hi" in run(["config", "kept", "--reveal"], environ).out
    assert run(["labels:set", "kept", "note=wherry logs"], environ).out == "note=wherry logs\n"
    assert run(["labels", "kept"], environ).out == "note=wherry logs\n"
    run(["apps:lock", "kept", "until", "wherry", "ps", "works"], environ)
    shown = run(["apps:info", "kept"], environ).out
    assert "until wherry ps works" in shown
    assert "trial domains:add" not in shown
    refused = run(["labels:set", "kept", "note=x"], environ).err
    assert refused.startswith("kept is locked by ")
    assert refused.endswith(": until wherry ps works\nUnlock it: trial apps:unlock kept\n")
    assert "UTC: until wherry ps works" in run(["labels:set", "kept", "note=x", "--json"], environ).err
    run(["apps:unlock", "kept"], environ)


def test_what_a_build_said_is_shown_as_it_is(trial: tuple[Machine, dict[str, str]]) -> None:
    platform, environ = trial
    said = "the build stopped at RUN wherry ps: exit code 1"
    failed = platform.push("talker", "e", fail=said, image="good")
    assert (failed.error or {})["message"] == said
    assert any(line == f" !     {said}" for line in platform.log(failed))
    followed = run(["builds:output", str(failed.id)], environ)
    assert said in followed.out + followed.err
    assert f"error      {said}" in run(["operations:info", str(failed.id)], environ).out


def test_the_ways_on_from_an_operation_and_a_build_are_the_platforms_own(trial: tuple[Machine, dict[str, str]]) -> None:
    platform, environ = trial
    failed = platform.push("wordy", "d", fail="no such file", image="good")
    assert f"trial operations:log {failed.id}" in run(["operations:info", str(failed.id)], environ).out
    assert f"trial builds:output {failed.id}" in run(["builds:info", "wordy"], environ).out
