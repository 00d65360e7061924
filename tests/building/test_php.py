"""PHP apps: what is decided about them, and real ones whose packages come from a repository on this machine.

Packagist is not asked: the repository has a package of ours, and FastRoute made of the distribution's package.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import building_support as support
from gem_server import Served, folder_served
from package_server import lock, make_packages
from served_app import printed, served
from waiting import until
from wherry.building import plan
from wherry.building.buildpack import load_all
from wherry.building.memory_builder import MemoryBuilder
from wherry.errors import DeployFailed

if TYPE_CHECKING:
    from conftest import Bench

APP = support.DATA / "apps" / "php"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"index.php": "<?php\n"}, "-----> PHP 8.4 (index.php; the default version)"),
        ({"public/index.php": "<?php\n", "package.json": "{}"}, "-----> PHP 8.4 (public/index.php; the default version)"),
        (
            {"composer.json": '{"require": {"php": "^8.1 || ^9"}}', "composer.lock": "{}"},
            "-----> PHP 8.4 (composer.lock; version from composer.json)",
        ),
        ({"composer.json": '{"require": {"php": "~8.2.0"}}'}, "-----> PHP 8.2 (composer.json; version from composer.json)"),
        (
            {"composer.json": "{}", "composer.lock": '{"platform": {"php": ">=8.1 <8.4"}}'},
            "-----> PHP 8.3 (composer.lock; version from composer.lock)",
        ),
    ],
)
def test_the_heading_names_the_version_and_who_asked_for_it(files: support.Files, expected: str, tmp_path: Path) -> None:
    lines: list[str] = []
    MemoryBuilder(support.PACKS).build(support.push(tmp_path, {"Procfile": "web: x\n", **files}), lines.append)
    assert lines[0] == expected
    assert not any("is not used" in line for line in lines)


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"index.php": b"<?php // caf\xe9\n"}, "heroku-php-apache2"),
        ({"index.php": "", "public/index.php": ""}, "heroku-php-apache2 public/"),
        ({"composer.json": "{}", "web/index.php": ""}, "heroku-php-apache2 web/"),
        ({"composer.json": '{"extra": {"heroku": {"document-root": "www"}}}', "public/index.php": ""}, "heroku-php-apache2 www"),
        ({"index.php": "", "Procfile": "web: heroku-php-apache2 site/\n"}, "heroku-php-apache2 site/"),
    ],
)
def test_the_folder_that_is_served_is_found(files: support.Files, command: str, tmp_path: Path) -> None:
    assert plan.plan(support.tree(tmp_path, files), load_all(support.PACKS), [].append).processes == {"web": command}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"composer.json": '{"require": {"php": "^8", "monolog/monolog": "^3"}}'}, "composer.json is there, composer.lock is not"),
        ({"composer.lock": "{}"}, "composer.lock is there, composer.json is not"),
        ({"composer.json": '{"require": {"php": "^8",}}', "composer.lock": "{}"}, "composer.json line 1 column 25: "),
        (
            {"composer.json": '{"require": {"php": "^7.4"}}', "index.php": ""},
            "PHP ^7.4, which composer.json asks for, is not offered",
        ),
        ({"composer.json": '{"extra": {"heroku": {"document-root": "$(id)"}}}'}, "there is no Procfile, and no web process was recognised"),
    ],
)
def test_an_app_that_can_not_be_built_is_told_why(files: support.Files, message: str, tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        MemoryBuilder(support.PACKS).build(support.push(tmp_path, files), [].append)
    assert refused.value.message.startswith(message)
    assert refused.value.hint


@pytest.fixture(scope="module")
def builder_image(bench: Bench) -> str:
    pack = next(pack for pack in load_all(support.PACKS) if pack.name == "php")
    return bench.builder.stacks.image(pack, bench.builder.stacks.default_version(pack), print) + "-build"


@pytest.fixture(scope="module")
def packages(builder_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with folder_served(tmp_path_factory.mktemp("packages")) as server:
        make_packages(builder_image, server.folder, server.url)
        yield server


def project(url: str, **more: Any) -> dict[str, Any]:
    return {
        "repositories": [{"type": "composer", "url": url}, {"packagist.org": False}],
        "require": {"php": ">=8.1", "ext-intl": "*", "acme/greeter": "^1.0", "nikic/fast-route": "^1.3"},
        "autoload": {"psr-4": {"Shop\\": "src/"}},
        "config": {"secure-http": False},
        **more,
    }


def files(url: str, image: str, folder: Path, **more: Any) -> dict[str, str | bytes]:
    """The app of `data/apps/php`, with its dependency files."""
    wanted = project(url, **more)
    own = {str(path.relative_to(APP)): path.read_bytes() for path in APP.rglob("*") if path.is_file()}
    return {**own, "composer.json": json.dumps(wanted), "composer.lock": lock(image, wanted, folder)}


@pytest.mark.engine
def test_an_app_with_packages_is_served_from_its_public_folder(bench: Bench, packages: Served, builder_image: str, tmp_path: Path) -> None:
    scripts = {"post-autoload-dump": "echo made > src/made.txt", "compile": "echo $COLOUR >> src/made.txt"}
    pushed = files(packages.url, builder_image, tmp_path / "lock", scripts=scripts)
    name = bench.app("php")
    built = bench.build(support.push(tmp_path / "app", pushed, name))
    assert "       no Procfile; a front controller in public/index.php, so web: heroku-php-apache2 public/" in bench.lines
    assert any(line.startswith("       installed 2 packages in ") for line in bench.lines)
    with served(built) as shop:
        assert shop.get("/hello/you").text == "Hello, you from the shop"
        assert shop.get("/elsewhere").status == 404
        assert shop.get("/../src/Place.php").status in (400, 404)
        assert "x-powered-by" not in shop.get("/hello/you").headers
    look = "id -un; command -v composer git perl; head -n 1 src/made.txt; ls vendor; touch vendor/acme/x 2>/dev/null || echo kept"
    assert printed(built, look) == "app\nmade\nacme\nautoload.php\ncomposer\nnikic\nkept\n"
    place = str(pushed["src/Place.php"], "utf-8").replace("the shop", "the yard")  # type: ignore[arg-type]
    again = bench.build(support.push(tmp_path / "app", {"src/Place.php": place}, name))
    assert "       dependencies unchanged, reused" in bench.lines
    with served(again) as shop:
        assert shop.get("/hello/you").text == "Hello, you from the yard"


@pytest.mark.engine
def test_a_plain_app_is_served_with_its_rules_and_ends_in_order(bench: Bench, tmp_path: Path) -> None:
    page = "<?php usleep(1000 * (int) ($_GET['ms'] ?? 0)); echo $_SERVER['HTTPS'] ?? 'plain'; error_log('heard');\n"
    rules = "RewriteEngine On\nRewriteRule ^old$ /index.php [R=301,L]\n"
    shown = {"index.php": page, "style.css": "p {}\n", ".htaccess": rules}
    hidden = {".env": "KEY=hunter2\n", "vendor/own/x.txt": "x", "composer.json": "{}"}
    built = bench.build(support.push(tmp_path, {**shown, **hidden}, bench.app("plain")))
    with served(built) as site:
        assert site.get("/", X_Forwarded_Proto="https").text == "on"
        assert site.get("/style.css").headers["content-type"] == "text/css"
        assert site.get("/old").status == 301
        assert [site.get(path).status for path in ("/.env", "/vendor/own/x.txt", "/composer.json", "/.htaccess")] == [403] * 4
        assert site.get("/nothing").status == 404
        until(lambda: "heard" in site.log())
        assert site.stop()[1] == 0, "137 is one that had to be killed"


@pytest.mark.engine
def test_what_was_begun_is_answered_before_the_server_ends(bench: Bench, tmp_path: Path) -> None:
    page = "<?php usleep(1000 * (int) ($_GET['ms'] ?? 0)); echo 'answered';\n"
    built = bench.build(support.push(tmp_path, {"public/index.php": page}, bench.app("slow-page")))
    with served(built) as site, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(site.get, "/?ms=4000")
        time.sleep(2)
        assert site.stop()[1] == 0, "137 is one that had to be killed"
        assert answer.result().text == "answered"


@pytest.mark.engine
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ext-nosuch": "*"}, "an extension of PHP is asked for that is not here: nosuch"),
        ({"acme/other": "^1.0"}, "composer.lock does not match composer.json"),
    ],
    ids=["an extension that is not here", "a lock file that is behind"],
)
def test_packages_that_can_not_be_installed_are_named(
    changes: dict[str, str], message: str, bench: Bench, packages: Served, builder_image: str, tmp_path: Path
) -> None:
    pushed = files(packages.url, builder_image, tmp_path / "lock")
    wanted = project(packages.url)
    wanted["require"] |= changes
    locked = (
        str(pushed["composer.lock"]).replace('"ext-intl": "*"', '"ext-nosuch": "*"') if "ext-nosuch" in changes else pushed["composer.lock"]
    )
    source = support.push(
        tmp_path / "app", {**pushed, "composer.json": json.dumps(wanted), "composer.lock": locked}, bench.app("php-broken")
    )
    with pytest.raises(DeployFailed) as refused:
        bench.build(source)
    assert refused.value.message == message, refused.value.evidence
    assert refused.value.code not in ("build_failed", "build_refused")


@pytest.mark.engine
def test_a_script_that_fails_is_named(bench: Bench, tmp_path: Path) -> None:
    pushed = {"composer.json": '{"scripts": {"post-install-cmd": "sh -c \'echo no; exit 3\'"}}', "index.php": ""}
    with pytest.raises(DeployFailed) as refused:
        bench.build(support.push(tmp_path, pushed, bench.app("php-script")))
    assert refused.value.message == "a script of composer.json failed: sh -c 'echo no; exit 3'", refused.value.evidence
