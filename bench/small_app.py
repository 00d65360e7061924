"""The app that is measured: Flask under gunicorn, pinned, and nothing but its version to say."""

from __future__ import annotations

import uuid

REQUIREMENTS = """\
blinker==1.9.0
click==8.5.1
flask==3.1.3
gunicorn==27.0.1
itsdangerous==2.2.0
jinja2==3.1.6
markupsafe==3.0.4
werkzeug==3.1.9
"""
COMMAND = "gunicorn app:app -b 0.0.0.0:$PORT"
APP = """\
from flask import Flask

app = Flask(__name__)


@app.get("/")
def home():
    return "{version}"
"""


def small_app(version: str) -> dict[str, str]:
    """Its files. Two versions differ in one line of app.py."""
    return {"Procfile": f"web: {COMMAND}\n", "requirements.txt": REQUIREMENTS, "app.py": APP.format(version=version)}


def new_version() -> str:
    """One that was never built: the builder would remember the layers of another."""
    return f"v{uuid.uuid4().hex[:10]}"
