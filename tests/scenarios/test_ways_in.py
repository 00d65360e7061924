"""Every way in: a plan, a sub-folder, an image, an archive, a remote; on a real platform, by the unprivileged child."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from git_server_support import add_submodule, git, git_daemon, https_git, repository
from registry_server import registry
from scenario_support import Repository, Site, contents, tiny_app
from waiting import until

pytestmark = [pytest.mark.engine, pytest.mark.scenario]

Make = Callable[[str], Repository]


def base(here: Site) -> str:
    """The stack's image for Python: what a Dockerfile of a test begins with."""
    names = here.docker("images", "--format", "{{.Repository}}:{{.Tag}}", f"{here.name}/python").text.split()
    return next(name for name in names if not name.endswith("-build"))


def archived(version: int | str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, text in tiny_app(version).items():
            info = tarfile.TarInfo(f"app-1.0/{name}")
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return made.getvalue()


def destroyed(here: Site, name: str) -> None:
    here.wherry("apps:destroy", name, "--confirm", name)


def test_a_plan_says_what_would_happen_and_the_push_after_it_does_it(here: Site, app: Make) -> None:
    plan = app("plan")
    plan.commit(tiny_app(1))
    asked = plan.push("-o", "plan")
    assert asked.status != 0
    for line in (
        r"-----> Plan for plan at [0-9a-f]{7}",
        r"-----> Python 3\.\d+ \(requirements\.txt; the default version\)",
        r"       process web: python app\.py",
        r"       release: would be v1, the first",
        r"       would start: web\.1",
        r"       This was a plan \(-o plan\): nothing was built, nothing changed",
    ):
        assert re.search(f"remote: {line}", asked.text), f"{line}\n{asked.text}"
    assert "plan" not in here.wherry("apps").text.split()
    assert plan.push().status == 0
    again = here.ssh("plan", "plan")
    assert again.status == 0 and "plan already runs this with this config as v1: a deploy would do nothing" in again.text, again.text
    plan.commit(tiny_app(2))
    assert "would replace: web.1" in plan.push("-o", "plan").text
    assert here.get("plan") == (200, "1")
    assert plan.push().status == 0
    assert here.get("plan") == (200, "2")


def test_force_deploys_what_runs_and_nocache_builds_it_anew(here: Site, app: Make) -> None:
    anew = app("anew")
    anew.release(1)
    anew.commit({})
    same = anew.push()
    assert same.status == 0 and "anew already runs" in same.text, same.text
    anew.commit({})
    forced = anew.push("-o", "force")
    assert forced.status == 0 and "-----> Release v2" in forced.text and "dependencies unchanged, reused" in forced.text, forced.text
    anew.commit({})
    fresh = anew.push("-o", "nocache")
    assert fresh.status == 0 and "-----> Release v3" in fresh.text and "reused" not in fresh.text, fresh.text
    anew.commit({})
    assert "known are force" in anew.push("-o", "fast").text


def test_a_folder_of_a_monorepo_with_its_dockerfile_and_an_arg(here: Site, app: Make) -> None:
    mono = app("mono")
    here.wherry("apps:create", "mono")
    here.wherry("build:set", "mono", "dir=apps/web", "dockerfile=docker/Prod", "arg.COLOUR=blue")
    dockerfile = f"FROM {base(here)}\nARG COLOUR\nWORKDIR /srv\nCOPY . .\nRUN test ! -e /srv/apps && echo $COLOUR > mark\nEXPOSE 8000\n"
    dockerfile += 'CMD ["python3", "-m", "http.server", "8000"]\n'
    mono.commit({"Procfile": "web: not this", "apps/web/docker/Prod": dockerfile, "apps/web/x": "y"})
    pushed = mono.push()
    assert pushed.status == 0 and "-----> Dockerfile (docker/Prod)" in pushed.text, pushed.text
    assert here.get("mono", "/mark") == (200, "blue\n")
    here.wherry("build:set", "mono", "arg.COLOUR=red")
    rebuilt = here.wherry("ps:rebuild", "mono")
    assert rebuilt.status == 0 and "Release v2" in rebuilt.text, rebuilt.text
    assert here.get("mono", "/mark") == (200, "red\n")
    here.wherry("build:set", "mono", "arg.COLOUR=green")
    mono.commit({})
    assert "Release v3" in mono.push().text


def test_a_private_image_goes_live_survives_a_rollback_and_its_password_is_nowhere(here: Site, tmp_path: Path) -> None:
    with registry(tmp_path / "registry") as theirs:
        names = []
        for version in (1, 2):
            dockerfile = f"FROM {base(here)}\nRUN mkdir /w && echo {version} > /w/v\nWORKDIR /w\nEXPOSE 8000\n"
            dockerfile += 'CMD ["python3", "-m", "http.server", "8000"]\n'
            tag = f"{theirs.server}/src:{version}"
            subprocess.run(["docker", "build", "-q", "-t", tag, "-"], input=dockerfile.encode(), check=True, capture_output=True)
            names.append(theirs.push(tag, f"me/web:v{version}"))
            subprocess.run(["docker", "rmi", tag], check=True, capture_output=True)
        refused = here.wherry("git:from-image", "image", names[0])
        assert refused.status == 1 and f"{here.name} registry:login {theirs.server} USER" in refused.text, refused.text
        login = here.ssh("registry:login", theirs.server, theirs.user, stdin=theirs.password + "\n")
        assert login.status == 0 and login.text == f"logged in at {theirs.server} as alice\n", login.text
        assert [path.name for path, held in contents(here.home) if theirs.password.encode() in held] == ["registry-logins.json"]
        assert (here.home / "registry-logins.json").stat().st_mode & 0o777 == 0o600
        assert here.wherry("git:from-image", "image", names[0]).status == 0
        assert here.get("image", "/v") == (200, "1\n")
        again = here.wherry("git:from-image", "image", names[0])
        assert "nothing to do" in again.text, again.text
        assert here.wherry("git:from-image", "image", names[1]).status == 0
        assert here.get("image", "/v") == (200, "2\n")
        assert here.wherry("registry:logout", theirs.server).status == 0
    assert names[0] not in here.docker("images", "--format", "{{.Repository}}:{{.Tag}}").text
    back = here.wherry("rollback", "image")
    assert back.status == 0 and here.get("image", "/v") == (200, "1\n"), back.text
    destroyed(here, "image")
    assert here.docker("images", "-q", "--filter", "label=wherry.app=image", "--filter", f"label=wherry.platform={here.name}").text == ""


def test_an_archive_comes_over_ssh_and_stays_nowhere(here: Site, tmp_path: Path) -> None:
    (tmp_path / "app.tgz").write_bytes(archived(1))
    with (tmp_path / "app.tgz").open("rb") as file:
        argv = [*here.ssh_argv(), "wherry@127.0.0.1", "git:from-archive", "packed"]
        sent = subprocess.run(argv, stdin=file, capture_output=True, text=True, check=False)
    assert sent.returncode == 0 and "-----> Python" in sent.stdout, sent.stdout + sent.stderr
    assert here.get("packed") == (200, "1")
    again = here.wherry("git:from-archive", "packed", str(tmp_path / "app.tgz"))
    assert "packed already runs an uploaded archive" in again.text and "nothing to do" in again.text, again.text
    until(lambda: not list((here.home / "spool").iterdir()), what="the spool empty")  # emptied when the operation has ended
    destroyed(here, "packed")


def test_a_saved_image_comes_over_ssh_and_takes_no_name_from_another(here: Site) -> None:
    name = f"{here.name}-saved:v1"
    dockerfile = f"FROM {base(here)}\nRUN mkdir /w && echo saved > /w/v\nWORKDIR /w\nEXPOSE 8000\n"
    dockerfile += 'CMD ["python3", "-m", "http.server", "8000"]\n'
    subprocess.run(["docker", "build", "-q", "-t", name, "-"], input=dockerfile.encode(), check=True, capture_output=True)
    try:
        saved = subprocess.run(["docker", "image", "save", name], check=True, capture_output=True).stdout
        there = here.docker("image", "inspect", "-f", "{{.Id}}", name).text
        argv = [*here.ssh_argv(), "wherry@127.0.0.1", "git:load-image", "loaded", name]
        sent = subprocess.run(argv, input=saved, capture_output=True, check=False)
        assert sent.returncode == 0 and f"-----> Loading {name}\n" in sent.stdout.decode(), sent.stdout + sent.stderr
        assert here.get("loaded", "/v") == (200, "saved\n")
        assert here.docker("image", "inspect", "-f", "{{.Id}}", name).text == there
        assert ":loaded-" not in here.docker("images", "--format", "{{.Repository}}:{{.Tag}}").text
        until(lambda: not list((here.home / "spool").iterdir()), what="the spool empty")
    finally:
        destroyed(here, "loaded")
        subprocess.run(["docker", "rmi", "-f", name], check=True, capture_output=True)


def test_a_remote_is_synced_with_its_submodule_and_can_be_cloned_and_pushed_to(here: Site, app: Make, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with git_daemon(tmp_path) as url, https_git(tmp_path) as (https, certificate):
        repository(tmp_path / "lib", {"lib.txt": "from the submodule"})
        repository(tmp_path / "theirs", tiny_app(1))
        first = here.wherry("git:sync", "synced", f"{url}/theirs", "main")
        assert first.status == 0 and f"-----> Fetching {url}/theirs main" in first.text, first.text
        assert here.get("synced") == (200, "1")
        assert "nothing to do" in here.wherry("git:sync", "synced", f"{url}/theirs", "main").text
        repository(tmp_path / "theirs", tiny_app(2))
        lib = (tmp_path / "lib" / "refs" / "heads" / "main").read_text().strip()
        add_submodule(tmp_path / "theirs", "lib", f"{https}/lib", lib)
        untrusted = here.wherry("git:sync", "synced", f"{url}/theirs")
        assert untrusted.status == 1 and "the submodule lib" in untrusted.text and "v1 keeps serving" in untrusted.text, untrusted.text
        store = here.home / "repositories" / "synced.git" / "wherry-submodules"
        shutil.copy(certificate, store / "trusted.pem")
        git(store, "config", "http.sslCAInfo", str(store / "trusted.pem"))
        for name in ("trusted.pem", "config"):
            (store / name).chmod(0o644)
        second = here.wherry("git:sync", "synced", f"{url}/theirs")
        assert second.status == 0, second.text
        assert here.get("synced") == (200, "2")
    synced = app("synced")
    assert synced.git("fetch", "-q", "wherry", "main").status == 0
    synced.git("reset", "-q", "--hard", "FETCH_HEAD")
    synced.git("rm", "-q", "--cached", "lib", ".gitmodules")
    pushed = synced.release(3)
    assert pushed.status == 0 and here.get("synced") == (200, "3"), pushed.text


def test_a_shallow_push_and_lfs_pointers_are_refused_at_once(here: Site, app: Make, tmp_path: Path) -> None:
    deep = app("deep")
    deep.commit(tiny_app(1))
    deep.commit({"more": "x"})
    shallow = Repository(here, "deep", tmp_path / "shallow")
    shallow.git("fetch", "-q", "--depth=1", f"file://{deep.folder}", "main")
    shallow.git("reset", "-q", "--hard", "FETCH_HEAD")
    refused = shallow.push()
    assert refused.status != 0 and "git fetch --unshallow" in refused.text, refused.text
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12345678\n"
    deep.commit({".gitattributes": "*.bin filter=lfs\n", "model.bin": pointer})
    assert "Git LFS is not served here, only its pointers were pushed: model.bin." in deep.push().text
    assert "deep" not in here.wherry("apps").text.split()
