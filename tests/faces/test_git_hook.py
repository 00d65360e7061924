"""Pushes by the real git over the real receiver into the real hook; only the engine behind the database is a stand-in."""

import os
import shutil
import signal
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from git_server_support import https_git, repository
from receiving_support import Engine, Person, Place, admin, person, place, waiting_hook
from waiting import within
from wherry import clock
from wherry.model.operation import Operation
from wherry.receiving import repositories
from wherry.store import apps, operations


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("place")) as found, waiting_hook(found.settings.hook_socket):
        yield found


@pytest.fixture(scope="module")
def people(here: Place, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Person]:
    folder = tmp_path_factory.mktemp("people")
    found = {name: person(folder, name, here.port) for name in ("ada", "bob", "rita")}
    for name, role in (("ada", "admin"), ("bob", "deploy"), ("rita", "read")):
        here.add_user(name, role, found[name].public_key)
    return found


@pytest.fixture
def ada(people: dict[str, Person], tmp_path: Path) -> Person:
    return Person(people["ada"].home, people["ada"].port, tmp_path)


@pytest.fixture
def bob(people: dict[str, Person], tmp_path: Path) -> Person:
    return Person(people["bob"].home, people["bob"].port, tmp_path)


@pytest.fixture
def engine(here: Place) -> Iterator[Engine]:
    with Engine(here) as found:
        yield found


def said(output: str) -> list[str]:
    """What the platform said, without git's `remote: `."""
    return [line.removeprefix("remote: ").rstrip() for line in output.splitlines() if line.startswith("remote: ")]


# a push goes live


def test_the_first_push_makes_the_app_and_shows_the_deploy_from_its_first_line(here: Place, ada: Person, engine: Engine) -> None:
    work = ada.project()
    commit = ada.git(work, "rev-parse", "--short=7", "HEAD").stdout.strip()
    done = ada.push(work, "first")
    (operation,) = here.operations("first")
    assert done.returncode == 0
    assert said(done.stdout) == [
        f"-----> first at {commit} by ada. Neither Ctrl-C nor a lost connection stops it: wherry builds:cancel {operation.id} does",
        "-----> Python 3.11",
        "-----> Release v1",
        "-----> Live in 0.1 s: http://shop.localhost",
    ]
    assert here.head("first") == operation.payload["commit"]


def test_the_engine_gets_exactly_the_committed_tree(here: Place, ada: Person, engine: Engine) -> None:
    work = ada.project(
        files={
            "app.py": "print(1)\n",
            "lib/caf\u00e9.txt": "x",
            "run.sh": "#!/bin/sh\n",
            ".gitattributes": "docs export-ignore\n",
            "docs": "y",
        }
    )
    (work / "run.sh").chmod(0o755)
    (work / "untracked").write_text("not me")
    ada.git(work, "commit", "-qam", "mode")
    assert ada.push(work, "exact").returncode == 0
    (operation,) = here.operations("exact")
    archive = here.settings.spool / operation.payload["archive"]
    with tarfile.open(archive) as tar:
        files = {member.name: member.mode & 0o777 for member in tar.getmembers() if member.isfile()}
    assert set(files) == {"app.py", "lib/caf\u00e9.txt", "run.sh", ".gitattributes"}
    assert files["run.sh"] & 0o111
    assert archive.stat().st_mode & 0o777 == 0o640
    assert operation.payload["tree"] == ada.git(work, "rev-parse", "HEAD^{tree}").stdout.strip()


def test_master_deploys_too(here: Place, ada: Person, engine: Engine) -> None:
    assert ada.push(ada.project(), "old-habit", "main:master").returncode == 0
    assert here.head("old-habit", "refs/heads/master")


def test_what_was_pushed_can_be_cloned(here: Place, ada: Person, bob: Person, engine: Engine, tmp_path: Path) -> None:
    work = ada.project(files={"app.py": "print(42)\n"})
    ada.push(work, "cloned")
    done = bob.git(tmp_path, "clone", "-q", bob.url("cloned.git"), "copy", check=False)
    assert (tmp_path / "copy" / "app.py").read_text() == "print(42)\n", done.stdout


def test_a_failed_deploy_refuses_the_push_and_shows_why(here: Place, ada: Person, engine: Engine) -> None:
    engine.work = lambda engine, operation: fails(engine, operation)
    work = ada.project()
    done = ada.push(work, "broken")
    assert done.returncode == 1
    assert said(done.stdout)[-2:] == [" !     R10 web.1 opened no port within 60 s", "       Last lines of web.1:"]
    assert "! [remote rejected] main -> main (pre-receive hook declined)" in done.stdout
    assert here.head("broken") == ""
    engine.work = Engine.work
    assert ada.push(work, "broken").returncode == 0


def fails(engine: Engine, operation: Operation) -> str:
    engine.say(operation, " !     R10 web.1 opened no port within 60 s", "       Last lines of web.1:")
    return "failed"


def test_push_options_reach_the_engine(here: Place, ada: Person, engine: Engine) -> None:
    work = ada.project()
    assert ada.push(work, "options", "-o", "nocache", "main").returncode == 0
    assert here.operations("options")[0].payload["options"] == ["nocache"]


def test_an_unknown_push_option_is_named_and_nothing_is_left(here: Place, ada: Person, engine: Engine) -> None:
    before = set(here.settings.spool.glob("*"))
    done = ada.push(ada.project(), "options2", "-o", "$(id)", "main")
    assert done.returncode == 1
    known = "force (deploy anyway), nocache (build every layer anew) and plan (only say what would be done)"
    assert said(done.stdout) == [f" !     push option '$(id)': known are {known}, e.g. git push -o force"]
    assert set(here.settings.spool.glob("*")) == before


def test_a_plan_takes_nothing_and_makes_nothing(here: Place, ada: Person) -> None:
    def outline(engine: Engine, operation: Operation) -> str:
        engine.say(operation, "-----> Python 3.11", "       release: would be v1, the first")
        return "succeeded"

    work = ada.project()
    with Engine(here, outline):
        done = ada.push(work, "planned", "-o", "plan", "main")
    assert done.returncode == 1
    assert said(done.stdout)[1:] == [
        "-----> Python 3.11",
        "       release: would be v1, the first",
        "       This was a plan (-o plan): nothing was built, nothing changed. git says rejected, for it took nothing.",
    ]
    assert [operation.kind for operation in here.operations("planned")] == ["plan"]
    assert here.head("planned") == ""
    with here.platform.database.read() as connection:
        assert apps.find(connection, "planned") is None


# nothing is done twice


def test_the_same_tree_again_is_taken_without_a_deploy(here: Place, ada: Person, engine: Engine) -> None:
    work = ada.project()
    ada.push(work, "twice")
    again = ada.commit(work, {})
    done = ada.push(work, "twice")
    assert done.returncode == 0
    assert said(done.stdout) == [
        f"       twice already runs {again[:7]} with this config as v1; nothing to do (push -o force to deploy anyway)"
    ]
    assert len(here.operations("twice")) == 1
    assert here.head("twice") == again


def test_the_same_tree_with_force_is_deployed_again(here: Place, ada: Person, engine: Engine) -> None:
    work = ada.project()
    ada.push(work, "forced")
    ada.commit(work, {})
    assert ada.push(work, "forced", "-o", "force", "main").returncode == 0
    assert len(here.operations("forced")) == 2


def test_a_rewritten_history_is_deployed(here: Place, ada: Person, engine: Engine) -> None:
    work = ada.project()
    ada.push(work, "rewritten")
    (work / "Procfile").write_text("web: true\n")
    ada.git(work, "commit", "-q", "-a", "--amend", "-m", "other")
    assert ada.push(work, "rewritten").returncode == 1
    assert ada.push(work, "rewritten", "--force", "main").returncode == 0
    assert len(here.operations("rewritten")) == 2


# refused before any work


def refused(here: Place, done: subprocess.CompletedProcess[str], app: str) -> list[str]:
    """What was said; asserts that nothing was made."""
    assert done.returncode == 1, done.stdout
    assert here.operations(app) == []
    assert here.head(app) == ""
    return said(done.stdout)


def test_another_branch_is_not_deployed(here: Place, ada: Person) -> None:
    lines = refused(here, ada.push(ada.project(), "branch", "main:feature"), "branch")
    assert lines == [
        " !     the branch feature is not deployed: wherry deploys main.",
        "       Push what you want live as main: git push wherry HEAD:main",
    ]


@pytest.mark.parametrize("name", ["$(touch x)", ";id", "`id`", "a'b\"c", "caf\u00e9"])
def test_a_hostile_branch_is_only_a_name(here: Place, ada: Person, name: str) -> None:
    work = ada.project()
    lines = refused(here, ada.push(work, "hostile", f"main:refs/heads/{name.replace(' ', '')}"), "hostile")
    assert ascii(name.replace(" ", ""))[1:-1].replace("\\'", "'") in lines[0].replace("\\'", "'")


def test_a_tag_alone_is_not_deployed(here: Place, ada: Person) -> None:
    work = ada.project()
    ada.git(work, "tag", "-a", "-m", "x", "v1")
    assert refused(here, ada.push(work, "tagged", "v1"), "tagged")[0] == " !     the tag v1 is not deployed: wherry deploys main."


def test_a_tag_under_a_branch_s_name_is_not_deployed(here: Place, ada: Person) -> None:
    work = ada.project()
    ada.git(work, "tag", "-a", "-m", "x", "v1")
    assert "is not a commit: push a branch" in refused(here, ada.push(work, "disguised", "refs/tags/v1:refs/heads/main"), "disguised")[0]


def test_a_branch_with_tags_and_others_deploys_once(here: Place, ada: Person, engine: Engine) -> None:
    work = ada.project()
    ada.git(work, "tag", "v1")
    done = ada.push(work, "many", "main", "main:feature", "v1")
    assert done.returncode == 0
    assert said(done.stdout)[:2] == [
        "       feature: stored, not deployed (this push deploys main)",
        "       v1: stored, not deployed (this push deploys main)",
    ]
    assert len(here.operations("many")) == 1


def test_the_deployed_branch_is_not_deleted(here: Place, ada: Person, engine: Engine) -> None:
    work = ada.project()
    ada.push(work, "kept")
    done = ada.push(work, "kept", ":main")
    assert done.returncode == 1
    assert said(done.stdout)[1] == "       To take the app down: wherry apps:destroy kept"
    assert here.head("kept")


def test_a_shallow_clone_is_refused_with_the_way_out(here: Place, ada: Person, tmp_path: Path) -> None:
    work = ada.project()
    ada.commit(work, {"a": "1"})
    ada.git(tmp_path, "clone", "-q", "--depth", "1", f"file://{work}", "shallow")
    lines = refused(here, ada.push(tmp_path / "shallow", "shallow"), "shallow")
    assert lines == [" !     this is a shallow clone: part of its history is missing.", "       Fetch it first: git fetch --unshallow"]


def test_a_shallow_clone_whose_history_is_here_already_is_welcome(here: Place, ada: Person, engine: Engine, tmp_path: Path) -> None:
    work = ada.project()
    ada.commit(work, {"a": "1"})
    assert ada.push(work, "deep").returncode == 0
    ada.git(tmp_path, "clone", "-q", "--depth", "1", f"file://{work}", "shallow")
    ada.commit(tmp_path / "shallow", {"a": "2"})
    assert ada.push(tmp_path / "shallow", "deep").returncode == 0


@pytest.mark.parametrize(
    ("name", "shown"), [(b"caf\xe9.txt", r"caf\xe9.txt"), (b"new\nline", r"new\nline"), (b"esc\x1b[2J", r"esc\x1b[2J")]
)
def test_a_file_name_that_breaks_builds_is_named(here: Place, ada: Person, name: bytes, shown: str) -> None:
    work = ada.project()
    (work / os.fsdecode(name)).write_text("x")
    ada.git(work, "add", "-A")
    ada.git(work, "commit", "-q", "-m", "name")
    lines = refused(here, ada.push(work, "names"), "names")
    assert lines == [f" !     file names have to be UTF-8 without control characters: {shown}.", "       Rename with: git mv"]


def test_a_submodule_is_named(here: Place, ada: Person) -> None:
    work = ada.project()
    head = ada.git(work, "rev-parse", "HEAD").stdout.strip()
    ada.git(work, "update-index", "--add", "--cacheinfo", f"160000,{head},lib/other")
    ada.git(work, "commit", "-q", "-m", "submodule")
    assert (
        "the submodule lib/other can not be fetched: .gitmodules has no address for it."
        in refused(here, ada.push(work, "modules"), "modules")[0]
    )


def test_a_submodule_over_https_comes_along(tmp_path: Path) -> None:
    with place(tmp_path / "place", WHERRY_FETCH_INTERNAL="yes", WHERRY_USER="root") as here, https_git(tmp_path) as (url, certificate):
        ada = person(tmp_path, "ada", here.port)
        here.add_user("ada", "admin", ada.public_key)
        lib = repository(tmp_path / "lib", {"lib.py": "1"})
        work = ada.project()
        (work / ".gitmodules").write_text(f'[submodule "lib"]\n\tpath = lib\n\turl = {url}/lib\n')
        ada.git(work, "update-index", "--add", "--cacheinfo", f"160000,{lib},lib")
        ada.git(work, "add", ".gitmodules")
        ada.git(work, "commit", "-q", "-m", "submodule")
        store = repositories.ensure(here.settings, "shop") / "wherry-submodules"
        ada.git(tmp_path, "init", "-q", "--bare", str(store))
        ada.git(store, "config", "http.sslCAInfo", str(certificate))
        with Engine(here):
            done = ada.push(work, "shop")
        assert done.returncode == 0, done.stdout
        assert f"       fetching {url}/lib" in said(done.stdout)
        (operation,) = here.operations("shop")
        with tarfile.open(here.settings.spool / operation.payload["archive"]) as tar:
            assert {member.name for member in tar if member.isfile()} == {"Procfile", ".gitmodules", "lib/lib.py"}


def test_lfs_pointers_are_named(here: Place, ada: Person) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12345678\n"
    work = ada.project(files={".gitattributes": "*.bin filter=lfs\n", "model.bin": pointer, "other.txt": "y" * 130})
    lines = refused(here, ada.push(work, "lfs"), "lfs")
    assert lines[0] == " !     Git LFS is not served here, only its pointers were pushed: model.bin."


def test_a_hostile_gitmodules_is_refused_by_git(here: Place, ada: Person) -> None:
    work = ada.project(files={".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = -u./payload\n'})
    done = ada.push(work, "gitmodules")
    assert done.returncode == 1
    assert "gitmodulesUrl" in done.stdout
    assert here.operations("gitmodules") == []


def test_an_empty_commit_without_files_is_refused(here: Place, ada: Person) -> None:
    work = ada.home_for("empty")
    ada.git(work, "init", "-q", "-b", "main")
    ada.git(work, "commit", "-q", "--allow-empty", "-m", "nothing")
    assert refused(here, ada.push(work, "empty"), "empty")[0] == " !     the commit has no files."


def test_trees_of_trees_with_more_files_than_any_machine_holds_are_refused_at_once(here: Place, ada: Person) -> None:
    """Ten trees of ten trees each, ten deep: a push of a few kB, and ten thousand million files, which would be listed for hours."""
    work = ada.project()
    tree = ada.git(work, "rev-parse", "HEAD^{tree}").stdout.strip()
    for _ in range(10):
        listed = "".join(f"040000 tree {tree}\t{number}\n" for number in range(10))
        made = subprocess.run(["git", "mktree"], cwd=work, input=listed, capture_output=True, check=True, text=True)
        tree = made.stdout.strip()
    commit = ada.git(work, "commit-tree", "-m", "bomb", tree).stdout.strip()
    ada.git(work, "update-ref", "refs/heads/main", commit)
    before = set(here.settings.spool.glob("*.tar"))
    lines = refused(here, ada.push(work, "bomb"), "bomb")
    assert lines[0] == " !     the commit has more than 500,000 files, the most that is accepted."
    assert set(here.settings.spool.glob("*.tar")) == before


def test_a_push_over_the_cap_is_refused(ada: Person, tmp_path: Path) -> None:
    with place(tmp_path / "small", WHERRY_MAX_PUSH="1") as small:
        visitor = person(tmp_path, "cap", small.port)
        small.add_user("cap", "admin", visitor.public_key)
        work = visitor.project()
        (work / "big").write_bytes(os.urandom(2_000_000))
        visitor.commit(work, {})
        done = visitor.push(work, "shop")
        assert done.returncode == 1
        assert "exceeds maximum allowed size" in done.stdout
        assert small.operations("shop") == []


@pytest.mark.parametrize(
    ("app", "says"),
    [
        ("My_App", 'app name "My_App": use a-z, 0-9 and "-", 1-30 characters, starting with a letter (e.g. my-app)'),
        ("../etc", 'app name "../etc": use a-z'),
        ("api", 'app name "api" is reserved'),
    ],
)
def test_a_bad_app_name_is_said_in_git_s_own_words(here: Place, ada: Person, app: str, says: str) -> None:
    done = ada.git(ada.project(), "push", f"ssh://wherry@127.0.0.1:{here.port}/{app}", "main", check=False)
    assert done.returncode == 128
    assert done.stdout.startswith(f"fatal: remote error: {says}")
    assert "access rights" not in done.stdout


def test_who_may_only_read_can_clone_and_not_push(
    here: Place, ada: Person, engine: Engine, people: dict[str, Person], tmp_path: Path
) -> None:
    ada.push(ada.project(), "readable")
    rita = people["rita"]
    assert rita.git(tmp_path, "clone", "-q", rita.url("readable"), "copy").returncode == 0
    rita.commit(tmp_path / "copy", {"x": "y"})
    done = rita.push(tmp_path / "copy", "readable")
    assert done.returncode == 128
    assert "rita (read) may not push to readable: that needs the role deploy" in done.stdout


def test_an_app_that_nobody_pushed_can_not_be_cloned(ada: Person, tmp_path: Path) -> None:
    done = ada.git(tmp_path, "clone", ada.url("nowhere"), check=False)
    assert 'no app "nowhere" was pushed here' in done.stdout


# many at once


def test_a_push_behind_other_work_says_what_it_waits_for(here: Place, ada: Person, bob: Person, engine: Engine) -> None:
    release = threading.Event()
    engine.work = lambda engine, operation: (release.wait(60), engine.deploy(operation) if operation.kind == "deploy" else "succeeded")[1]
    ada_work = ada.project()
    with here.platform.database.write() as connection:
        other = operations.add(connection, "queue", "scale", "bob", {}, clock.now())
    push = ada.start_git(ada_work, "push", ada.url("queue"), "main")
    assert within(60, lambda: len(here.operations("queue")) == 2)
    heard = heard_until(push, "waiting for operation")
    release.set()
    lines = said(heard + push.communicate(timeout=60)[0].decode())
    assert lines[1] == f"       waiting for operation {other.id} (scale by bob)"
    assert push.returncode == 0


def test_twenty_pushes_to_one_app_take_turns_and_each_tells_the_truth(here: Place, ada: Person, engine: Engine) -> None:
    """One wins the ref; whoever was overtaken is told so and deploys nothing."""
    work = ada.project("base")
    for number in range(20):
        ada.git(work, "checkout", "-q", "-b", f"b{number}", "main")
        ada.commit(work, {"n": str(number)})
    pushes = [ada.start_git(work, "push", ada.url("crowd"), f"b{number}:main") for number in range(20)]
    results = [(push.communicate(timeout=180)[0].decode(), push.returncode) for push in pushes]
    winners = [number for number, (_, status) in enumerate(results) if status == 0]
    assert len(winners) == 1
    assert here.head("crowd") == ada.git(work, "rev-parse", f"b{winners[0]}").stdout.strip()
    assert [operation.payload["commit"] for operation in here.operations("crowd")] == [here.head("crowd")]
    losers = [output for output, status in results if status != 0]
    assert all("moved to" in output or "fetch first" in output or "non-fast-forward" in output for output in losers), losers


def test_twenty_apps_are_pushed_at_once(here: Place, ada: Person, engine: Engine) -> None:
    work = ada.project()
    pushes = [ada.start_git(work, "push", ada.url(f"app-{number}"), "main") for number in range(20)]
    assert [(push.communicate(timeout=180), push.returncode)[1] for push in pushes] == [0] * 20


# the client dies


def heard_until(push: subprocess.Popen[bytes], words: str) -> str:
    """What a push printed up to the line with these words."""
    assert push.stdout is not None
    heard = ""
    for line in iter(push.stdout.readline, b""):
        heard += line.decode()
        if words in heard:
            return heard
    raise AssertionError(f"{words!a} did not come: {heard}")


def dies(push: subprocess.Popen[bytes]) -> None:
    os.killpg(push.pid, signal.SIGKILL)
    push.communicate()


def nobody_holds(here: Place, app: str) -> bool:
    """Neither git nor a hook works for the app, and its lock is free."""
    lock = here.settings.repositories / f"{app}.git" / "wherry.lock"
    return subprocess.run(["flock", "-n", str(lock), "true"], check=False).returncode == 0


@pytest.mark.parametrize("noise", [0, 10_000_000], ids=["silent", "noisy"])
def test_the_deploy_goes_on_when_the_client_dies_and_the_same_push_finds_it_done(
    here: Place, ada: Person, engine: Engine, noise: int
) -> None:
    app, release = f"drop-{noise}", threading.Event()

    def work(engine: Engine, operation: Operation) -> str:
        for _ in range(noise // 1000):
            engine.say(operation, "x" * 1000)
        release.wait(60)
        return engine.deploy(operation)

    engine.work = work
    folder = ada.project()
    push = ada.start_git(folder, "push", ada.url(app), "main")
    assert within(60, lambda: here.operations(app) and here.operations(app)[0].state == "running")
    dies(push)
    assert within(60, lambda: nobody_holds(here, app))
    assert here.head(app) == ""
    release.set()
    assert within(60, lambda: here.operations(app)[0].done)
    again = ada.push(folder, app)
    assert again.returncode == 0
    assert "already runs" in again.stdout
    assert here.head(app)
    assert len(here.operations(app)) == 1


def test_the_same_push_joins_the_deploy_that_is_still_under_way(here: Place, ada: Person, engine: Engine) -> None:
    release = threading.Event()
    engine.work = lambda engine, operation: (release.wait(60), engine.deploy(operation))[1]
    folder = ada.project()
    first = ada.start_git(folder, "push", ada.url("joined"), "main")
    heard_until(first, "joined at")
    dies(first)
    second = ada.start_git(folder, "push", ada.url("joined"), "main")
    heard = heard_until(second, "is being deployed already")
    release.set()
    output = heard + second.communicate(timeout=60)[0].decode()
    assert second.returncode == 0, output
    assert any("is being deployed already, by ada: following operation" in line for line in said(output)[:2])
    assert said(output)[-1].startswith("-----> Live")
    assert len(here.operations("joined")) == 1


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[tuple[Place, Person]]:
    """A place whose hook gives up on a silent client after two seconds instead of ten."""
    with place(tmp_path / "hasty", patience=2.0) as found:
        yield found, admin(found, tmp_path, "ada")


def test_a_frozen_client_of_a_noisy_build_does_not_keep_the_others_out(hasty: tuple[Place, Person]) -> None:
    """Nobody reads, nobody hangs up: the hook gives up after a while, the deploy does not."""
    here, ada = hasty

    def work(engine: Engine, operation: Operation) -> str:
        for _ in range(60):  # 6 MB: ssh takes 2 before somebody has to read
            engine.say(operation, *["x" * 1000] * 100)
        return engine.deploy(operation)

    folder = ada.project()
    with Engine(here, work) as engine:
        push = ada.start_git(folder, "push", ada.url("frozen"), "main")
        assert within(60, lambda: here.operations("frozen"))
        os.killpg(push.pid, signal.SIGSTOP)
        try:
            assert within(60, lambda: here.operations("frozen")[0].done)
            assert within(60, lambda: nobody_holds(here, "frozen"))
            engine.work = Engine.work
            ada.commit(folder, {"next": "1"})
            other = ada.start_git(folder, "push", ada.url("frozen"), "main")
            assert other.communicate(timeout=60) and other.returncode == 0
        finally:
            os.killpg(push.pid, signal.SIGCONT)
            push.communicate(timeout=60)
    assert push.returncode != 0


def test_a_client_that_dies_while_sending_leaves_nothing(here: Place, ada: Person) -> None:
    work = ada.project()
    (work / "big").write_bytes(os.urandom(40_000_000))
    ada.commit(work, {})
    push = ada.start_git(work, "push", ada.url("halfway"), "main")
    repository = here.settings.repositories / "halfway.git"
    assert within(60, lambda: list(repository.glob("objects/tmp_objdir-*/pack/tmp_pack_*")))
    dies(push)
    assert within(60, lambda: not list(repository.glob("objects/tmp_objdir-*")))
    assert here.operations("halfway") == []
    assert within(60, lambda: nobody_holds(here, "halfway"))


def test_a_push_that_is_killed_without_warning_leaves_nothing_of_what_it_brought(here: Place, ada: Person, engine: Engine) -> None:
    release = threading.Event()
    engine.work = lambda engine, operation: (release.wait(60), engine.deploy(operation))[1]
    repository = here.settings.repositories / "struck.git"
    push = ada.start_git(ada.project(), "push", ada.url("struck"), "main")
    heard_until(push, "struck at")
    assert list(repository.glob("objects/tmp_objdir-*"))
    os.killpg(receiving(repository), signal.SIGKILL)
    assert within(60, lambda: not list(repository.glob("objects/tmp_objdir-*")))
    push.communicate(timeout=60)
    release.set()
    assert push.returncode != 0


def receiving(repository: Path) -> int:
    """The process of `git receive-pack`."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (folder / "cmdline").read_bytes().split(b"\0")[:3] == [b"git", b"receive-pack", str(repository).encode()]:
                return int(folder.name)
    raise AssertionError("nobody receives")


def test_a_cancelled_deploy_refuses_the_push(here: Place, ada: Person, engine: Engine) -> None:
    engine.work = lambda engine, operation: "cancelled"
    done = ada.push(ada.project(), "cancelled")
    assert done.returncode == 1
    assert said(done.stdout)[-1].startswith(" !     operation ")


def test_a_build_that_is_cancelled_says_so_once(here: Place, ada: Person, engine: Engine) -> None:
    def work(engine: Engine, operation: Operation) -> str:
        engine.say(operation, " !     the build was cancelled", "       Nothing was changed.")
        with here.platform.database.write() as connection:
            error = {"code": "build_cancelled", "message": "the build was cancelled", "hint": ""}
            operations.finish(connection, operation, "cancelled", clock.now(), error=error)
        return "cancelled"

    engine.work = work
    done = ada.push(ada.project(), "once")
    assert done.returncode == 1
    assert said(done.stdout)[-2:] == [" !     the build was cancelled", "       Nothing was changed."]


# repositories


def test_the_repository_obeys_only_us(here: Place, ada: Person, engine: Engine) -> None:
    ada.push(ada.project(), "strict")
    config = (here.settings.repositories / "strict.git" / "config").read_text()
    for line in (
        "fsckObjects = true",
        "unpackLimit = 1",
        "maxInputSize = 512m",
        "advertisePushOptions = true",
        "autogc = false",
        "shallowUpdate = false",
    ):
        assert line in config
    root = Path(__file__).resolve().parents[2]
    assert f'hooksPath = "{root / "hooks"}"' in config
    assert not (here.settings.repositories / "strict.git" / "hooks").exists()


def test_many_pushes_leave_a_tidy_repository(here: Place, ada: Person, engine: Engine) -> None:
    engine.work = lambda engine, operation: "succeeded"
    work, packs = ada.project(), here.settings.repositories / "tidy.git" / "objects" / "pack"
    assert ada.push(work, "tidy", "-q", "main").returncode == 0
    (first,) = packs.glob("*.pack")
    for number in range(repositories.PACKS):
        for file in packs.glob(f"{first.stem}.*"):
            shutil.copy(file, packs / f"pack-{number:040x}{file.suffix}")
    ada.commit(work, {"n": "1"})
    assert ada.push(work, "tidy", "-q", "main").returncode == 0
    assert within(60, lambda: len(list(packs.glob("*.pack"))) < 5)
    # git takes the files of an old pack away one after the other.
    assert within(60, lambda: ada.git(packs.parents[1], "fsck", "--full", check=False).returncode == 0)


def test_a_destroyed_app_s_repository_goes_and_the_name_is_free_again(here: Place, ada: Person, engine: Engine) -> None:
    work = ada.project()
    ada.push(work, "gone")
    repositories.remove(here.settings, "gone")
    repositories.remove(here.settings, "gone")
    assert not list(here.settings.repositories.glob("*gone*"))
    assert "Live in" in ada.push(work, "gone", "-o", "force", "main").stdout
