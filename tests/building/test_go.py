"""Go apps: what is decided from the tree, and apps with real modules, built and served."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import building_support as support
from served_support import printed, served
from wherry.building import plan
from wherry.building.buildpack import load_all
from wherry.building.memory_builder import MemoryBuilder
from wherry.building.plan import Planned
from wherry.errors import DeployFailed

if TYPE_CHECKING:
    from conftest import Bench

MOD = "module example.org/shop\n\ngo 1.27\n"
MAIN = "package main\n\nfunc main() {}\n"
HELLO = (
    'package main\n\nimport (\n\t"fmt"\n\t"net/http"\n\t"os"\n\t"runtime"\n)\n\nfunc main() {\n'
    '\thttp.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "one ", runtime.Version()) })\n'
    '\thttp.ListenAndServe(":"+os.Getenv("PORT"), nil)\n}\n'
)
VENDORED = {
    "go.mod": MOD + "\nrequire example.net/words v1.0.0\n",
    "main.go": 'package main\n\nimport "example.net/words"\n\nfunc main() { println(words.Greeting) }\n',
    "vendor/modules.txt": "# example.net/words v1.0.0\n## explicit; go 1.21\nexample.net/words\n",
    "vendor/example.net/words/words.go": 'package words\n\nconst Greeting = "from the vendor folder"\n',
    "static/vendor/theme.css": "a {}\n",
    "Procfile": "web: shop\n",
}


def planned(folder: Path, files: support.Files) -> Planned:
    return plan.plan(support.tree(folder, files), load_all(support.PACKS), [].append)


def heading(folder: Path, files: support.Files) -> str:
    lines: list[str] = []
    MemoryBuilder().build(support.push(folder, {"main.go": MAIN, **files}), lines.append)
    return lines[0].removeprefix("-----> ")


def app(name: str) -> dict[str, str]:
    """The files of an app that is kept as data."""
    home = support.DATA / "apps" / name
    return {str(path.relative_to(home)): path.read_text() for path in home.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def shop(bench: Bench) -> str:
    """One app for all tests here: its cache holds Go's own library, which takes 10 s to compile."""
    return bench.app("go")


@pytest.mark.parametrize(
    ("mod", "expected"),
    [
        ("module a\n", "Go 1.27 (go.mod; the default version)"),
        ("module a\n\ngo 1.24\n", "Go 1.24 (go.mod; version from go.mod)"),
        ("module a\n\ngo 1.24.5\n\ntoolchain go1.25.1\n", "Go 1.25 (go.mod; version from go.mod)"),
        ("// +heroku goVersion go1.26\nmodule a\n\ngo 1.24\n", "Go 1.26 (go.mod; version from go.mod)"),
        ("module a\n\ngo 1.13\n", "Go 1.27 (go.mod; go.mod asks for 1.13 or later)"),
        ("module a\n\ngo 1.31.2\n", "Go 1.31 (go.mod; version from go.mod)"),
    ],
)
def test_the_version_is_the_one_that_go_mod_asks_for(mod: str, expected: str, tmp_path: Path) -> None:
    assert heading(tmp_path, {"go.mod": mod}) == expected


def test_vendored_modules_and_workspaces_are_told_apart(tmp_path: Path) -> None:
    found = planned(tmp_path / "vendored", VENDORED)
    assert found.detected.plan is not None
    assert found.detected.plan.name == "vendored"
    files = {"go.work": "go 1.26\n\nuse ./api\n", "api/go.mod": "module a\n", "api/main.go": MAIN}
    assert heading(tmp_path / "work", {**files, "main.go": ""}) == "Go 1.26 (go.work; version from go.work)"


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"main.go": MAIN}, "shop"),
        ({"server.go": "// Copyright.\n\npackage main\n", "server_test.go": "package main\n"}, "shop"),
        ({"go.mod": "module example.org/big-shop/v3 // the third\n", "main.go": MAIN}, "big-shop"),
        ({"cmd/web/main.go": MAIN, "shop.go": "package shop\n"}, "web"),
        ({"main.go": MAIN, "cmd/migrate/main.go": MAIN}, "shop"),
        ({"services/api/main.go": MAIN, "lib/lib.go": "package lib\n", "vendor/x/main.go": MAIN}, "api"),
        ({"main.go": MAIN, "gen.go": "//go:build ignore\n\npackage main\n", "_old/main.go": MAIN}, "shop"),
        ({"go.mod": f"// +heroku install ./tools/serve\n{MOD}", "main.go": MAIN, "tools/serve/main.go": MAIN}, "serve"),
    ],
)
def test_the_program_that_is_meant_is_the_web_process_without_a_procfile(files: dict[str, str], command: str, tmp_path: Path) -> None:
    found = planned(tmp_path, {"go.mod": MOD, **files})
    assert found.processes == {"web": command}
    assert plan.notes(found)[0].endswith(f"so web: {command}")


def test_several_programs_need_a_procfile_and_are_named(tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        planned(tmp_path, {"go.mod": MOD, "cmd/web/main.go": MAIN, "cmd/worker/main.go": MAIN})
    assert refused.value.message == "there is no Procfile, and the app has 2 programs: web, worker"
    assert refused.value.hint == 'Commit a Procfile with a line such as "web: web"'


@pytest.mark.parametrize(
    ("files", "folders"),
    [
        ({"main.go": MAIN, "cmd/a/main.go": MAIN, "tools/b/main.go": MAIN}, "./\n./cmd/a\n"),
        ({"go.mod": f"// +heroku install ./cmd/...\n{MOD}", "main.go": MAIN, "cmd/a/b/main.go": MAIN}, "./cmd/a/b\n"),
        (
            {"go.mod": f"// +heroku install . ./tools/b\n{MOD}", "main.go": MAIN, "cmd/a/main.go": MAIN, "tools/b/main.go": MAIN},
            "./\n./tools/b\n",
        ),
    ],
)
def test_what_is_built_are_the_programs_at_the_top_and_below_cmd_or_what_go_mod_names(
    files: dict[str, str], folders: str, tmp_path: Path
) -> None:
    context = plan.context(planned(tmp_path, {"go.mod": MOD, "Procfile": "web: x\n", **files}))
    assert context.texts["buildpack/programs"].decode() == folders


def test_go_code_without_modules_is_answered_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        planned(tmp_path, {"main.go": MAIN})
    assert refused.value.message == "main.go is there, go.mod is not"


@pytest.mark.engine
def test_an_app_with_a_module_is_built_and_served(bench: Bench, shop: str, tmp_path: Path) -> None:
    built = bench.build(support.push(tmp_path, app("go-chi"), shop))
    assert any(line.startswith("       compiled in ") for line in bench.lines)
    with served(built) as web:
        version, user, zone, error = web.get().split()
        assert web.get("/page") == "<p>it sails</p>\n"
    assert (version.rpartition(".")[0], user, zone, error) == ("go1.27", "app", "Europe/Berlin", "<nil>")
    assert built.size < 40e6
    assert printed(built, "ls /app; ls /app/bin; touch /app/x; touch /usr/x || true") == "bin\ngo.mod\ngo.sum\ntemplates\nshop\n"


@pytest.mark.engine
def test_a_code_only_change_compiles_only_what_changed(bench: Bench, shop: str, tmp_path: Path) -> None:
    bench.build(support.push(tmp_path, {"go.mod": MOD, "main.go": HELLO}, shop))
    began = time.monotonic()
    built = bench.build(support.push(tmp_path, {"main.go": HELLO.replace("one", "two")}, shop))
    assert time.monotonic() - began < 60
    again = bench.build(support.push(tmp_path, {"main.go": HELLO, "more.txt": ""}, shop))
    with served(built) as second, served(again) as third:
        assert [web.get().split()[0] for web in (second, third)] == ["two", "one"]


@pytest.mark.engine
def test_vendored_modules_are_taken_from_the_repository(bench: Bench, shop: str, tmp_path: Path) -> None:
    built = bench.build(support.push(tmp_path, VENDORED, shop))
    assert printed(built, "shop 2>&1; find . -name '*.css' -o -name '*.go'") == "from the vendor folder\n./static/vendor/theme.css\n"


@pytest.mark.engine
@pytest.mark.parametrize(
    ("files", "message", "code"),
    [
        ({"main.go": "package main\n\nfunc main() { nothing() }\n"}, "the app does not compile: main.go line 3", "compile_failed"),
        (
            {"go.mod": f"{MOD}\nrequire github.com/go-chi/chi/v5 v5.2.3\n", "main.go": app("go-chi")["main.go"]},
            "go.sum does not have all that go.mod asks for",
            "lock_outdated",
        ),
        (
            {"main.go": 'package main\n\nimport _ "example.org/nowhere/x"\n\nfunc main() {}\n'},
            "no module in go.mod has the package",
            "no_such_package",
        ),
        (
            {"go.mod": MOD.replace("1.27", "1.27.999"), "main.go": MAIN},
            "there is no Go 1.27.999, which go.mod asks for",
            "version_unavailable",
        ),
        ({**VENDORED, "go.mod": MOD}, "the vendor folder does not match go.mod", "lock_outdated"),
    ],
)
def test_a_build_that_fails_says_why_in_a_sentence(
    files: dict[str, str], message: str, code: str, bench: Bench, shop: str, tmp_path: Path
) -> None:
    with pytest.raises(DeployFailed) as refused:
        bench.build(support.push(tmp_path, {"go.mod": MOD, **files}, shop))
    assert (refused.value.code, refused.value.message[: len(message)]) == (code, message)
    assert refused.value.hint
    assert refused.value.evidence


@pytest.mark.engine
@pytest.mark.slow
def test_a_toolchain_that_the_stack_does_not_have_comes_from_the_module_proxy(bench: Bench, shop: str, tmp_path: Path) -> None:
    files = {"go.mod": MOD.replace("1.27", "1.25") + "\ntoolchain go1.26.1\n", "main.go": HELLO}
    built = bench.build(support.push(tmp_path, files, shop))
    assert bench.lines[0] == "-----> Go 1.26 (go.mod; version from go.mod)"
    with served(built) as web:
        assert web.get().startswith("one go1.26.")


@pytest.mark.engine
@pytest.mark.slow
def test_several_programs_are_built_and_c_is_bound_where_a_module_needs_it(bench: Bench, shop: str, tmp_path: Path) -> None:
    files = {**app("go-gin"), "Procfile": "web: ./bin/web\nworker: worker\n"}
    built = bench.build(support.push(tmp_path, files, shop))
    assert printed(built, built.processes["worker"]) == "sqlite true <nil>\n"
    with served(built) as web:
        assert web.get() == '{"from":"gin"}'


@pytest.mark.engine
def test_a_version_that_nobody_has_is_refused(bench: Bench, shop: str, tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        bench.build(support.push(tmp_path, {"go.mod": "module a\n\ngo 1.999\n", "main.go": MAIN}, shop))
    assert refused.value.code == "version_unavailable"
    assert refused.value.message == "Go 1.999 is not available here: it could not be fetched"
