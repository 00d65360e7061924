"""A Django app with whitenoise: built without a Procfile, its static files collected, served; and what is told when it fails."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest

import building_support as support
from wherry.building.builder import Source
from wherry.errors import DeployFailed
from wherry.model.build_settings import BuildSettings
from wherry.secret import Secret

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.engine

CANARY = "canary-77ab31-secret"
SETTINGS = """
import os
from pathlib import Path
BASE_DIR = Path(__file__).parent.parent
SECRET_KEY = os.environ["SECRET_KEY"]
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
INSTALLED_APPS = ["django.contrib.staticfiles"]
MIDDLEWARE = ["whitenoise.middleware.WhiteNoiseMiddleware"]
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "assets"]
STORAGES = {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}
"""
DJANGO = {
    "manage.py": 'import os, sys\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n'
    "from django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n",
    "shop/__init__.py": "",
    "shop/settings.py": SETTINGS,
    "shop/urls.py": "from django.http import HttpResponse\nfrom django.templatetags.static import static\nfrom django.urls import path\n"
    'urlpatterns = [path("", lambda request: HttpResponse(static("shop.css")))]\n',
    "shop/wsgi.py": 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n'
    "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n",
    "assets/shop.css": "body { color: navy }\n",
    "requirements.txt": "django<6\ngunicorn\nwhitenoise\n",
}
VISIT = """
import os, subprocess, sys, time, urllib.request
server = subprocess.Popen(["sh", "-c", sys.argv[1]], env={**os.environ, "PORT": "5000"}, stderr=subprocess.DEVNULL)
for _ in range(600):
    try:
        page = urllib.request.urlopen("http://127.0.0.1:5000/").read().decode()
        break
    except OSError:
        time.sleep(0.1)
found = urllib.request.urlopen("http://127.0.0.1:5000" + page)
print(page, found.status, found.headers["Cache-Control"], found.read().decode())
server.terminate()
"""


def source(folder: Path, app: str, files: support.Files, **config: str) -> Source:
    pushed = support.push(folder, files, app)
    return Source(app, pushed.commit, pushed.tree, pushed.archive, BuildSettings(), {key: Secret(value) for key, value in config.items()})


def test_a_django_app_is_built_with_its_static_files_and_serves_them(bench: Bench, tmp_path: Path) -> None:
    app = bench.app("django")
    built = bench.build(source(tmp_path, app, DJANGO, SECRET_KEY=CANARY))
    assert "       no Procfile; Django in manage.py, so web: gunicorn shop.wsgi -b 0.0.0.0:$PORT" in bench.lines
    assert any(line.startswith("       1 static file copied to '/app/staticfiles'") for line in bench.lines), bench.lines
    client = docker.from_env()
    try:
        words = ["python", "-c", VISIT, built.processes["web"]]
        seen = client.containers.run(built.image, words, remove=True, environment={"SECRET_KEY": "x"}, init=True).decode()
    finally:
        client.close()
    assert seen.startswith("/static/shop.") and "200 max-age=315360000" in seen and "body { color: navy }" in seen
    for looked_at in (["history", "--no-trunc", built.image], ["inspect", built.image], ["save", built.image]):
        assert CANARY.encode() not in subprocess.run(["docker", *looked_at], stdout=subprocess.PIPE, check=True).stdout
    assert CANARY not in "\n".join(bench.lines)

    bench.build(source(tmp_path, app, DJANGO, SECRET_KEY="another", COLOUR="blue"))
    assert "       dependencies unchanged, reused" in bench.lines


def test_a_setting_that_is_not_there_is_named_with_the_command_that_sets_it(bench: Bench, tmp_path: Path) -> None:
    app = bench.app("django")
    with pytest.raises(DeployFailed) as refused:
        bench.build(source(tmp_path, app, DJANGO))
    assert refused.value.message == "collectstatic failed: the settings ask for SECRET_KEY, which is not set"
    assert "wherry config:set APP SECRET_KEY=VALUE" in refused.value.hint
    bench.build(source(tmp_path, app, DJANGO, DISABLE_COLLECTSTATIC="1"))
    assert "       static files are not collected: DISABLE_COLLECTSTATIC is set" in bench.lines


def test_a_django_app_without_a_static_root_is_told(bench: Bench, tmp_path: Path) -> None:
    plain = {**DJANGO, "shop/settings.py": SETTINGS.replace("STATIC_ROOT =", "ELSEWHERE =")}
    bench.build(source(tmp_path, bench.app("django"), plain, SECRET_KEY="x"))
    told = "       static files are not collected: shop.settings has no STATIC_ROOT. To have them collected, add a line to it:"
    assert told in bench.lines and bench.lines[bench.lines.index(told) + 1] == '       STATIC_ROOT = BASE_DIR / "staticfiles"'


def test_a_django_project_further_down_is_collected_where_the_procfile_starts_it(bench: Bench, tmp_path: Path) -> None:
    app = bench.app("django")
    inside = {f"back/site/{name}": text for name, text in DJANGO.items() if name != "requirements.txt"}
    relative = SETTINGS.replace('BASE_DIR / "staticfiles"', '"collected"')
    inside |= {
        "requirements.txt": DJANGO["requirements.txt"],
        "back/site/shop/settings.py": relative,
        "tests/manage.py": DJANGO["manage.py"],
    }
    for number, (line, told) in enumerate(
        [
            ("cd back/site && gunicorn shop.wsgi", "1 static file copied to '/app/back/site/collected'"),
            ("gunicorn --chdir=./back/site/ shop.wsgi", "1 static file copied to '/app/back/site/collected'"),
            ("python back/site/manage.py runserver", "1 static file copied to '/app/collected'"),
            ("gunicorn elsewhere.wsgi", "static files are not collected: no process starts in back/site/, where manage.py is"),
        ]
    ):
        bench.lines.clear()
        bench.build(source(tmp_path / str(number), app, {**inside, "Procfile": f"web: {line} -b 0.0.0.0:$PORT\n"}, SECRET_KEY="x"))
        assert any(said.startswith(f"       {told}") for said in bench.lines), (line, bench.lines)


def test_a_django_project_further_down_that_can_not_be_collected_is_named(bench: Bench, tmp_path: Path) -> None:
    files = {f"site/{name}": text for name, text in DJANGO.items() if name not in ("requirements.txt", "assets/shop.css")}
    files |= {"requirements.txt": DJANGO["requirements.txt"], "Procfile": "web: cd site && gunicorn shop.wsgi\n"}
    files["site/shop/settings.py"] = SETTINGS.replace('[BASE_DIR / "assets"]', '"assets"')
    with pytest.raises(DeployFailed) as refused:
        bench.build(source(tmp_path, bench.app("django"), files, SECRET_KEY="x"))
    assert refused.value.message == "python site/manage.py collectstatic failed"
    assert any("STATICFILES_DIRS" in line for line in refused.value.evidence)
