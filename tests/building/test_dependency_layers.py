"""Dependencies stay as an image of their own below the app's: what they come to is what a build without a past makes, file by file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import building_support as support
from building_support import run
from python_locks import dependencies
from wherry.building.builder import Built, Source
from wherry.building.context import Context
from wherry.building.dependency_layers import LABEL
from wherry.building.solve import Image, Solve
from wherry.building.stack import APP, OWNER
from wherry.errors import DeployFailed
from wherry.secret import Secret

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.engine
REUSED = "       dependencies unchanged, reused"
FIRST = "jaraco.classes==3.4.0\nmore-itertools==10.7.0\nitsdangerous==2.1.2\n"
"""A package of a namespace, and one to be upgraded."""
MORE = (
    "jaraco.classes==3.4.0\nmore-itertools==10.7.0\nitsdangerous==2.2.0\njaraco.context==6.0.1\nbackports.tarfile==1.2.0\ntabulate==0.9.0\n"
)
"""An upgrade, another package of the namespace, and one with a console script."""
LESS = "jaraco.context==6.0.1\nbackports.tarfile==1.2.0\nitsdangerous==2.2.0\n"
LIST = """
import hashlib, json, os, stat
found = {}
for folder, folders, files in os.walk("/venv"):
    for name in folders + files:
        path = os.path.join(folder, name)
        state = os.lstat(path)
        held = ""
        if stat.S_ISLNK(state.st_mode):
            held = os.readlink(path)
        elif stat.S_ISREG(state.st_mode):
            data = open(path, "rb").read()
            # Bytecode knows when its source was written, and must know it right.
            if name.endswith(".pyc"):
                source = os.path.join(folder, "..", name.split(".")[0] + ".py")
                right = int.from_bytes(data[8:12], "little") == int(os.stat(source).st_mtime)
                data = data[:8] + data[12:] + repr(right).encode()
            held = hashlib.sha256(data).hexdigest()
        found[path] = [stat.filemode(state.st_mode), state.st_uid, state.st_gid, held]
print(json.dumps(found))
"""


def environment(built: Built) -> dict[str, list[str]]:
    return dict(json.loads(run(built, "python", "-B", "-c", LIST)))


def push(folder: Path, requirements: str, app: str, *built: Built, **files: str) -> Source:
    """As the platform would hand it over, with what the app was built into before."""
    wanted = {"requirements.txt": requirements, "Procfile": "web: x\n", **{name.replace("__", "."): text for name, text in files.items()}}
    return dataclasses.replace(support.push(folder, wanted, app), built=tuple(one.image for one in reversed(built)))


def own_layers(bench: Bench, built: Built) -> int:
    """How many layers of dependencies an image has above its stack (and an empty one for WORKDIR) and below its code."""
    image, stack = bench.engine.image(built.image), bench.engine.image(f"{bench.settings.name}/python:{version(bench)}")
    assert image is not None and stack is not None
    assert image.layers[: len(stack.layers)] == stack.layers
    return len(image.layers) - len(stack.layers) - 2


def version(bench: Bench) -> str:
    return bench.lines[0].split()[2]


def below(bench: Bench, built: Built) -> list[Image]:
    image = bench.engine.image(built.image)
    assert image is not None
    known = bench.engine.images({OWNER: bench.settings.name, LABEL: "yes", APP: image.labels[APP]})
    return [one for one in known if image.layers[: len(one.layers)] == one.layers]


@pytest.fixture(scope="module")
def chain(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> list[Built]:
    """One app's builds: first, with more, with less."""
    app, folder, made = bench.app("chain"), tmp_path_factory.mktemp("chain"), list[Built]()
    for requirements in (FIRST, MORE, LESS):
        made.append(bench.build(push(folder, requirements, app, *made)))
    return made


@pytest.mark.parametrize("number", [1, 2], ids=["more", "less"])
def test_a_changed_environment_is_file_by_file_what_a_first_build_makes(
    number: int, chain: list[Built], bench: Bench, tmp_path: Path
) -> None:
    fresh = bench.build(push(tmp_path, (FIRST, MORE, LESS)[number], bench.app("fresh")))
    assert own_layers(bench, fresh) == 1
    assert own_layers(bench, chain[number]) == 1 + number
    assert environment(chain[number]) == environment(fresh)


def test_what_was_added_runs_and_what_was_taken_out_is_gone(chain: list[Built]) -> None:
    assert run(chain[1], "sh", "-c", "echo 'a b' | tabulate; command -v tabulate") == "-  -\na  b\n-  -\n/venv/bin/tabulate\n"
    assert (
        run(chain[2], "sh", "-c", "command -v tabulate || python -c 'import jaraco.context as c; print(c.__name__)'") == "jaraco.context\n"
    )
    assert run(chain[2], "printenv", "GUNICORN_CMD_ARGS") == "--worker-tmp-dir=/dev/shm\n"
    assert run(chain[2], "python", "-c", "import importlib.util as u; print(u.find_spec('jaraco.classes'))") == "None\n"


def test_the_push_says_how_many_packages_were_new(bench: Bench, tmp_path: Path) -> None:
    app = bench.app("said")
    first = bench.build(push(tmp_path, "tabulate==0.9.0\n", app))
    bench.build(push(tmp_path, "tabulate==0.9.0\nitsdangerous==2.2.0\n", app, first))
    assert any(line.startswith("       installed 1 of 2 packages in ") for line in bench.lines), bench.lines


@pytest.mark.parametrize(
    "kind", ["uv.lock", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("Pipfile.lock", "poetry.lock", "pyproject.toml"))]
)
def test_every_way_to_install_gives_what_its_first_build_would(kind: str, chain: list[Built], bench: Bench, tmp_path: Path) -> None:
    files = dependencies(kind, bench, tmp_path)
    app, folder = bench.app("ways"), tmp_path / "app"
    first = bench.build(push(folder, FIRST, app))
    (folder / "requirements.txt").unlink()
    over = bench.build(moved(folder, files, app, first))
    fresh = bench.build(moved(folder, files, bench.app("ways")))
    assert (own_layers(bench, over), own_layers(bench, fresh)) == (2, 1)
    assert environment(over) == environment(fresh)


def test_without_a_change_the_image_that_is_there_is_taken(bench: Bench, tmp_path: Path) -> None:
    app = bench.app("again")
    first = bench.build(push(tmp_path, FIRST, app))
    second = bench.build(push(tmp_path, FIRST, app, first, app__py="print(2)"))
    assert REUSED in bench.lines
    back = bench.build(push(tmp_path, FIRST, app, second, first, config__py="3"))
    assert REUSED in bench.lines and own_layers(bench, back) == 1


def test_nothing_is_built_upon_what_another_app_has(bench: Bench, tmp_path: Path) -> None:
    """Of the same name, too: it may have been destroyed or renamed."""
    app = bench.app("name")
    bench.build(push(tmp_path, FIRST, app))
    another = bench.build(push(tmp_path, MORE, app))
    assert own_layers(bench, another) == 1


def test_no_cache_makes_all_of_it(bench: Bench, tmp_path: Path) -> None:
    app = bench.app("nocache")
    first = bench.build(push(tmp_path, FIRST, app))
    second = bench.build(push(tmp_path, LESS, app, first), no_cache=True)
    assert own_layers(bench, second) == 1
    assert REUSED not in bench.lines
    third = bench.build(push(tmp_path, LESS, app, second, first, app__py="1"))
    assert REUSED in bench.lines and own_layers(bench, third) == 1


def test_a_config_var_for_installers_makes_all_of_it(bench: Bench, tmp_path: Path) -> None:
    app = bench.app("config")
    first = bench.build(push(tmp_path, FIRST, app))
    source = dataclasses.replace(push(tmp_path, LESS, app, first), config={"UV_COMPILE_BYTECODE": Secret("0"), "OTHER": Secret("hunter2")})
    second = bench.build(source)
    assert own_layers(bench, second) == 1
    assert not any(path.endswith(".pyc") for path in environment(second))


def test_an_image_that_is_gone_or_not_what_it_says_means_a_whole_build(bench: Bench, tmp_path: Path) -> None:
    app = bench.app("broken")
    first = bench.build(push(tmp_path, FIRST, app))
    (image,) = below(bench, first)
    stack = bench.engine.image(f"{bench.settings.name}/python:{version(bench)}")
    assert stack is not None
    bench.engine.remove(image.id)
    assert own_layers(bench, bench.build(push(tmp_path, MORE, app, first))) == 1
    empty = false_image(bench, app, stack.tags[0], image.tags[0])
    second = bench.build(push(tmp_path, LESS, app, first, Built(empty, "", 0, {})))
    assert own_layers(bench, second) == 1
    assert run(second, "python", "-c", "import jaraco.context; print('sails')") == "sails\n"


def test_a_mistake_in_the_list_is_told_once_and_costs_no_second_build(bench: Bench, tmp_path: Path) -> None:
    app = bench.app("mistake")
    first = bench.build(push(tmp_path, FIRST, app))
    with pytest.raises(DeployFailed) as refused:
        bench.build(push(tmp_path, FIRST + "no-such-package-of-wherrys==1\n", app, first))
    assert refused.value.code == "no_such_package"
    assert sum("installing dependencies" in line for line in bench.lines) <= 1


def test_clean_up_keeps_what_a_kept_image_is_built_on_and_no_more(bench: Bench, tmp_path: Path) -> None:
    app = bench.app("kept")
    first = bench.build(push(tmp_path, FIRST, app))
    second = bench.build(push(tmp_path, MORE, app, first))
    (one,) = below(bench, first)
    others = {image.id for image in bench.engine.images({OWNER: bench.settings.name, APP: ""}) if image.labels[APP] != app}
    stored = bench.builder.stored()
    assert one.id not in stored.apps and {first.image, second.image} <= stored.apps.keys()
    bench.builder.prune(lambda: others | {second.image})
    (two,) = below(bench, second)
    assert bench.engine.image(first.image) is None and bench.engine.image(one.id) is None
    bench.builder.prune(lambda: others)
    assert bench.engine.image(two.id) is None


def test_what_was_kept_for_an_app_goes_with_it(bench: Bench, tmp_path: Path) -> None:
    app, another = bench.app("going"), bench.app("staying")
    first = bench.build(push(tmp_path, FIRST, app))
    second = bench.build(push(tmp_path, MORE, app, first))
    cloned = bench.build(push(tmp_path, MORE, another, first, second, app__py="a clone's"))
    (one,) = below(bench, first)
    images = {image.id for image in below(bench, second)}
    bench.builder.forget({first.image})
    assert bench.engine.image(one.id) is None and len(images) == 2
    bench.builder.forget({second.image})
    assert own_layers(bench, cloned) == 2
    assert {bench.engine.image(image) is None for image in images - {one.id}} == {False}
    bench.builder.forget({second.image, cloned.image})
    assert {bench.engine.image(image) is None for image in images} == {True}


def moved(folder: Path, files: dict[str, str], app: str, *built: Built) -> Source:
    pushed = support.push(folder, {**files, "Procfile": "web: x\n"}, app)
    return dataclasses.replace(pushed, built=tuple(one.image for one in built))


def false_image(bench: Bench, app: str, stack: str, tag: str) -> str:
    """Says of itself that it holds dependencies, and holds none; returns its id."""
    context = Context()
    context.add_text("Dockerfile", f"FROM {stack}\nRUN touch /hollow\n".encode())
    labels = {OWNER: bench.settings.name, APP: app, LABEL: "yes"}
    return bench.engine.solve(Solve(context.stream(), tag, labels=labels), lambda _: None, lambda: None, lambda: False, 60)
