"""Node.js apps: what is decided about them, and that they are built, pruned, served and asked to end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import pytest

import building_support as support
from serving_support import serving
from wherry.building import plan
from wherry.building.buildpack import load_all
from wherry.building.plan import Planned
from wherry.building.versions import choose
from wherry.errors import DeployFailed

if TYPE_CHECKING:
    from conftest import Bench

APP = support.DATA / "apps" / "nodejs"
LOCKS = {"npm": "package-lock.json", "yarn 4": "yarn.lock", "pnpm": "pnpm-lock.yaml"}
START = {"start": "node server.js"}
SERVER = "require('http').createServer((_, answer) => answer.end('it sails')).listen(process.env.PORT, '0.0.0.0');\n"


def package(**entries: Any) -> str:
    return json.dumps({"name": "shop", "version": "1.0.0", "license": "UNLICENSED", **entries})


def asking(node: str) -> str:
    return package(scripts=START, engines={"node": node})


def planned(folder: Path, files: support.Files, lines: list[str] | None = None) -> Planned:
    return plan.plan(support.tree(folder, files), load_all(support.PACKS), (lines if lines is not None else []).append)


def version(found: Planned) -> str:
    pack = found.language
    assert pack is not None
    return choose(found.wish, pack.default, pack.stack.offers, pack.title)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"package-lock.json": ""}, "-----> Node.js 24 (package-lock.json; the default version)"),
        ({"npm-shrinkwrap.json": ""}, "-----> Node.js 24 (npm-shrinkwrap.json; the default version)"),
        ({"yarn.lock": "# yarn lockfile v1\n", ".nvmrc": "v22.4.1\n"}, "-----> Node.js 22 (yarn.lock; version from .nvmrc)"),
        ({"yarn.lock": "__metadata:\n", ".nvmrc": "lts/iron\n"}, "-----> Node.js 20 (yarn.lock; version from .nvmrc)"),
        ({"pnpm-lock.yaml": "", ".node-version": "20"}, "-----> Node.js 20 (pnpm-lock.yaml; version from .node-version)"),
        (
            {"package.json": package(scripts=START, engines={"node": ">=18 <21"})},
            "-----> Node.js 20 (package.json; version from package.json)",
        ),
        ({"package.json": package(scripts=START, engines={"node": ">=18"})}, "-----> Node.js 24 (package.json; version from package.json)"),
    ],
)
def test_the_lock_file_chooses_the_tool_and_the_push_says_where_the_version_comes_from(
    files: dict[str, str], expected: str, tmp_path: Path
) -> None:
    found = planned(tmp_path, {"package.json": package(scripts=START), **files})
    assert plan.heading(found, version(found)) == expected


@pytest.mark.parametrize(
    ("files", "command"),
    [
        (
            {"package.json": package(scripts={"start": "NODE_ENV=production node dist/server.js"})},
            "NODE_ENV=production node dist/server.js",
        ),
        ({"package.json": package(scripts={"start": "node .", "prestart": "node prepare.js"})}, "npm start"),
        ({"package.json": package(scripts={"start": "node . --name $npm_package_name"})}, "npm start"),
        ({"package.json": package(dependencies={"next": "15"}, scripts={"build": "next build"})}, "next start"),
        ({"package.json": package(), "server.js": ""}, "node server.js"),
        ({"package.json": package(main="lib/index.js"), "lib/index.js": ""}, "node lib/index.js"),
        ({"package.json": package(main="gone.js"), "index.js": ""}, "node index.js"),
        ({"package.json": package(scripts=START), "Procfile": "web: npm start"}, "node server.js"),
        ({"package.json": package(scripts={"serve": "node ."}), "Procfile": "web: yarn serve"}, "node ."),
        ({"package.json": package(scripts={"serve": "node .", "preserve": "x"}), "Procfile": "web: npm run serve"}, "npm run serve"),
        ({"package.json": package(scripts=START), "Procfile": "web: npm start -- --port $PORT"}, "npm start -- --port $PORT"),
    ],
)
def test_the_web_process_is_the_program_itself_so_that_sigterm_reaches_it(files: dict[str, str], command: str, tmp_path: Path) -> None:
    assert planned(tmp_path, files).processes == {"web": command}


def test_a_start_command_that_is_seen_through_is_told(tmp_path: Path) -> None:
    found = planned(tmp_path, {"package.json": package(scripts=START), "Procfile": "web: npm start\n"})
    assert plan.notes(found) == ['       web: npm start is run as "node server.js", so that SIGTERM reaches it']


def test_a_project_without_a_lock_file_is_built_and_told_what_that_means(tmp_path: Path) -> None:
    found = planned(tmp_path, {"package.json": package(scripts=START, dependencies={"express": "4"})})
    assert plan.notes(found)[0] == (
        "       no lock file, so each build may get other versions: run npm install and commit package-lock.json"
    )


def test_pushed_packages_are_left_out_and_the_push_says_so(tmp_path: Path) -> None:
    found = planned(
        tmp_path,
        {
            "package.json": package(scripts=START),
            "package-lock.json": "",
            "node_modules/.package-lock.json": "{}",
            "node_modules/a/x.js": "",
        },
    )
    assert plan.notes(found)[0].startswith("       node_modules is in the push and not used")
    assert not [path for path, _ in plan.context(found).members if "node_modules" in path]


def test_workspaces_and_patches_are_dependency_files_too(tmp_path: Path) -> None:
    files = {"packages/a/package.json": package(), "packages/a/code.js": "", "patches/x.patch": "", ".npmrc": "engine-strict=false\n"}
    context = plan.context(planned(tmp_path, {"package.json": package(scripts=START), "package-lock.json": "", **files}))
    copied = {path for path in (*context.texts, *(path for path, _ in context.members)) if path.startswith("deps/")}
    assert copied == {
        f"deps/{name}" for name in ("package.json", "package-lock.json", ".npmrc", "packages/a/package.json", "patches/x.patch")
    }


@pytest.mark.parametrize("case", support.cases("nodejs"), ids=lambda case: str(case["name"]))
def test_a_project_that_can_not_be_built_is_answered_with_the_way_out(case: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        version(planned(tmp_path, case["files"]))
    assert (refused.value.code, refused.value.message, refused.value.hint) == (case["code"], case["message"], case["hint"])


def files_of(tool: str, bench: Bench, folder: Path) -> dict[str, str]:
    """The app with the lock file of one tool. Yarn 1's names a registry in every line, so it is made here."""
    files = {path.relative_to(APP).as_posix(): path.read_text() for path in APP.rglob("*") if path.is_file()}
    if tool != "yarn 1":
        return {**files, LOCKS[tool]: (APP.parent / "nodejs-locks" / LOCKS[tool]).read_text()}
    folder.mkdir()
    (folder / "package.json").write_text(files["package.json"])
    tools = next(image.name for image in bench.builder.stacks.show() if image.name.endswith("/nodejs:24-build"))
    client = docker.from_env()
    try:
        argv = ["npx", "--yes", "yarn@1.22.22", "install", "--silent", "--ignore-scripts"]
        client.containers.run(tools, argv, remove=True, working_dir="/x", volumes={str(folder): {"bind": "/x"}})
    finally:
        client.close()
    return {**files, "yarn.lock": (folder / "yarn.lock").read_text()}


@pytest.mark.engine
@pytest.mark.parametrize(
    "tool", ["npm", pytest.param("yarn 1", marks=pytest.mark.slow), pytest.param("yarn 4", marks=pytest.mark.slow), "pnpm"]
)
def test_a_typescript_app_is_compiled_pruned_served_and_ends_when_asked(tool: str, bench: Bench, tmp_path: Path) -> None:
    bench.builder.stacks.image(pack(), "24", print)
    built = bench.build(support.push(tmp_path / "app", files_of(tool, bench, tmp_path / "lock"), bench.app("ts")))
    assert bench.lines[0].startswith("-----> Node.js 24 (")
    assert not built.root
    with serving(built) as app:
        assert json.loads(app.get().body) == {"node": "24", "mode": "production", "generated": 7}
        assert app.run(
            "sh", "-c", "ls -d node_modules/typescript node_modules/express 2>&1 | sort; cat order.txt; id -un"
        ).splitlines() == [
            "ls: cannot access 'node_modules/typescript': No such file or directory",
            "node_modules/express",
            "prebuild",
            "build",
            "app",
        ]
        status, took = app.stop()
        assert (status, "asked to end" in app.log()) == (0, True)
        assert took < 25, "30 s is when it would be killed"


@pytest.mark.engine
def test_a_code_only_change_reuses_the_packages(bench: Bench, tmp_path: Path) -> None:
    app = bench.app("quick")
    files = {"package.json": package(scripts=START, dependencies={"ms": "2.1.3"}), "server.js": SERVER}
    bench.build(support.push(tmp_path, files, app))
    second = bench.build(support.push(tmp_path, {"server.js": SERVER.replace("sails", "flies")}, app))
    assert "       dependencies unchanged, reused" in bench.lines
    with serving(second) as instance:
        assert instance.get().body == b"it flies"


@pytest.mark.engine
@pytest.mark.slow
def test_the_distributions_own_version_serves_too(bench: Bench, tmp_path: Path) -> None:
    built = bench.build(
        support.push(tmp_path, {"package.json": package(scripts=START), "server.js": SERVER, ".nvmrc": "18\n"}, bench.app("own"))
    )
    assert bench.lines[0] == "-----> Node.js 18 (package.json; version from .nvmrc)"
    with serving(built) as app:
        assert app.get().body == b"it sails"
        assert app.run("node", "--version").startswith("v18.")
        assert app.run("npm", "--version").startswith("10.")


NEXT = {
    "app/layout.js": "export default function Layout({ children }) { return <html><body>{children}</body></html>; }\n",
    "app/page.js": "export const dynamic = 'force-dynamic';\nexport default () => <h1>it sails</h1>;\n",
    "app/api/where/route.js": "export const GET = () => Response.json({ at: process.env.HOSTNAME ? 'sea' : 'land' });\n",
    "public/flag.txt": "ahoy\n",
}
NEXT_PACKAGES = {"next": "15.5.4", "react": "19.1.1", "react-dom": "19.1.1"}
STANDALONE = "next build && cp -r public .next/standalone/ && cp -r .next/static .next/standalone/.next/"


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.parametrize(
    ("scripts", "settings", "command"),
    [
        ({"build": "next build"}, "", "next start"),
        ({"build": "next build", "start": "next start"}, "output: 'standalone'", "next start"),
        ({"build": STANDALONE, "start": "node .next/standalone/server.js"}, "output: 'standalone'", "node .next/standalone/server.js"),
    ],
    ids=["without a Procfile or a start script", "as create-next-app writes it", "standalone"],
)
def test_a_next_app_is_built_and_served(scripts: dict[str, str], settings: str, command: str, bench: Bench, tmp_path: Path) -> None:
    files = {
        **NEXT,
        "package.json": package(scripts=scripts, dependencies=NEXT_PACKAGES),
        "next.config.mjs": f"export default {{ {settings} }};\n",
    }
    built = bench.build(support.push(tmp_path, files, bench.app("next")))
    assert built.processes == {"web": command}
    with serving(built) as app:
        assert b"<h1>it sails</h1>" in app.get().body
        assert app.get("/flag.txt").body == b"ahoy\n"
        assert json.loads(app.get("/api/where").body)["at"] in ("sea", "land")
        assert app.stop()[0] in (0, 143)


@pytest.mark.engine
def test_packages_that_a_build_makes_beside_its_output_are_in_the_image_with_their_links(bench: Bench, tmp_path: Path) -> None:
    """As Next's standalone output and Nuxt's bring them."""
    make = "mkdir -p out/node_modules/real && echo 'it sails' >out/node_modules/real/x && ln -s real out/node_modules/link"
    files = {"package.json": package(scripts={"build": make, **START}), "server.js": SERVER}
    built = bench.build(support.push(tmp_path, files, bench.app("own-packages")))
    with serving(built) as app:
        assert app.run("cat", "out/node_modules/link/x") == "it sails\n"


def pack() -> Any:
    return next(pack for pack in load_all(support.PACKS) if pack.name == "nodejs")
