"""The whole way of a command: program, socket, API, database, reconciler; only the container engine is in memory."""

import json
import re
import tarfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli_support import Ran, real_api, run, run_program
from platform_support import Machine, machine
from wherry.reconciler import storage as work

CASES = tomllib.loads((Path(__file__).parent / "data" / "cli_refusals_by_platform.toml").read_text("utf-8"))["case"]
PROCESSES = {"web": "gunicorn app:app", "worker": "python worker.py"}
KEY = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2cmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZ me@laptop\n"


class Wherry:
    """The command line before a platform with handles on it."""

    def __init__(self, platform: Machine, environ: dict[str, str]) -> None:
        self.platform = platform
        self.environ = environ

    def __call__(self, line: str, stdin: bytes = b"") -> Ran:
        """`line` is split at blanks. Times in what is printed become N, so that it can be compared."""
        ran = run(line.split(" "), self.environ, stdin)
        return Ran(ran.status, steady(ran.out), steady(ran.err))

    def push(self, app: str, tree: str, image: str = "good") -> None:
        operation = self.platform.push(app, tree, image=image, **PROCESSES)
        assert (operation.state == "succeeded") == (image != "crash"), operation.error


def steady(text: str) -> str:
    """Times and operation numbers as N; columns that a time made wider are one again."""
    text = re.sub(r"\b[0-9]+(\.[0-9])? s\b", "N s", text)
    return re.sub(r"operation [0-9]+|operations:(info|log) [0-9]+", lambda found: re.sub("[0-9]+", "N", found[0]), text)


@pytest.fixture(scope="module")
def wherry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wherry]:
    home = tmp_path_factory.mktemp("home")
    with machine(home) as platform, real_api(home) as environ:
        yield Wherry(platform, environ)


@pytest.fixture(scope="module")
def shop(wherry: Wherry) -> Wherry:
    wherry.push("shop", "a")
    return wherry


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(case["words"]).encode("ascii", "backslashreplace").decode())
def test_the_platform_refuses_values_that_are_off_and_makes_nothing(case: dict[str, Any], shop: Wherry) -> None:
    before = run(["operations", "--json"], shop.environ).out
    ran = run(case["words"], shop.environ)
    assert ran.err == case["says"].lstrip("\n") + "\n"
    assert (ran.status, ran.out) == (case["exit"], "")
    assert run(["operations", "--json"], shop.environ).out == before


def test_an_app_is_made_and_told_what_comes_next(wherry: Wherry) -> None:
    assert wherry("apps:create blog") == (
        0,
        "blog is ready for its first push:\n  git remote add wherry ssh://wherry@localhost:2222/blog\n  git push wherry main\n",
        "",
    )
    assert wherry("ps blog").out == "blog  no release  http://blog.localhost\nnothing runs yet; push first: git push wherry main\n"
    assert wherry("releases blog").out == "no release yet; push first: git push wherry main\n"
    assert wherry("rollback blog") == (5, "", "blog has no release yet\nPush first: git push wherry main\n")


def test_scaling_waits_until_it_is_true_and_says_so(wherry: Wherry) -> None:
    wherry.push("scaled", "a")
    ran = wherry("ps:scale scaled web=2")
    assert ran.status == 0
    assert ran.out.splitlines()[-1].startswith("web 1 -> 2")
    assert "web.2 ready in N s" in ran.out
    assert not ran.out.startswith(" ")
    assert wherry("ps:scale web=2 -a scaled") == (0, "scaled has web=2 already; nothing to do\n", "")
    assert wherry("ps scaled").out == (
        "scaled  v2  http://scaled.localhost                      256 MB x 2 web\n"
        "INSTANCE  STATE    SINCE  MEMORY  CPU  RESTARTS\n"
        "web.1     running  N s    -       -    0\n"
        "web.2     running  N s    -       -    0\n"
    )
    assert wherry("ps:scale scaled").out == "web     2\nworker  0\n"
    assert "scaled  web.2     running  N s" in wherry("ps").out


def test_a_rollback_and_the_releases_tell_the_story_of_an_app(wherry: Wherry) -> None:
    wherry.push("story", "a")
    wherry.push("story", "b", image="good2")
    ran = wherry("rollback story")
    assert ran.status == 0
    assert ran.out.splitlines()[-1] == "v3 = v1 (image aaaaaaa, config of v1). Live in N s."
    assert wherry("releases story").out == (
        "v3  N s ago  root   Rollback to v1  live\nv2  N s ago  alice  Deploy bbbbbbb\nv1  N s ago  alice  Deploy aaaaaaa\n"
    )
    assert "commit     " + "a" * 40 in wherry("releases:info story").out
    assert wherry("releases:info story v2").out.startswith("release    v2\n")


def test_two_releases_are_compared_and_tell_what_they_said(wherry: Wherry) -> None:
    wherry.push("compared", "a")
    wherry("config:set compared TOKEN=s3cret")
    wherry("domains:add compared compared.example.org")
    assert wherry("releases:diff compared").out == "compared v2 -> v3\ndomain  compared.example.org  added\n"
    hidden = wherry("releases:diff compared v1 v3").out
    assert hidden == (
        "compared v1 -> v3\n"
        "config  TOKEN                 added\n"
        "domain  compared.example.org  added\n"
        "values of config vars are hidden; --reveal shows them\n"
    )
    assert "config  TOKEN  added: s3cret\n" in wherry("releases:diff compared v2 --reveal").out
    assert wherry("releases:diff compared v2 v2").out == "compared v2 -> v2: no difference\n"
    assert wherry("releases:output compared v1").out.splitlines()[0] == "-----> Built in N s, 1 MB"
    assert wherry("releases:output compared").out == "v3 has no output: nothing had to be started for it\n"
    assert wherry("releases:output compared v9") == (4, "", "no release v9 (v1-v3 exist)\n")
    assert wherry("rollback compared 3") == (0, "compared runs v3 already; nothing to do\n", "")


def test_a_failed_deploy_is_told_once_and_exits_with_1(wherry: Wherry) -> None:
    wherry.push("broken", "a")
    wherry.push("broken", "b", image="crash")
    number = json.loads(run(["operations", "broken", "--json"], wherry.environ).out)["operations"][0]["id"]
    ran = wherry(f"operations:log {number}")
    assert ran.status == 1
    assert ran.err.count(" !     H10 web.1 exited with code 1") == 1
    assert "v1 keeps serving. More: wherry help H10" in ran.err
    assert "-----> Release v2" in ran.out
    assert "failed: " in wherry("releases broken").out.splitlines()[0]
    info = wherry(f"operations:info {number}").out
    assert re.search(r"^operation  [0-9N]+  failed\n", info)
    assert re.search(r"^error      H10 web\.1 exited", info, re.M)


def test_builds_are_listed_shown_and_heard_again_by_number(wherry: Wherry, tmp_path: Path) -> None:
    first = wherry.platform.push("built", "a", image="good", **PROCESSES)
    failed = wherry.platform.push("built", "b", fail="no requirements", image="good")
    waiting = wherry.platform.begin("built", "c", image="good", until=str(tmp_path / "never"))
    wherry.platform.until(lambda: "building" in wherry("builds built").out)
    assert re.sub(" +", " ", wherry("builds built").out) == (
        f"{waiting.id} building ccccccc N s ago alice\n"
        f"{failed.id} failed bbbbbbb N s N s ago alice build_failed no requirements\n"
        f"{first.id} succeeded aaaaaaa text 0 MB N s N s ago alice\n"
    )
    ran = wherry("builds:cancel built")
    assert (ran.status, ran.out) == (0, f"operation {waiting.id} is cancelled\n".replace(str(waiting.id), "N"))
    assert wherry(f"builds:output {first.id}").out.startswith("-----> Built in N s, 1 MB\n-----> Release v1\n")
    assert f"build  {failed.id}  failed\n" in re.sub(" +", "  ", wherry(f"builds:info built {failed.id}").out)
    assert wherry(f"builds:info story {first.id}").err == f"build {first.id} is one of built, not of story\n"
    assert wherry("builds:info").err.startswith("which build? Give its number or an app, e.g. wherry builds:info shop\n")
    assert wherry("builds:info x y").err == 'build "y": give its number, e.g. 41 (see: wherry builds)\n'


@pytest.mark.parametrize("value", ["", " ", "a=b=c", "q\"'`$(id)\\", "bücher \U0001f4da", "line\nline\n", "\t", "-x", "--app"])
def test_config_values_arrive_byte_for_byte(value: str, wherry: Wherry) -> None:
    wherry("apps:create values")
    run(["config:set", "values", f"WORD={value}"], wherry.environ)
    piped = run(["config:set", "values", "PIPED"], wherry.environ, stdin=value.encode())
    if not value:
        assert piped.err.startswith('"PIPED": nothing came on standard input'), "what should have written there may have failed"
        return
    found = json.loads(run(["config", "values", "--json"], wherry.environ).out)["config_vars"]
    assert (found["WORD"], found["PIPED"]) == (value, value)
    assert run_program(["config:get", "values", "WORD"], wherry.environ).out == value.removesuffix("\n") + "\n"


def test_an_exported_config_is_imported_as_it_was(wherry: Wherry) -> None:
    wherry("apps:create source")
    wherry("apps:create copy")
    odd = {"PEM": "-----BEGIN\nabc\n-----END\n", "QUOTES": "a'b\"c $HOME `id` \\", "EMPTY": "", "BOAT": "🛶", "TAIL": "\\"}
    assert run(["config:import", "source"], wherry.environ, stdin=json.dumps(odd).encode()).status == 0
    for form in ("envfile", "shell", "json"):
        text = run(["config:export", "source", "-f", form], wherry.environ).out
        run(["config:clear", "copy"], wherry.environ)
        assert run(["config:import", "copy"], wherry.environ, stdin=text.encode()).status == 0
        assert json.loads(run(["config", "copy", "--json"], wherry.environ).out)["config_vars"] == odd
    assert "EMPTY   (empty)\n" in run(["config", "copy"], wherry.environ).out


def test_global_config_and_no_restart_say_what_they_do(wherry: Wherry) -> None:
    wherry.push("globe", "a")
    ran = wherry("config:set --global ZONE=UTC -h")
    assert "--global" in ran.out
    ran = wherry("config:set --global ZONE=UTC")
    assert ran.out.splitlines()[0].startswith("the global config is changed; a release of ") and "globe:\n" in ran.out
    assert "Set global ZONE. v2 live in N s" in ran.out
    assert wherry("config globe").out == "ZONE  ******  global\n"
    assert wherry("config --global --reveal").out == "ZONE  UTC\n"
    assert wherry("config:get --global ZONE").out == "UTC\n"
    assert wherry("config:unset globe ZONE").status == 5
    kept = wherry("config:set globe A=1 --no-restart")
    assert kept.out == "Set A. v3 is kept, in force with the next release or: wherry ps:restart globe\n"
    assert wherry("config globe").out == "A     ******\nZONE  ******  global\nnot in the instances yet: A (wherry ps:restart globe)\n"
    assert wherry("config:export globe").out == "A=1\n"
    assert wherry("config:export globe --merged -f shell").out == "export A=1\nexport ZONE=UTC\n"
    assert wherry("config:clear --global").status == 0
    assert wherry("config --global").out == "there are no config vars\n"
    assert wherry("config:clear --global").out == "there are no global config vars; nothing to do\n"


def test_over_ssh_no_file_of_the_machine_is_opened(wherry: Wherry) -> None:
    ran = run(["config:import", "globe", "/etc/hostname"], {**wherry.environ, "WHERRY_VIA": "ssh"})
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith('over ssh give "/etc/hostname" on standard input: ssh … config:import')


def test_config_of_a_running_app_makes_one_release_and_shows_whole_values(wherry: Wherry) -> None:
    wherry.push("conf", "a")
    ran = wherry("config:set conf B=2 A=1")
    assert ran.status == 0
    assert ran.out.splitlines()[-1] == "Set A, B. v2 live in N s"
    assert wherry("config conf").out == "A  ******\nB  ******\n"
    assert wherry("config conf --reveal").out == "A  1\nB  2\n"
    assert wherry("config:keys conf").out == "A\nB\n"
    assert wherry("config:get conf B").out == "2\n"
    assert wherry("config:unset conf A").status == 0
    assert wherry("config:unset conf A") == (0, "conf has no config var A; nothing to do\n", "")
    assert wherry("config conf --json").out.count('"B": "2"') == 1


def test_events_tell_who_changed_what(wherry: Wherry) -> None:
    wherry.push("audited", "a")
    wherry("config:set audited A=1")
    shown = wherry("events audited --type config")
    assert [line.split()[3:] for line in shown.out.splitlines()] == [
        ["root", "local", "config.requested", shown.out.splitlines()[0].split()[-1]],
        ["root", "operation", "config.succeeded", *shown.out.splitlines()[1].split()[-2:]],
    ]
    assert shown.out.splitlines()[1].endswith("release=v2")
    assert wherry("events audited --type config --by nobody") == (0, "no such event\n", "")
    assert wherry("events --type app.created -n 1").out.split()[3] == "audited"
    assert wherry("events audited --type App").status == 2


def test_stop_start_and_restart_say_what_became_true(wherry: Wherry) -> None:
    wherry.push("cycle", "a")
    assert wherry("ps:restart cycle web.1").out.splitlines()[-1] == "web.1 restarted in N s"
    assert wherry("ps:stop cycle") == (0, "cycle stopped; visitors get 503. Start it again: wherry ps:start cycle\n", "")
    assert wherry("ps cycle").out.splitlines()[-1] == "nothing runs; start it: wherry ps:start cycle"
    assert wherry("ps:restart cycle") == (5, "", "cycle is stopped\nStart it: wherry ps:start cycle\n")
    assert wherry("ps:start cycle").out.splitlines()[-1] == "cycle started in N s"
    assert re.search(r"^cycle +v1 +1 web +http://cycle.localhost$", wherry("apps").out, re.M)


def test_destroying_asks_for_the_name_and_says_what_goes(wherry: Wherry) -> None:
    wherry.platform.engine.images.add("good of doomed")
    wherry.push("doomed", "a", image="good of doomed")
    question = (
        "This deletes doomed, its 1 instance and 1 release. Nothing brings them back.\nType doomed to go on, or pass --confirm doomed: "
    )
    assert wherry("apps:destroy doomed", b"no\n") == (2, "", question + "doomed stays: its name was not typed\n")
    assert wherry("apps:destroy doomed") == (2, "", question + "\ndoomed stays: its name was not typed\n")
    ran = wherry("apps:destroy doomed", b"doomed\n")
    assert ran == (0, "doomed is destroyed\n", question)
    assert wherry("apps:info doomed").status == 4


def test_no_wait_gives_the_operation_and_json_the_finished_one(wherry: Wherry) -> None:
    wherry.push("later", "a")
    assert wherry("ps:restart later --no-wait") == (0, "operation N is queued; follow it with: wherry operations:log N\n", "")
    document = json.loads(run(["ps:scale", "later", "web=2", "--json"], wherry.environ).out)
    assert (document["state"], document["request"]) == ("succeeded", {"formation": {"web": 2}})
    listed = wherry("operations later").out
    assert re.search(r"^[0-9]+ +N s ago +root +succeeded +scale later web=2", listed, re.M)


def test_people_keys_and_tokens_come_and_go(wherry: Wherry) -> None:
    assert wherry("users:add carol --role read").out.startswith("carol is here with the role read; give a key: ")
    assert re.search(r"^carol +read +- +N s ago$", wherry("users:list").out, re.M)
    added = wherry("keys:add laptop -u carol", KEY)
    assert added.out.startswith("laptop may push as carol (SHA256:")
    fingerprint = re.findall(r"SHA256:[^)]+", added.out)[0]
    assert re.search(rf"^laptop +carol +N s ago +{re.escape(fingerprint)}$", wherry("keys:list").out, re.M)
    assert wherry(f"keys:remove {fingerprint}") == (0, f"{fingerprint} may no longer push\n", "")
    made = run(["tokens:create", "ci", "--days", "90", "-u", "carol"], wherry.environ)
    assert made.err == "This is shown once. carol, role read, expires in 90 days.\n"
    assert re.search(r"^ci +carol +read +wherry_\w+ +never +in 90 days$", wherry("tokens:list").out, re.M)
    away = {"WHERRY_API_URL": f"http://127.0.0.1:{wherry.environ['WHERRY_API_PORT']}", "WHERRY_TOKEN": made.out.strip()}
    assert run(["version"], away).out == "wherry 0.1.0 (platform 0.1.0)\n"
    refused = run(["apps:create", "hers"], away)
    assert (refused.status, refused.out) == (3, "")
    assert refused.err.startswith("carol (read) may not ")
    assert wherry("tokens:revoke ci") == (0, "ci is revoked\n", "")
    assert run(["apps"], away).status == 3
    assert wherry("users:remove carol") == (0, "carol is removed, with all keys and tokens\n", "")


def test_the_ssh_receiver_speaks_for_a_person(wherry: Wherry) -> None:
    wherry("users:add dora --role deploy")
    environ = {**wherry.environ, "WHERRY_ACTOR": "dora", "WHERRY_VIA": "ssh"}
    run(["apps:create", "doras"], environ)
    assert "by dora" in wherry("apps:info doras").out
    assert run(["users:list"], environ).status == 3


def test_completion_knows_apps_keys_processes_and_releases(shop: Wherry) -> None:
    run(["apps:create", "values2"], shop.environ)
    run(["config:set", "values2", "GREETING=hello"], shop.environ)

    def completed(*words: str) -> list[str]:
        return run(["completion", "--", *words], shop.environ).out.split()

    assert completed("ps:sc") == ["ps:scale"]
    assert "shop" in completed("ps:scale", "sh")
    assert completed("ps:scale", "shop", "") == ["web=", "worker="]
    assert completed("ps:scale", "-a", "shop", "wo") == ["worker="]
    assert completed("ps:restart", "shop", "web") == ["web", "web.1"]
    assert "v1" in completed("rollback", "shop", "v")
    assert completed("config:get", "values2", "G") == ["GREETING"]
    assert completed("logs", "shop", "--so") == ["--source"]
    assert completed("logs", "shop", "-p", "w") == ["web", "web.1"]
    assert completed("tokens:create", "x", "--role", "a") == ["admin"]
    assert completed("ps", "nosuch", "x") == completed("nosuch", "") == completed("config:get", "../x", "") == []


def test_build_settings_are_told_and_changed_in_dokkus_words_too(wherry: Wherry) -> None:
    wherry("apps:create mono")
    assert wherry("build mono").out == "mono is built as its source says\n"
    wherry("build:set mono dir=apps/web arg.A=x=y")
    said = wherry("builder:set mono dockerfile-path docker/Prod").out
    assert said.splitlines() == [
        "dir         apps/web",
        "dockerfile  docker/Prod",
        "arg.A       x=y",
        "It holds from the next build on: git push, or wherry ps:rebuild mono",
    ]
    wherry("builder:set mono build-dir")
    wherry("build:unset mono dockerfile args")
    assert wherry("build mono").out == "mono is built as its source says\n"
    assert "give dir=apps/web" in wherry("build:set mono colour=red").err
    assert wherry("builder:set mono nix").err.startswith('builder "nix": give one of')


def test_buildpacks_are_listed_in_the_order_in_which_they_run(wherry: Wherry) -> None:
    wherry("apps:create packs")
    wherry("buildpacks:add packs heroku/python")
    said = wherry("buildpacks:add packs heroku/nodejs -i 1").out
    assert said.splitlines() == [
        "1  https://github.com/heroku/heroku-buildpack-nodejs.git",
        "2  https://github.com/heroku/heroku-buildpack-python.git",
    ]
    assert "it has: https://github.com/heroku/heroku-buildpack-nodejs.git" in wherry("buildpacks:remove packs heroku/go").err
    assert wherry("buildpacks:remove packs heroku/nodejs").out == "1  https://github.com/heroku/heroku-buildpack-python.git\n"
    assert wherry("buildpacks:set packs heroku/go").out == "1  https://github.com/heroku/heroku-buildpack-go.git\n"
    assert wherry("buildpacks:clear packs").out == "packs has no classic buildpack\n"


def test_a_deploy_key_is_printed_alone_so_that_it_can_be_piped(wherry: Wherry) -> None:
    wherry("apps:create keyed")
    assert re.fullmatch(r"ssh-ed25519 \S+ wherry-keyed\n", wherry("git:public-key keyed").out)


def test_an_image_is_deployed_by_name_and_told_in_the_history(wherry: Wherry) -> None:
    wherry.platform.outside.builder.registry["nginx:1.27"] = "good"  # type: ignore[attr-defined]
    said = wherry("git:from-image web nginx:1.27")
    assert said.out.splitlines()[0] == "-----> Fetching nginx:1.27 from docker.io"
    assert "nothing to do" in wherry("git:from-image web nginx:1.27").out
    assert "deploy web nginx:1.27" in wherry("operations web").out
    assert wherry("plan web").err.startswith("web was not pushed with git: it runs nginx:1.27")
    assert wherry("git:from-image web UPPER").err.startswith("image 'UPPER': give a name such as")


def test_a_login_takes_its_password_from_standard_input(wherry: Wherry) -> None:
    wherry.platform.outside.builder.doors["ghcr.io"] = ("me", "s3cret")  # type: ignore[attr-defined]
    assert wherry("registry").out == "logged in nowhere; public images need no login\n"
    wrong = wherry("registry:login ghcr.io me", b"wr0ng\n")
    assert (wrong.status, wrong.err.splitlines()[0]) == (1, " !     ghcr.io refuses this user and password")
    assert wherry("registry:login ghcr.io me --password-stdin", b"s3cret\n").out == "logged in at ghcr.io as me\n"
    assert "ghcr.io" in wherry("registry").out and "s3cret" not in wherry("registry --json").out
    assert "login ghcr.io" in wherry("operations").out
    assert wherry("registry:logout ghcr.io").out == "logged out at ghcr.io\n"


def test_a_volume_is_made_mounted_looked_at_unmounted_and_destroyed(wherry: Wherry) -> None:
    wherry.push("disk", "a")
    assert wherry("storage:list disk").out == "disk has no volume; make one: wherry storage:create disk uploads\n"
    made = wherry("storage:create disk data").out
    assert made == "disk has the volume data. Mount it: wherry storage:mount disk data:/app/data\n"
    assert wherry("storage:create disk data").err.startswith("disk has a volume data already")
    unseen = (5, "", "data is not mounted\nMount it first: wherry storage:mount disk data:/app/data\n")
    assert wherry("storage:export disk data") == wherry("storage:import disk data") == unseen
    unknown = 'no process "wb"; this release has: web, worker\n'
    assert wherry("storage:mount disk data:/app/data --types wb") == (2, "", unknown)
    mounted = wherry("storage:mount disk data:/app/data --types web").out.splitlines()
    assert mounted[-1] == "Mount data at /app/data in web. v2 live in N s"
    assert wherry("storage:mount disk data:/app/data --types web").out == "data is mounted at /app/data already; nothing to do\n"
    assert wherry("storage:list disk").out == ("VOLUME  SIZE  WRITTEN BY     MOUNTED AT\ndata    -     one at a time  /app/data in web\n")
    assert re.search(r"^size +- \(not measured yet\)$", wherry("storage:info disk data").out, re.M)
    assert wherry("storage:import disk data").err == "disk runs and may write to data\nStop it first: wherry ps:stop disk\n"
    refused = "data is written to by one instance at a time, and these would: web=2\n"
    assert wherry("ps:scale disk web=2").err.startswith(refused)
    assert wherry("storage:share disk data").out == "data of disk may be written to by several instances\n"
    assert wherry("storage:unshare disk data").out == "data of disk is written to by one instance at a time\n"
    again = wherry("ps:restart disk").out.splitlines()
    assert again[0] == "web.1 of v2 stopped first, in N s" and "requests waited meanwhile, N s at the most" in again
    assert wherry("storage:destroy disk data").err == "data is mounted in disk\nUnmount it first: wherry storage:unmount disk data\n"
    assert wherry("storage:unmount disk data").out.splitlines()[-1] == "Unmount data from /app/data. v3 live in N s"
    wherry.platform.until(lambda: len(wherry.platform.engine.observe("disk")) == 1)
    question = 'This deletes the volume "data" of disk. Nothing brings it back.\nType data to go on, or pass --confirm data: '
    assert wherry("storage:destroy disk data", b"no\n") == (2, "", question + "data stays: its name was not typed\n")
    assert wherry("storage:destroy disk data", b"data\n") == (0, "data of disk is destroyed\n", question)


def test_destroying_an_app_names_its_volumes_with_their_sizes(wherry: Wherry) -> None:
    wherry("apps:create full")
    wherry("storage:create full data")
    assert wherry("storage:mount full data:/data").out == "full has its volumes so from its first deploy on\n"
    wherry.push("full", "a")
    work.measure(wherry.platform.outside)
    with wherry.platform.outside.database.write() as connection:
        connection.execute("UPDATE volumes SET size = 1288490189")
    asked = wherry("apps:destroy full", b"no\n").err
    assert asked.startswith('This deletes full, its 1 instance, 1 release and the volume "data" (1.2 GB). Nothing brings them back.\n')


def test_the_doctor_is_asked_over_the_api_and_its_status_tells_whether_something_is_broken(wherry: Wherry, tmp_path: Path) -> None:
    """What it finds depends on the machine that the tests run on; that it looks at this platform's own state does not."""
    ran = run(["doctor", "--bundle", "-o", str(tmp_path / "bundle.tar.gz")], wherry.environ)
    assert "ok    database: whole" in ran.out, ran
    broken = any(line.startswith("fail") for line in ran.out.splitlines())
    assert ran.status == (1 if broken else 0)
    with tarfile.open(tmp_path / "bundle.tar.gz") as archive:
        assert any(name.endswith("/doctor.json") for name in archive.getnames())


def test_what_a_log_keeps_is_shown_and_set(shop: Wherry) -> None:
    assert shop("logs:set shop").out.splitlines() == [
        "router lines   on",
        "query strings  left out",
        "kept on disk   as much as WHERRY_LOG_SIZE says",
    ]
    assert "router lines   off" in shop("logs:set shop router=off max-size=2").out
    again = shop("logs:set shop router=off")
    assert (again.status, again.out) == (0, "the log of shop is kept like that already; nothing to do\n")
    assert "kept on disk   32 MB" in shop("logs:set shop max-size 32m").out


def test_drains_are_listed_without_their_secrets(shop: Wherry) -> None:
    assert shop("drains shop").out == "shop has no drains; its log stays here\n"
    assert (
        "shop drains to https://***@192.88.99.1/*** from now on, as d." in shop("drains:add shop https://me:s3cret@192.88.99.1/s3cret").out
    )
    assert "s3cret" not in shop("drains shop").out + shop("drains shop --json").out + shop("events shop").out
    assert shop("drains:remove shop https://me:s3cret@192.88.99.1/s3cret").status == 0


def test_so_many_more_or_fewer_as_heroku_has_it(wherry: Wherry) -> None:
    wherry.push("delta", "a")
    assert wherry("ps:scale delta web+2 worker+1").out.startswith("web 1 -> 3, worker 0 -> 1: ")
    assert wherry("ps:scale delta web-1 worker-5").out == "web 3 -> 2, worker 1 -> 0\n"
    assert wherry("ps:scale delta web+49") == (2, "", "web=51: give a whole number from 0 to 50, e.g. web=2\n")
    assert wherry("ps:scale delta nope+1") == (2, "", 'no process "nope"; this release has: web, worker\n')


def test_what_is_to_be_removed_and_is_not_there_is_named(wherry: Wherry) -> None:
    wherry("apps:create bare")
    assert wherry("config:unset bare NOPE KEY").out == "bare has no config var KEY, NOPE; nothing to do\n"
    assert wherry("config:unset --global NOPE").out == "the global config has no config var NOPE; nothing to do\n"
    assert wherry("config:set bare KEY") == (2, "", '"KEY": nothing came on standard input; give KEY=value, or KEY= for an empty one\n')
    assert wherry("config:set bare KEY=").status == 0


def test_a_name_that_an_app_has_already_is_nothing_to_do(wherry: Wherry) -> None:
    wherry("apps:create named")
    assert wherry("apps:rename named named") == (0, "named is its name already; nothing to do\n", "")


def test_an_app_that_answers_nowhere_is_shown_without_an_address(wherry: Wherry) -> None:
    wherry("apps:create hidden")
    wherry("domains:remove hidden hidden.localhost")
    assert "url      none: add a domain with wherry domains:add hidden shop.example.org\n" in wherry("apps:info hidden").out
    assert wherry("open hidden") == (5, "", "hidden answers nowhere\nAdd one: wherry domains:add hidden shop.example.org\n")
    wherry("domains:add hidden *.hidden.example.org")
    assert wherry("open hidden").status == 5
    wherry("maintenance:on hidden")
    assert wherry("ps hidden").out.startswith("hidden  no release  no address")
    assert re.search(r"^hidden +- +-, in maintenance +-$", wherry("apps").out, re.M)


def test_what_is_not_there_is_not_passed_over_in_silence(wherry: Wherry) -> None:
    wherry("apps:create quiet")
    assert wherry("logs quiet --grep nothing-of-the-kind") == (0, "", "no such line in the log of quiet\n")
    assert wherry("labels:unset quiet env").out == "quiet has no label env; nothing to do\n"
    assert wherry("ps:scale quiet web=2").out == "quiet has no release yet; its first will have this\n"
    assert "are under its old name" in wherry("builds:output quiet").err
