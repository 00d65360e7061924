"""The files that the platform reads, and that the app needs nothing from elsewhere once it is built."""

import json
import re


def test_the_procfile_names_a_web_a_worker_and_a_release_process(app):
    lines = (app.folder / "Procfile").read_text().splitlines()
    commands = dict(line.split(": ", 1) for line in lines)
    assert list(commands) == ["web", "worker", "release"]
    assert "--host 0.0.0.0 --port $PORT " in commands["web"]
    scripts = re.findall(r"python (\S+)", (app.folder / "Procfile").read_text())
    assert all((app.folder / script).is_file() for script in scripts)


def test_app_json_waits_for_healthz_and_starts_one_of_each(app):
    document = json.loads((app.folder / "app.json").read_text())
    check = {"type": "startup", "name": "model loaded", "path": "/healthz"}
    assert document["healthchecks"] == {"web": [check]}
    assert document["formation"] == {"web": {"quantity": 1}, "worker": {"quantity": 1}}
    assert '@app.get("/healthz")' in (app.folder / "app.py").read_text()


def test_every_requirement_is_pinned_to_one_version(app):
    lines = (app.folder / "requirements.txt").read_text().splitlines()
    requirements = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9_-]+==[0-9.]+", line) for line in requirements)
    assert {"fastapi", "uvicorn"} <= {line.split("==")[0] for line in requirements}


def test_the_page_loads_nothing_from_elsewhere(app):
    page = (app.folder / "page.html").read_text()
    addresses = re.findall(r"https?://[^'\"\s)]+", page)
    assert addresses == ["http://www.w3.org/2000/svg"]  # the name of SVG, in the icon; nobody fetches it
    assert not re.search(r"<(script|img|iframe)[^>]* src|@import|url\(", page)


def test_the_app_fills_every_mark_in_the_page(app):
    marks = set(re.findall(r"{{\w+}}", (app.folder / "page.html").read_text()))
    assert marks == set(re.findall(r"{{\w+}}", (app.folder / "app.py").read_text()))


def test_the_page_asks_where_the_app_answers(app):
    page, code = (app.folder / "page.html").read_text(), (app.folder / "app.py").read_text()
    assert 'fetch("predict"' in page
    assert '@app.post("/predict"' in code


def test_the_readme_tells_of_every_file(app):
    readme = (app.folder / "README.md").read_text()
    files = {path.name for path in app.folder.iterdir() if path.is_file()} - {"README.md", ".gitignore"}
    assert [name for name in sorted(files) if f"`{name}`" not in readme] == []
