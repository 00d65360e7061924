"""Node.js: a lock that changed is installed over what the last build installed, and what it comes to is what a first build makes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import building_support as support
from building_support import run
from wherry.building.builder import Built, Source
from wherry.building.dependency_layers import LABEL
from wherry.building.solve import Image
from wherry.building.stack import APP, OWNER
from wherry.errors import DeployFailed

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.engine
REUSED = "       dependencies unchanged, reused"
PROGRAMS = {"nanoid": {"nanoid": "bin/nanoid.cjs"}, "semver": {"semver": "bin/semver.js"}}
FIRST = {"ms": "2.0.0", "nanoid": "3.3.7"}
MORE = {"ms": "2.1.3", "nanoid": "3.3.7", "semver": "7.6.3"}
"""An upgrade, and one more with a program."""
LESS = {"ms": "2.1.3"}
LIST = """
const fs = require("fs"), path = require("path"), { createHash } = require("crypto"), found = {};
const walk = (folder) => { for (const name of fs.readdirSync(folder)) {
  const file = path.join(folder, name), state = fs.lstatSync(file);
  const bytes = state.isSymbolicLink() ? fs.readlinkSync(file) : state.isFile() ? fs.readFileSync(file) : "";
  const held = createHash("sha256").update(bytes).digest("hex");
  found[file] = [state.mode, state.uid, state.gid, held];
  if (state.isDirectory()) walk(file);
} };
walk("/app");
console.log(JSON.stringify(found));
"""


def contents(built: Built) -> dict[str, list[object]]:
    return dict(json.loads(run(built, "node", "-e", LIST)))


def files(dependencies: dict[str, str], **entries: object) -> dict[str, str]:
    """A package.json, and a lock as npm writes it, but for where each package comes from."""
    package = {"name": "shop", "version": "1.0.0", "dependencies": dependencies, **entries}
    packages = {
        f"node_modules/{name}": {"version": version, **({"bin": PROGRAMS[name]} if name in PROGRAMS else {})}
        for name, version in sorted(dependencies.items())
    }
    lock = {"name": "shop", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": {"": package, **packages}}
    return {"package.json": json.dumps(package), "package-lock.json": json.dumps(lock), "Procfile": "web: x\n"}


def push(folder: Path, app: str, wanted: dict[str, str], *built: Built) -> Source:
    """As the platform would hand it over, with what the app was built into before."""
    return dataclasses.replace(support.push(folder, wanted, app), built=tuple(one.image for one in reversed(built)))


def below(bench: Bench, built: Built) -> list[Image]:
    """The images of dependencies that an app's image lies on, the lowest first."""
    image = bench.engine.image(built.image)
    assert image is not None
    known = bench.engine.images({OWNER: bench.settings.name, LABEL: "yes", APP: image.labels[APP]})
    return sorted((one for one in known if image.layers[: len(one.layers)] == one.layers), key=lambda one: len(one.layers))


@pytest.fixture(scope="module")
def chain(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> list[Built]:
    """One app's builds: first, with more, with less."""
    app, folder, made = bench.app("nodechain"), tmp_path_factory.mktemp("chain"), list[Built]()
    for dependencies in (FIRST, MORE, LESS):
        made.append(bench.build(push(folder, app, files(dependencies), *made)))
    return made


@pytest.mark.parametrize("number", [1, 2], ids=["more", "less"])
def test_changed_packages_are_file_by_file_what_a_first_build_makes(number: int, chain: list[Built], bench: Bench, tmp_path: Path) -> None:
    fresh = bench.build(push(tmp_path, bench.app("nodefresh"), files((FIRST, MORE, LESS)[number])))
    assert (len(below(bench, chain[number])), len(below(bench, fresh))) == (1 + number, 1)
    assert contents(chain[number]) == contents(fresh)


def test_what_was_added_runs_and_what_was_taken_out_is_gone(chain: list[Built]) -> None:
    assert run(chain[1], "sh", "-c", "semver 1.2.3; id -un") == "1.2.3\napp\n"
    assert run(chain[2], "sh", "-c", "command -v semver nanoid || ls node_modules") == "ms\n"


def test_the_push_says_how_many_packages_were_new_and_takes_the_same_ones_as_they_are(bench: Bench, tmp_path: Path) -> None:
    app = bench.app("nodesaid")
    first = bench.build(push(tmp_path, app, files(LESS)))
    second = bench.build(push(tmp_path, app, files({"nanoid": "3.3.7", **LESS}), first))
    assert any(line.startswith("       installed 1 of 2 packages in ") for line in bench.lines), bench.lines
    third = bench.build(push(tmp_path, app, files({"nanoid": "3.3.7", **LESS}) | {"server.js": "1"}, first, second))
    assert REUSED in bench.lines and below(bench, third) == below(bench, second)


def test_a_lock_that_is_behind_is_told_once(bench: Bench, tmp_path: Path) -> None:
    app = bench.app("nodebehind")
    first = bench.build(push(tmp_path, app, files(LESS)))
    behind = files(LESS) | {"package.json": files(MORE)["package.json"]}
    with pytest.raises(DeployFailed) as refused:
        bench.build(push(tmp_path, app, behind, first))
    assert refused.value.code == "lock_outdated"
    assert sum("installing dependencies" in line for line in bench.lines) <= 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({".npmrc": "install-strategy=nested\n"}, id="other settings"),
        pytest.param(files(MORE, workspaces=[]), id="workspaces", marks=pytest.mark.slow),
        pytest.param(files(MORE, packageManager="npm@11.0.0"), id="another npm", marks=pytest.mark.slow),
    ],
)
def test_where_more_than_the_lock_decides_all_of_it_is_made_anew(other: dict[str, str], bench: Bench, tmp_path: Path) -> None:
    app = bench.app("nodeanew")
    first = bench.build(push(tmp_path, app, files(LESS)))
    second = bench.build(push(tmp_path, app, files(MORE) | other, first))
    assert len(below(bench, second)) == 1
    assert run(second, "sh", "-c", "semver 1.2.3") == "1.2.3\n"


def test_a_build_script_has_no_image_of_dependencies_below_it(bench: Bench, tmp_path: Path) -> None:
    made = bench.build(push(tmp_path, bench.app("nodebuilt"), files(LESS, scripts={"build": "echo built"})))
    assert below(bench, made) == []
