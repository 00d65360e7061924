"""The API as its process serves it: without the libraries that Flask would load for templates and commands."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from wherry import command

ROOT = Path(__file__).parents[2]
ASK = """\
import io, json, sys
sys.path[:0] = [sys.argv[1]]
from wherry.faces.api import unloaded
unloaded.leave_out()
import wherry.faces.api.server
from wherry.faces.api.app import create_app
from wherry.services import platform
from wherry.settings import load
from wherry.store.database import Database
settings = load({"WHERRY_HOME": sys.argv[2]})
settings.database.parent.mkdir(parents=True)
Database(settings.database).migrate()
app = create_app(platform.of(settings))

def get(path):
    said = []
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "localhost", "SERVER_PORT": "80", "HTTP_HOST": "localhost",
        "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http", "wsgi.version": (1, 0),
        "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr,
    }
    body = b"".join(app(environ, lambda status, headers: said.append(int(status[:3]))))
    return [said[0], json.loads(body)]

loaded = sorted(name for name in sys.modules if name.partition(".")[0] in ("jinja2", "click") or name == "flask.testing")
print(json.dumps([get("/healthz"), get("/api/apps"), get("/nowhere"), loaded]))
"""


def test_the_api_answers_without_templates_and_commands_of_flask(tmp_path: Path) -> None:
    ran = command.run([sys.executable, "-I", "-B", "-c", ASK, str(ROOT / "platform"), str(tmp_path / "home")], timeout=60)
    health, apps, nowhere, loaded = json.loads(ran.out)
    assert health[0] in (200, 503) and apps[0] == 401 and nowhere[0] == 401
    assert loaded == ["click", "jinja2"]
