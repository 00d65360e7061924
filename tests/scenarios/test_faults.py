"""Kill any process at any moment: the apps serve on, and on return every operation is finished or undone."""

import os
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from scenario_support import Repository, Site, tiny_app
from waiting import until

pytestmark = [pytest.mark.engine, pytest.mark.scenario]

Make = Callable[[str], Repository]
SLOW_BUILD = 'FROM {image}\nCOPY app.py .\nRUN sleep 3\nENV V={version}\nCMD ["python", "app.py"]\n'


def kill(here: Site, part: str) -> None:
    os.kill(here.pid(part), signal.SIGKILL)


def ended(here: Site, app: str) -> bool:
    return all(row["state"] in ("succeeded", "failed", "cancelled") for row in here.json("operations", app)["operations"])


def consistent(here: Site, app: str) -> None:
    """I1, I4, I5: what the database says is what runs, and nothing else does."""
    until(lambda: ended(here, app), what="the end of all operations")
    current = here.json("apps:info", app)["release"]
    until(lambda: len(here.containers(app)) == 1, what="one container")
    release = here.docker("inspect", "-f", '{{index .Config.Labels "wherry.release"}}', *here.containers(app)).text.strip()
    assert f"v{release}" == current
    assert here.get(app)[0] == 200


@pytest.mark.parametrize("after", [0.3, 0.7, 1.2])
def test_a_deploy_outlives_the_death_of_the_engine(here: Site, app: Make, after: float) -> None:
    name = f"e{int(after * 10)}"
    shop = app(name)
    shop.release(1)
    with here.visitors(name, connections=10) as count:
        shop.commit(tiny_app(2))
        push = subprocess.Popen(["git", "-C", str(shop.folder), "push", "-q", "wherry", "main"], env=shop.env(), stderr=subprocess.PIPE)
        time.sleep(after)
        kill(here, "engine")
        told = push.communicate(timeout=90)[1].decode()
        assert push.returncode == 0, told
    assert here.get(name) == (200, "2")
    assert count["lost"] == 0, count
    consistent(here, name)


def test_apps_serve_on_while_the_control_plane_is_killed(here: Site, app: Make) -> None:
    name = "steady"
    app(name).release(1)
    with here.visitors(name, connections=10) as count:
        for part in ("engine", "api", "receiver"):
            kill(here, part)
            time.sleep(1.5)
        until(lambda: here.wherry("ps", name).status == 0, what="the API's return")
        until(lambda: here.ssh("ps", name).status == 0, what="the receiver's return")
    assert count["lost"] == 0, count


def test_a_killed_proxy_is_back_at_once_with_the_apps(here: Site, app: Make) -> None:
    app("back").release(1)
    for pid in (here.home / "run" / "haproxy.pid").read_text().split():
        os.kill(int(pid), signal.SIGKILL)
    time.sleep(0.2)
    until(lambda: reachable(here, "back"), what="the app behind a new proxy")


def test_up_writes_a_configuration_anew_that_haproxy_would_refuse(here: Site, app: Make) -> None:
    app("refused").release(1)
    file = here.home / "proxy" / "haproxy.cfg"
    sound = file.read_text("utf-8")
    file.write_text(sound.replace("    mode http\n", "    mode nonsense\n"), "utf-8")
    told = here.wherry("doctor").text
    assert "proxy: its configuration is refused: parsing" in told
    assert f"Write it anew, without a lost request: sudo {here.name} setup" in told
    with here.visitors("refused", connections=4) as count:
        done = here.wherry("setup")
    assert "platform: running, the proxy's configuration is written anew" in done.text
    assert count["lost"] == 0, count
    assert "mode nonsense" not in file.read_text("utf-8")
    assert "HAProxy runs" in here.wherry("doctor").text


def reachable(here: Site, app: str) -> bool:
    try:
        return here.get(app)[0] == 200
    except OSError:
        return False


def test_a_crashed_instance_is_replaced(here: Site, app: Make) -> None:
    app("phoenix").release(1)
    (before,) = here.containers("phoenix")
    here.docker("kill", before)
    until(lambda: here.containers("phoenix") not in ([], [before]) and here.get("phoenix") == (200, "1"), what="a fresh instance")


def test_a_client_that_dies_does_not_stop_its_deploy(here: Site, app: Make) -> None:
    lost = app("lost")
    lost.release(1)
    lost.commit(tiny_app(2))
    push = subprocess.Popen(["git", "-C", str(lost.folder), "push", "-q", "wherry", "main"], env=lost.env(), stderr=subprocess.DEVNULL)
    until(lambda: any(row["kind"] == "deploy" and row["state"] == "running" for row in here.json("operations", "lost")["operations"]))
    subprocess.run(["pkill", "-KILL", "-P", str(push.pid)], check=False)
    push.kill()
    push.wait()
    until(lambda: here.get("lost") == (200, "2"), what="the second version")
    consistent(here, "lost")
    again = lost.push()
    assert again.status == 0 and ("already runs" in again.text or "Everything up-to-date" in again.text), again.text


def test_two_pushes_at_once_both_end_and_the_last_one_serves(here: Site, app: Make) -> None:
    first = app("race")
    first.release(1)
    pushes = []
    for version in (2, 3):
        first.commit(tiny_app(version))
        pushes.append(
            subprocess.Popen(["git", "-C", str(first.folder), "push", "-q", "wherry", "main"], env=first.env(), stderr=subprocess.PIPE)
        )
        time.sleep(0.25)
    results = [(push.communicate(timeout=60)[1].decode(), push.returncode) for push in pushes]
    assert any(status == 0 for _, status in results), results
    consistent(here, "race")
    assert here.get("race")[1] in ("2", "3")
