"""A push goes live, or changes nothing: the whole path, with real git, SSH, Docker and HAProxy."""

import re
from collections.abc import Callable

import pytest

from scenario_support import Repository, Site
from waiting import until

pytestmark = [pytest.mark.engine, pytest.mark.scenario]

Make = Callable[[str], Repository]


def test_a_push_goes_live_and_says_so(here: Site, app: Make) -> None:
    shop = app("shop")
    pushed = shop.release(1)
    assert pushed.status == 0, pushed.text
    assert re.search(
        r"remote: -----> shop at [0-9a-f]{7} by root\. Neither Ctrl-C nor a lost connection stops it: "
        + here.name
        + r" builds:cancel \d+ does",
        pushed.text,
    )
    assert re.search(r"remote:        web\.1 ready in \d\.\d s", pushed.text)
    assert f"http://shop.localhost:{here.http_port}" in pushed.text
    assert here.get("shop") == (200, "1")


def test_the_next_push_replaces_it_and_the_same_again_does_nothing(here: Site, app: Make) -> None:
    blog = app("blog")
    blog.release(1)
    assert blog.release(2).status == 0
    assert here.get("blog") == (200, "2")
    blog.git("commit", "-q", "--amend", "-m", "other words, same tree")
    again = blog.push("--force")
    assert again.status == 0
    assert "blog already runs" in again.text and "nothing to do" in again.text
    until(lambda: len(here.containers("blog")) == 1)


def test_a_push_that_can_not_start_is_refused_and_the_old_release_serves_on(here: Site, app: Make) -> None:
    cart = app("cart")
    cart.release(1)
    cart.commit({"app.py": "import redis\n"})
    refused = cart.push()
    assert refused.status != 0
    assert "H10 web.1 exited with code 1" in refused.text
    assert "ModuleNotFoundError: No module named 'redis'" in refused.text
    assert f"v1 keeps serving. More: {here.name} help H10" in refused.text
    assert "[remote rejected] main -> main" in refused.text
    assert here.get("cart") == (200, "1")
    until(lambda: len(here.containers("cart")) == 1)


def test_an_app_whose_server_listens_before_its_workers_fail_is_refused(here: Site, app: Make) -> None:
    """gunicorn's parent listens at once; only then do its workers import the app, and fail."""
    early = app("early")
    early.release(1)
    early.commit({"requirements.txt": "gunicorn\n", "Procfile": "web: gunicorn app:app -b 0.0.0.0:$PORT\n", "app.py": "import nosuch\n"})
    refused = early.push()
    assert refused.status != 0
    assert "H10 web.1 exited with code 3" in refused.text
    assert "No module named 'nosuch'" in refused.text
    assert here.get("early") == (200, "1")


def test_a_branch_that_does_not_deploy_is_told(here: Site, app: Make) -> None:
    draft = app("draft")
    draft.release(1)
    draft.git("checkout", "-q", "-b", "topic")
    draft.commit({"new": "x"})
    told = draft.git("push", "wherry", "topic")
    assert "main" in told.text and "git push wherry HEAD:main" in told.text
    assert here.get("draft") == (200, "1")


def test_what_the_person_typed_at_the_start_works_over_ssh(here: Site, app: Make) -> None:
    talk = app("talk")
    talk.release(1)
    scaled = here.ssh("ps:scale", "talk", "web=3")
    assert scaled.status == 0, scaled.text
    assert "web 1 -> 3" in scaled.text
    assert {here.get("talk", "/instance")[1] for _ in range(12)} == {"web.1", "web.2", "web.3"}
    until(lambda: "version 1 is up" in here.ssh("logs", "talk", "-n", "20").text, what="what it says, collected")
    assert "web.3" in here.ssh("ps", "talk").text


def test_config_is_a_release_and_rollback_brings_both_back(here: Site, app: Make) -> None:
    tint = app("tint")
    tint.release(1)
    set_ = here.wherry("config:set", "tint", "COLOUR=bl ue'\"$HOME")
    assert set_.status == 0, set_.text
    assert here.get("tint", "/env") == (200, "bl ue'\"$HOME")
    odd = "two\nlines \\ 'q' \"d\" $HOME 🛶 \\"
    assert here.wherry("config:set", "tint", "COLOUR", stdin=odd).status == 0
    until(lambda: len(here.containers("tint")) == 1, what="the end of the instance before")
    before = here.containers("tint")
    kept = here.wherry("config:set", "tint", "COLOUR=later", "--no-restart")
    assert kept.status == 0 and "v4 is kept" in kept.text, kept.text
    assert here.wherry("domains:add", "tint", "tint.example.org").status == 0
    assert here.containers("tint") == before
    tint.release(2)
    assert here.get("tint", "/env") == (200, "later")
    back = here.wherry("rollback", "tint", "v3")
    assert back.status == 0 and "v7 = v3" in back.text, back.text
    assert here.get("tint", "/env") == (200, odd)
    assert here.get("tint") == (200, "1") and here.wherry("config:get", "tint", "COLOUR").text == f"{odd}\n"
    assert "tint.example.org" in here.wherry("domains", "tint").text


def test_stopped_is_told_to_visitors_and_start_brings_it_back(here: Site, app: Make) -> None:
    rest = app("rest")
    rest.release(1)
    assert here.wherry("ps:stop", "rest").status == 0
    status, page = here.get("rest", headers={"Accept": "application/json"})
    assert status == 503 and "Stopped" in page
    assert here.containers("rest") == []
    assert here.wherry("ps:start", "rest").status == 0
    assert here.get("rest") == (200, "1")


def test_an_unknown_host_is_misdirected(here: Site) -> None:
    assert here.get("nobody")[0] == 421


def test_destroy_leaves_nothing_behind(here: Site, app: Make) -> None:
    gone = app("gone")
    gone.release(1)
    here.wherry("apps:destroy", "gone", "--confirm", "gone")
    assert here.get("gone")[0] == 421
    assert here.containers("gone") == []
    assert not (here.home / "repositories" / "gone.git").exists()
    labels = ["--filter", f"label=wherry.platform={here.name}", "--filter", "label=wherry.app=gone"]
    assert here.docker("network", "ls", "-q", *labels).text == ""
    assert here.docker("images", "-q", *labels).text == ""
