"""Static sites: what is one, what static.json may say, and how the files are served."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import building_support as support
from serving_support import Serving, serving
from waiting import until
from wherry.building import plan, static_json
from wherry.building.buildpack import load_all
from wherry.building.plan import Planned
from wherry.errors import DeployFailed
from wherry.secret import Secret

if TYPE_CHECKING:
    from conftest import Bench

VITE = support.DATA / "apps" / "vite"
LONG = "It sails. " * 200
SITE = {
    "public/index.html": "<h1>home</h1>",
    "public/about.html": f"<p>{LONG}</p>",
    "public/docs/index.html": "<h1>docs</h1>",
    "public/sorry.html": "<h1>sorry</h1>",
    "public/app.3f9a2c1b.js": f"// {LONG}",
    "public/app.js": f"// {LONG}",
    "public/photo-original.jpg": "x" * 2000,
    "public/.env": "SECRET=1",
    "public/.well-known/security.txt": "Contact: mailto:a@example.org",
    "static.json": json.dumps(
        {
            "root": "public/",
            "clean_urls": True,
            "error_page": "sorry.html",
            "https_only": True,
            "routes": {"/app/**": "index.html"},
            "redirects": {"/old/": {"url": "/docs/", "status": 302}, "/away": {"url": "https://example.org/$uri?a=1;b"}},
            "headers": {
                "/**": {"X-Frame-Options": "DENY", "Content-Security-Policy": "default-src 'self'; img-src \"$host\" \\"},
                "/docs/**": {"X-Frame-Options": "SAMEORIGIN", "Cache-Control": "public, max-age=60"},
            },
        }
    ),
    "Procfile.dev": "web: x",
}


def planned(folder: Path, files: support.Files, lines: list[str] | None = None) -> Planned:
    return plan.plan(support.tree(folder, files), load_all(support.PACKS), (lines if lines is not None else []).append)


def test_a_page_that_shows_a_merge_conflict_is_no_broken_file(tmp_path: Path) -> None:
    page = "<pre>\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> next\n</pre>\n"
    assert planned(tmp_path, {"index.html": page}).buildpack == "static"


def package(**entries: Any) -> str:
    return json.dumps({"name": "front", **entries})


BUILD = {"build": "vite build", "dev": "vite"}
BUILDS = "package.json builds one and starts no server"
VITE_IS_THERE = {"vite": "6"}


@pytest.mark.parametrize(
    ("files", "heading"),
    [
        ({"index.html": ""}, "-----> Static site (index.html)"),
        ({"index.html": "", "app.js": "", "package.json": package(devDependencies={"prettier": "3"})}, "-----> Static site (index.html)"),
        ({"public/index.html": "", "static.json": '{"root": "public"}'}, "-----> Static site (static.json)"),
        (
            {"index.html": "", "package-lock.json": "", "package.json": package(scripts=BUILD, devDependencies=VITE_IS_THERE)},
            f"-----> Static site ({BUILDS}), built by Node.js 24 (package-lock.json; the default version)",
        ),
        (
            {"package.json": package(scripts={"build": "astro build", "start": "astro dev"}, dependencies={"astro": "5"}), ".nvmrc": "22"},
            f"-----> Static site ({BUILDS}), built by Node.js 22 (package.json; version from .nvmrc)",
        ),
        (
            {"static.json": '{"root": "out"}', "package.json": package(scripts={"build": "next build"}, dependencies={"next": "15"})},
            "-----> Static site (static.json), built by Node.js 22 (package.json; the default version)",
        ),
    ],
)
def test_a_site_is_recognised_by_its_first_page_or_by_what_builds_it(files: dict[str, str], heading: str, tmp_path: Path) -> None:
    found = planned(tmp_path, files)
    assert plan.heading(found, "24" if "Node.js 24" in heading else "22") == heading
    assert found.processes == {"web": "serve-site"}


@pytest.mark.parametrize(
    "files",
    [
        {"package.json": package(scripts={**BUILD, "start": "node server.mjs"}, devDependencies=VITE_IS_THERE)},
        {"package.json": package(scripts=BUILD, devDependencies=VITE_IS_THERE), "Procfile": "web: node server.mjs"},
        {"package.json": package(scripts=BUILD, devDependencies={**VITE_IS_THERE, "express": "4"}), "server.js": ""},
        {"package.json": package(scripts={"build": "astro build"}, dependencies={"astro": "5", "@astrojs/node": "9"})},
        {"package.json": package(scripts={"build": "next build"}, dependencies={"next": "15"})},
        {"package.json": package(scripts={"start": "node ."}, dependencies={"express": "4"}), "index.html": ""},
    ],
)
def test_a_project_with_a_server_of_its_own_is_no_static_site(files: dict[str, str], tmp_path: Path) -> None:
    assert planned(tmp_path, files).buildpack == "nodejs"


def test_files_that_nobody_should_see_are_not_in_the_image(tmp_path: Path) -> None:
    sent = [path for path, _ in plan.context(planned(tmp_path, {**SITE, "Procfile": "release: true\n"})).members]
    meant = "index.html about.html docs docs/index.html sorry.html app.3f9a2c1b.js app.js photo-original.jpg "
    meant += ".well-known .well-known/security.txt"
    assert {path.rstrip("/") for path in sent} == {f"app/{name}" for name in meant.split(" ")}


@pytest.mark.parametrize("case", support.cases("static_json"), ids=lambda case: str(case["name"]))
def test_a_static_json_that_is_wrong_is_answered_with_its_place(case: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        planned(tmp_path, {"index.html": "", "static.json": case["text"]})
    assert (refused.value.code, refused.value.message) == (case.get("code", static_json.CODE), case["message"])


def test_keys_without_effect_are_named_and_unknown_ones_with_the_nearest(tmp_path: Path) -> None:
    lines: list[str] = []
    planned(tmp_path, {"index.html": "", "static.json": '{"proxies": {},\n"clean_url": true}'}, lines)
    assert lines == [
        ' !     static.json line 1: "proxies" has no effect here',
        ' !     static.json line 2: unknown key "clean_url"; did you mean "clean_urls"?',
    ]


@pytest.fixture(scope="module")
def site(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    built = bench.build(support.push(tmp_path_factory.mktemp("site"), SITE, bench.app("site")))
    assert not built.root
    with serving(built) as made:
        yield made


@pytest.mark.engine
def test_pages_are_asked_for_again_and_named_content_is_kept_for_a_year(site: Serving) -> None:
    page = site.get("/")
    assert (page.status, page.body, page.headers["cache-control"]) == (200, b"<h1>home</h1>", "no-cache")
    assert site.get("/app.3f9a2c1b.js").headers["cache-control"] == "public, max-age=31536000, immutable"
    assert site.get("/app.js").headers["cache-control"] == "no-cache"
    assert site.get("/photo-original.jpg").headers["cache-control"] == "no-cache"
    again = site.get("/", {"If-None-Match": page.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.engine
def test_text_is_compressed_for_those_who_can_read_it(site: Serving) -> None:
    packed = site.get("/about.html", {"Accept-Encoding": "gzip", "Via": "1.1 proxy"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.body) == site.get("/about.html").body
    assert "content-encoding" not in site.get("/photo-original.jpg", {"Accept-Encoding": "gzip"}).headers


@pytest.mark.engine
@pytest.mark.parametrize(
    ("path", "status", "shown"),
    [
        ("/about", 200, b"<p>It sails."),
        ("/docs/", 200, b"<h1>docs</h1>"),
        ("/app/anything/deep?x=1", 200, b"<h1>home</h1>"),
        ("/nothing", 404, b"<h1>sorry</h1>"),
        ("/.env", 404, b"<h1>sorry</h1>"),
        ("/.well-known/security.txt", 200, b"Contact:"),
        ("/.well-known/", 404, b"<h1>sorry</h1>"),
        ("/static.json", 404, b"<h1>sorry</h1>"),
        ("/../etc/passwd", 400, b""),
        ("/%2e%2e/etc/passwd", 400, b""),
    ],
)
def test_paths_lead_where_static_json_says_and_nowhere_else(path: str, status: int, shown: bytes, site: Serving) -> None:
    answer = site.get(path)
    assert (answer.status, answer.body[: len(shown)]) == (status, shown)


@pytest.mark.engine
@pytest.mark.parametrize(
    ("path", "status", "location"),
    [("/docs", 301, "/docs/"), ("/old/", 302, "/docs/"), ("/away", 301, "https://example.org/$uri?a=1;b")],
)
def test_redirects_name_no_port_of_the_inside(path: str, status: int, location: str, site: Serving) -> None:
    answer = site.get(path)
    assert (answer.status, answer.headers["location"]) == (status, location)


@pytest.mark.engine
def test_headers_arrive_byte_for_byte_and_the_nearest_pattern_wins(site: Serving) -> None:
    assert site.get("/").headers["content-security-policy"] == "default-src 'self'; img-src \"$host\" \\"
    assert site.get("/").headers["x-frame-options"] == "DENY"
    assert site.get("/docs/").headers["x-frame-options"] == "SAMEORIGIN"
    assert site.get("/docs/").headers["cache-control"] == "public, max-age=60"


@pytest.mark.engine
def test_https_only_sends_plain_visitors_on(site: Serving) -> None:
    answer = site.get("/about?x=1", {"X-Forwarded-Proto": "http", "Host": "shop.example.org"})
    assert (answer.status, answer.headers["location"]) == (301, "https://shop.example.org/about?x=1")
    assert site.get("/", {"X-Forwarded-Proto": "https"}).status == 200


@pytest.mark.engine
def test_the_server_is_small_logs_visits_and_runs_as_nobody_in_particular(site: Serving) -> None:
    site.get("/docs/", {"X-Forwarded-For": "203.0.113.9"})
    until(lambda: '203.0.113.9 "GET /docs/ HTTP/1.1" 200' in site.log())
    assert "[warn]" not in site.log()
    assert site.run("id", "-un") == "app\n"
    assert site.memory() < 8


@pytest.mark.engine
def test_a_vite_project_is_built_with_its_config_and_served_without_node(bench: Bench, tmp_path: Path) -> None:
    files = {path.relative_to(VITE).as_posix(): path.read_text() for path in VITE.rglob("*") if path.is_file()}
    source = support.push(tmp_path, files, bench.app("vite"))
    source.config["VITE_GREETING"] = Secret("greetings from the config")
    built = bench.build(source)
    assert "       it has a router, so a path that is no file gets index.html (routes in static.json say otherwise)" in bench.lines
    assert "       the site is dist, 4 files" in bench.lines
    with serving(built) as app:
        page = app.get("/some/where")
        script = page.body.decode().partition('src="')[2].partition('"')[0]
        assert app.get("/robots.txt").body == b"User-agent: *\n"
        packed = app.get(script, {"Accept-Encoding": "gzip"})
        assert packed.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert b"greetings from the config" in gzip.decompress(packed.body)
        gone = app.get("/assets/gone-AbCd1234.js")
        assert (gone.status, gone.headers["cache-control"]) == (200, "no-cache")
        assert app.run("sh", "-c", "command -v node npm || echo none") == "none\n"
        status, took = app.stop()
        assert (status, took < 25) == (0, True), "30 s is when it would be killed"


@pytest.mark.engine
def test_a_build_without_a_first_page_says_where_it_was_looked_for(bench: Bench, tmp_path: Path) -> None:
    files = {"package.json": package(scripts={"build": "mkdir output"}), "static.json": "{}"}
    with pytest.raises(DeployFailed) as refused:
        bench.build(support.push(tmp_path, files, bench.app("empty")))
    assert refused.value.message == "the build left no index.html in dist, build, out, _site or public"
    assert refused.value.hint == 'Name the folder that it makes in static.json: {"root": "dist"}'
