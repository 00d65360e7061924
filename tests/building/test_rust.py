"""Rust apps: what is decided from the tree, and apps with real crates, built and served."""

from __future__ import annotations

import dataclasses
import json
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
from wherry.secret import Secret

if TYPE_CHECKING:
    from conftest import Bench

PACKAGE = '[package]\nname = "shop"\nversion = "0.1.0"\nedition = "2021"\n'
LOCK = 'version = 3\n\n[[package]]\nname = "shop"\nversion = "0.1.0"\n'
WORKSPACE = '[workspace]\nmembers = ["api"]\n'
MAIN = 'fn main() { println!("one"); }\n'
APP = {"Cargo.toml": PACKAGE, "Cargo.lock": LOCK, "src/main.rs": MAIN}


def planned(folder: Path, files: support.Files) -> Planned:
    return plan.plan(support.tree(folder, files), load_all(support.PACKS), [].append)


def heading(folder: Path, files: support.Files) -> str:
    lines: list[str] = []
    MemoryBuilder().build(support.push(folder, {**APP, **files}), lines.append)
    return lines[0].removeprefix("-----> ")


def app(name: str) -> dict[str, str]:
    """The files of an app that is kept as data."""
    home = support.DATA / "apps" / name
    return {str(path.relative_to(home)): path.read_text() for path in home.rglob("*") if path.is_file() and "target" not in path.parts}


@pytest.fixture(scope="module")
def shop(bench: Bench) -> str:
    """One app for all tests here: its cache holds the crates that several of them take."""
    return bench.app("rust")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "Rust 1.99 (Cargo.lock; the default version)"),
        ({"rust-toolchain.toml": '[toolchain]\nchannel = "1.85.0"\n'}, "Rust 1.85 (Cargo.lock; version from rust-toolchain.toml)"),
        ({"rust-toolchain.toml": '[toolchain]\nchannel = "stable"\n'}, "Rust 1.99 (Cargo.lock; the default version)"),
        ({"rust-toolchain": "1.90\n"}, "Rust 1.90 (Cargo.lock; version from rust-toolchain)"),
        ({"Cargo.toml": f'{PACKAGE}rust-version = "1.70"\n'}, "Rust 1.99 (Cargo.lock; version from Cargo.toml)"),
    ],
)
def test_the_version_is_the_one_that_the_toolchain_file_asks_for(files: dict[str, str], expected: str, tmp_path: Path) -> None:
    assert heading(tmp_path, files) == expected


def test_nightly_is_refused_with_what_is_offered(tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        heading(tmp_path, {"rust-toolchain.toml": '[toolchain]\nchannel = "nightly-2026-01-01"\n'})
    expected = "Rust nightly-2026-01-01, which rust-toolchain.toml asks for, is not offered: 1.68 to 1.99 are"
    assert refused.value.message == expected


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"src/main.rs": MAIN}, "shop"),
        ({"src/main.rs": MAIN, "src/bin/migrate.rs": MAIN}, "shop"),
        ({"src/lib.rs": "", "src/bin/serve/main.rs": MAIN}, "serve"),
        ({"src/main.rs": MAIN, "Cargo.toml": f'{PACKAGE}[[bin]]\nname = "boat"\npath = "src/main.rs"\n'}, "boat"),
        ({"src/bin/a.rs": MAIN, "src/bin/b.rs": MAIN, "Cargo.toml": f'{PACKAGE}default-run = "b"\n'}, "b"),
        ({"Cargo.toml": WORKSPACE, "api/Cargo.toml": PACKAGE.replace("shop", "the-api"), "api/src/main.rs": MAIN}, "the-api"),
    ],
)
def test_the_program_that_is_meant_is_the_web_process_without_a_procfile(files: dict[str, str], command: str, tmp_path: Path) -> None:
    found = planned(tmp_path, {"Cargo.toml": PACKAGE, "Cargo.lock": LOCK, **files})
    assert found.processes == {"web": command}
    assert plan.notes(found)[0].endswith(f"so web: {command}")


def test_several_programs_need_a_procfile_and_are_named(tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        planned(tmp_path, app("rust-axum"))
    assert refused.value.message == "there is no Procfile, and the app has 2 programs: web, rower"


def test_a_repository_without_its_lock_is_answered_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        planned(tmp_path, {"Cargo.toml": PACKAGE, "src/main.rs": MAIN})
    assert (refused.value.code, refused.value.message) == ("not_ready", "Cargo.toml is there, Cargo.lock is not")
    assert refused.value.hint == "Run cargo generate-lockfile, take Cargo.lock out of .gitignore and commit it."


@pytest.mark.engine
def test_an_app_with_crates_is_built_and_served(bench: Bench, shop: str, tmp_path: Path) -> None:
    source = support.push(tmp_path, {**app("rust-tiny"), "Procfile": "web: ./target/release/shop\n"}, shop)
    built = bench.build(dataclasses.replace(source, config={"GREETING": Secret("hello")}))
    assert bench.lines[0].startswith("-----> Rust 1.")
    assert any(line.startswith("       compiled in ") for line in bench.lines)
    with served(built) as web:
        assert json.loads(web.get()) == {"from": "tiny_http", "page": "<p>it sails</p>", "built_with": "hello"}
    assert built.size < 40e6
    told = printed(built, "id -un; touch /app/x; touch /usr/x || true; ls /app")
    assert told.split() == ["app", "Cargo.lock", "Cargo.toml", "Procfile", "bin", "target", "templates", "x"]


@pytest.mark.engine
def test_a_code_only_change_compiles_only_the_app_and_never_serves_an_old_program(bench: Bench, shop: str, tmp_path: Path) -> None:
    files = app("rust-tiny")
    bench.build(support.push(tmp_path, files, shop))
    began = time.monotonic()
    change = {"src/main.rs": files["src/main.rs"].replace('"tiny_http"', '"changed"')}
    second = bench.build(support.push(tmp_path, change, shop))
    assert time.monotonic() - began < 60
    # Back to a source whose files are older than what was compiled from the change.
    third = bench.build(support.push(tmp_path, {"src/main.rs": files["src/main.rs"], "note.txt": ""}, shop))
    for built, expected in ((second, "changed"), (third, "tiny_http")):
        with served(built) as web:
            assert json.loads(web.get())["from"] == expected


@pytest.mark.engine
@pytest.mark.parametrize(
    ("files", "message", "code"),
    [
        (
            {"src/main.rs": "fn main() { nothing(); }\n"},
            "the app does not compile: src/main.rs line 1: cannot find function `nothing`",
            "compile_failed",
        ),
        ({"Cargo.toml": f'{PACKAGE}[dependencies]\nitoa = "1"\n'}, "Cargo.lock does not match Cargo.toml", "lock_outdated"),
        ({"Cargo.toml": f"{PACKAGE}[dependencies\n"}, "Cargo.toml can not be read", "dependencies_invalid"),
        (
            {"Cargo.toml": f'{PACKAGE}[dependencies]\nboat = {{ path = "../boat" }}\n'},
            "boat/Cargo.toml is named in a Cargo.toml",
            "not_ready",
        ),
        ({"build.rs": "fn main() { panic!() }\n"}, "shop could not be compiled", "compile_failed"),
        ({"Cargo.toml": PACKAGE.replace("2021", "2099")}, "Cargo.toml can not be read", "dependencies_invalid"),
        (
            {"Cargo.lock": LOCK.replace("3", "9")},
            "Cargo.lock or Cargo.toml was written for a newer Rust than the one that was asked for",
            "language_version",
        ),
    ],
)
def test_a_build_that_fails_says_why_in_a_sentence(
    files: dict[str, str], message: str, code: str, bench: Bench, shop: str, tmp_path: Path
) -> None:
    with pytest.raises(DeployFailed) as refused:
        bench.build(support.push(tmp_path, {**APP, **files}, shop))
    assert (refused.value.code, refused.value.message[: len(message)]) == (code, message)
    assert refused.value.hint
    assert refused.value.evidence


@pytest.mark.engine
@pytest.mark.slow
def test_a_workspace_with_several_programs_on_axum_is_built_and_served(bench: Bench, shop: str, tmp_path: Path) -> None:
    built = bench.build(support.push(tmp_path, {**app("rust-axum"), "Procfile": "web: web\nworker: bin/rower\n"}, shop))
    with served(built) as web:
        assert web.get() == '{"name":"wherry","crew":1}'
    assert printed(built, built.processes["worker"]) == "wherry has a crew of 1, tls true\n"


@pytest.mark.engine
@pytest.mark.slow
def test_another_version_comes_from_where_rustup_would_fetch_it(bench: Bench, shop: str, tmp_path: Path) -> None:
    files = {**APP, "rust-toolchain.toml": '[toolchain]\nchannel = "1.85.0"\n', "build.rs": BUILD, "src/main.rs": TELLS}
    built = bench.build(support.push(tmp_path, files, shop))
    assert bench.lines[0] == "-----> Rust 1.85 (Cargo.lock; version from rust-toolchain.toml)"
    assert printed(built, "shop").startswith("rustc 1.85.")


BUILD = """fn main() {
    let said = std::process::Command::new(std::env::var("RUSTC").unwrap()).arg("--version").output().unwrap();
    println!("cargo:rustc-env=MADE_BY={}", String::from_utf8(said.stdout).unwrap().trim());
}
"""
TELLS = 'fn main() { println!("{}", env!("MADE_BY")); }\n'
