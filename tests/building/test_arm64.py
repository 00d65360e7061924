"""What a machine with a 64-bit ARM processor builds and serves: proven here under emulation (docs/develop.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import building_support as support
from serving_support import serving

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = [pytest.mark.engine, pytest.mark.slow]
ASK = "import platform\nfrom flask import Flask\nfrom markupsafe import _speedups\napp = Flask(__name__)\n"
FLASK = {
    "requirements.txt": "flask==3.1.2\ngunicorn==23.0.0\n",
    "app.py": ASK + '@app.get("/")\ndef home(): return [platform.machine(), _speedups.__file__.endswith("-aarch64-linux-gnu.so")]\n',
    "Procfile": "web: gunicorn app:app --bind 0.0.0.0:$PORT\n",
}
SERVER = """
const http = require("http"), ms = require("ms")
http.createServer((_, answer) => answer.end(`${process.arch} ${ms("2s")}`)).listen(process.env.PORT)
"""
NODE = {"package.json": json.dumps({"scripts": {"start": "node server.js"}, "dependencies": {"ms": "2.1.3"}}), "server.js": SERVER}
SITE = {"index.html": "<h1>it sails</h1>", "static.json": json.dumps({"clean_urls": True}), "about.html": "<h1>about</h1>"}


@pytest.mark.parametrize(
    ("files", "language", "path", "body"),
    [
        # A wheel with compiled code: the one for this processor was taken.
        (FLASK, "Python", "/", b'["aarch64",true]'),
        (NODE, "Node.js", "/", b"arm64 2000"),
        (SITE, "Static site", "/about", b"<h1>about</h1>"),
    ],
    ids=["python", "nodejs", "static"],
)
def test_an_app_is_built_and_served_on_arm64(
    files: support.Files, language: str, path: str, body: bytes, arm64: Bench, tmp_path: Path
) -> None:
    built = arm64.build(support.push(tmp_path, files, arm64.app("arm")))
    image = arm64.engine.image(built.image)
    assert image is not None
    assert (image.architecture, built.root) == ("arm64", False)
    assert any(line.startswith(f"-----> {language} ") for line in arm64.lines)
    with serving(built, patience=120) as app:
        answer = app.get(path)
        assert (answer.status, answer.body.strip()) == (200, body)
        assert app.run("uname", "-m").strip() == "aarch64"
