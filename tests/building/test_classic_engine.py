"""Heroku's classic buildpacks, run as they come by the real engine, fetched by real git and HTTP."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import building_support as support
from buildpack_server import BuildpackServer, buildpack_server
from wherry.building.builder import Source
from wherry.errors import DeployFailed
from wherry.model.build_settings import BuildSettings
from wherry.secret import Secret

if TYPE_CHECKING:
    from conftest import Bench  # type: ignore[import-not-found]

pytestmark = pytest.mark.engine

CANARY = "canary-5d1c0de-secret"

FIRST = {
    "bin/detect": '#!/bin/sh\n[ -f "$1/hello.txt" ] && echo "Hello" || exit 1\n',
    "bin/compile": """#!/usr/bin/env bash
set -eu
build=$1 cache=$2 env=$3
echo "-----> Saying hello"
echo "stack $STACK, home $HOME, commit $SOURCE_VERSION, user $(id -un)"
echo "       greeting is $(cat "$env/GREETING")"
[ -z "${GREETING:-}" ] || { echo "config vars must not be in the environment"; exit 3; }
echo "       $(cat "$cache/count" 2>/dev/null || echo 0) builds before"
echo $(($(cat "$cache/count" 2>/dev/null || echo 0) + 1)) >"$cache/count"
mkdir -p "$build/.profile.d" "$build/bin"
echo 'export FROM_PROFILE_D="$HOME/here"' >"$build/.profile.d/hello.sh"
printf '#!/bin/sh\\necho hello\\n' >"$build/bin/hello"
chmod +x "$build/bin/hello"
if touch /etc/nobody 2>/dev/null; then echo "this runs as root"; exit 4; fi
echo 'export LEFT_BY_THE_FIRST=yes' >"$(dirname "$(dirname "$0")")/export"
""",
    "bin/release": "#!/bin/sh\ncat <<X\n---\nconfig_vars:\n  A: b\ndefault_process_types:\n  web: ignored\nX\n",
    "bin/test": "#!/bin/sh\nexit 9\n",
}
SECOND = {
    "bin/detect": "#!/bin/sh\necho Second\n",
    "bin/compile": '#!/bin/sh\n[ "$LEFT_BY_THE_FIRST" = yes ] || exit 5\necho ok >"$1/second"\n',
    "bin/release": '#!/bin/sh\ncat <<X\ndefault_process_types:\n  web: "say default"\n  console: bash\nX\n',
}
APP = {
    "hello.txt": "hi",
    "Procfile": 'web: echo "$FROM_PROFILE_D $FROM_PROFILE $(bin/hello) [[ok]]" && [[ -f second ]]\n',
    ".profile": "export FROM_PROFILE=mine\n",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BuildpackServer]:
    with buildpack_server(tmp_path_factory.mktemp("buildpacks")) as made:
        yield made


def source(folder: Path, files: support.Files, app: str, *urls: str, **config: str) -> Source:
    pushed = support.push(folder, {**files, **({".buildpacks": "\n".join(urls)} if urls else {})}, app)
    return Source(
        pushed.app, pushed.commit, pushed.tree, pushed.archive, BuildSettings(), {key: Secret(value) for key, value in config.items()}
    )


def run(image: str, *words: str) -> str:
    done = subprocess.run(
        ["docker", "run", "--rm", "--init", image, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.stdout


def test_two_buildpacks_build_an_app_and_it_runs_as_on_heroku(bench: Bench, server: BuildpackServer, tmp_path: Path) -> None:
    urls = (server.repository("first", FIRST), server.archive("second", SECOND, inside="second-main"))
    pushed = source(tmp_path, APP, bench.app("hello"), *urls, GREETING="good day\n")
    built = bench.build(pushed)
    told = "\n".join(bench.lines)
    assert f"-----> Buildpack {urls[0]}\n-----> Hello app detected\n-----> Saying hello\n" in told
    assert re.search(rf"^       stack heroku-2[24], home /app, commit {pushed.commit}, user app$", told, re.MULTILINE)
    assert "       greeting is good day\n       0 builds before" in told
    assert "-----> Second app detected" in told
    assert built.buildpack == "classic" and not built.root and built.port is None
    assert built.processes == {"web": APP["Procfile"].removeprefix("web: ").strip(), "console": "bash"}
    assert run(built.image, "/bin/sh", "-c", built.processes["web"]) == "/app/here mine hello [[ok]]\n"
    assert run(built.image, "id", "-un") == "app\n"


def test_the_cache_is_the_apps_own_and_nocache_empties_it(bench: Bench, server: BuildpackServer, tmp_path: Path) -> None:
    app, other = bench.app("cache"), bench.app("cache")
    url = server.repository("cached", FIRST)
    for number, (name, no_cache, before) in enumerate(
        [(app, False, 0), (app, False, 1), (other, False, 0), (app, True, 0), (app, False, 1)]
    ):
        pushed = source(tmp_path / str(number), {**APP, "number": str(number)}, name, url, GREETING="x")
        bench.build(pushed, no_cache=no_cache)
        assert f"       {before} builds before" in bench.lines


def test_config_vars_leave_no_trace_in_layers_history_labels_or_log(bench: Bench, server: BuildpackServer, tmp_path: Path) -> None:
    quiet = {**FIRST, "bin/compile": '#!/bin/sh\n[ "$(cat "$3/TOKEN")" = ' + CANARY + " ] && echo known\n"}
    built = bench.build(source(tmp_path, APP, bench.app("canary"), server.repository("quiet", quiet), TOKEN=CANARY))
    assert "       known" in bench.lines and CANARY not in "\n".join(bench.lines)
    for looked_at in (["history", "--no-trunc", built.image], ["inspect", built.image], ["save", built.image]):
        seen = subprocess.run(["docker", *looked_at], stdout=subprocess.PIPE, check=True).stdout
        assert seen and CANARY.encode() not in seen, looked_at


def test_a_tag_a_branch_and_an_old_commit_are_found(bench: Bench, server: BuildpackServer, tmp_path: Path) -> None:
    pack = {**SECOND, "bin/compile": "#!/bin/sh\necho old\n"}
    url = server.repository("versions", pack)
    folder = server.folder / "versions"
    old = support.git(folder, "rev-parse", "HEAD").strip()
    support.git(folder, "tag", "v1")
    server.repository("versions", {**pack, "bin/compile": "#!/bin/sh\necho new\n"})
    support.git(folder, "branch", "next")
    app = bench.app("versions")
    for number, (ref, heard) in enumerate([("", "new"), ("#v1", "old"), ("#next", "new"), (f"#{old}", "old")]):
        bench.build(source(tmp_path / str(number), {"Procfile": f"web: {number}\n"}, app, url + ref))
        assert f"       {heard}" in bench.lines, ref


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({**SECOND, "bin/detect": "#!/bin/sh\nexit 1\n"}, "the buildpack {} does not know this app"),
        ({**SECOND, "bin/compile": "#!/bin/sh\necho broken >&2\nexit 7\n"}, "the buildpack {} failed with exit code 7"),
        ({"buildpack.toml": ""}, "{} is no classic buildpack: it has no bin/compile"),
        (
            {**SECOND, "bin/compile": "#!/bin/sh\ntrue\n", "bin/release": "#!/bin/sh\necho '--- {}'\n"},
            "nothing says what to run: there is no Procfile",
        ),
    ],
)
def test_a_buildpack_that_fails_is_named(
    bench: Bench, server: BuildpackServer, files: dict[str, str], message: str, tmp_path: Path
) -> None:
    url = server.archive(support.unique("broken"), files)
    with pytest.raises(DeployFailed) as refused:
        bench.build(source(tmp_path, {"a": ""}, bench.app("broken"), url))
    assert refused.value.message.startswith(message.format(url))
    assert refused.value.evidence == ()


def test_what_a_buildpack_says_before_it_fails_is_told_once(bench: Bench, server: BuildpackServer, tmp_path: Path) -> None:
    url = server.repository("quarrels", {**SECOND, "bin/detect": "#!/bin/sh\necho 'no such.lock here'\nprintf 'try another' >&2\nexit 1\n"})
    with pytest.raises(DeployFailed) as refused:
        bench.build(source(tmp_path, {"a": ""}, bench.app("quarrels"), url))
    told = "\n".join(bench.lines)
    assert told.count("no such.lock here") == told.count("try another") == 1 and "wherry-refused" not in told
    assert refused.value.evidence == () and refused.value.code == "buildpack_refused"


def test_a_ref_that_is_not_there_is_told_with_those_that_are(bench: Bench, server: BuildpackServer, tmp_path: Path) -> None:
    url = server.repository("refs", SECOND)
    support.git(server.folder / "refs", "tag", "v1")
    with pytest.raises(DeployFailed) as refused:
        bench.build(source(tmp_path, {"a": ""}, bench.app("refs"), f"{url}#v9"))
    assert refused.value.message == f"the buildpack {url} has no tag, branch or commit v9"
    assert re.fullmatch(r"It has: (?:v1, \w+|\w+, v1)\. Correct what stands after # in \.buildpacks\.", refused.value.hint)


def test_config_vars_of_an_old_buildpack_are_named_as_not_set(bench: Bench, server: BuildpackServer, tmp_path: Path) -> None:
    release = "#!/bin/sh\ncat <<X\n---\naddons: []\nconfig_vars:\n  # a\n  PATH: /a:/b\n  LANG: C\ndefault_process_types:\n  web: x\nX\n"
    url = server.repository("old", {**SECOND, "bin/compile": "#!/bin/sh\ntrue\n", "bin/release": release})
    bench.build(source(tmp_path, {"a": ""}, bench.app("old"), url))
    assert "       config vars that its bin/release names are not set: PATH, LANG" in bench.lines


def test_a_buildpack_that_is_not_there_is_told_without_its_password(bench: Bench, server: BuildpackServer, tmp_path: Path) -> None:
    url = f"http://me:{CANARY}@{server.address}:{server.http_port}/nothing.tgz"
    with pytest.raises(DeployFailed) as refused:
        bench.build(source(tmp_path, {"a": ""}, bench.app("absent"), url))
    assert refused.value.message == f"the buildpack http://{server.address}:{server.http_port}/nothing.tgz could not be fetched"
    assert CANARY not in "\n".join([*bench.lines, *refused.value.evidence])


def test_a_buildpack_whose_host_is_out_of_reach_is_not_called_wrong(bench: Bench, tmp_path: Path) -> None:
    url = "https://host.invalid/me/pack.git"
    with pytest.raises(DeployFailed) as refused:
        bench.build(source(tmp_path, {"a": ""}, bench.app("far"), url))
    assert refused.value.message == f"the buildpack {url} could not be fetched: its host is out of reach"
    assert refused.value.hint == "Is its name right? Then push again in a moment."
