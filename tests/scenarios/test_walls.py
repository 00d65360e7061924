"""What an app can not reach: the host, the control plane, other apps, the cloud's metadata; and what it may not do."""

import json
from collections.abc import Callable

import pytest

from scenario_support import Repository, Site

pytestmark = [pytest.mark.engine, pytest.mark.scenario]

Make = Callable[[str], Repository]
KNOCK = """
import socket, sys
for place in sys.argv[1:]:
    host, port = place.split(':')
    try:
        socket.create_connection((host, int(port)), 2).close()
        print(place, 'open')
    except OSError as error:
        print(place, 'closed')
"""


def inside(here: Site, app: str, *argv: str) -> str:
    return here.docker("exec", here.containers(app)[0], *argv).text


def address(here: Site, app: str, what: str) -> str:
    (network,) = json.loads(here.docker("inspect", here.containers(app)[0]).text)[0]["NetworkSettings"]["Networks"].values()
    return str(network[what])


def test_an_app_reaches_neither_the_host_nor_the_control_plane_nor_other_apps(here: Site, app: Make) -> None:
    app("inner").release(1)
    app("other").release(1)
    gateway = address(here, "inner", "Gateway")
    places = [
        f"{gateway}:{here.ssh_port}",
        f"{gateway}:{here.api_port}",
        f"{address(here, 'other', 'IPAddress')}:5000",
        "169.254.169.254:80",
    ]
    knocked = inside(here, "inner", "python", "-c", KNOCK, *places).splitlines()
    assert knocked == [f"{place} closed" for place in places]


def test_an_app_reaches_the_front_door_like_any_visitor(here: Site, app: Make) -> None:
    app("guest").release(1)
    place = f"{address(here, 'guest', 'Gateway')}:{here.http_port}"
    assert inside(here, "guest", "python", "-c", KNOCK, place).strip() == f"{place} open"


def test_an_app_is_not_root_and_has_no_capability(here: Site, app: Make) -> None:
    app("plain").release(1)
    status = inside(here, "plain", "cat", "/proc/1/status")
    assert "CapEff:\t0000000000000000" in status and "NoNewPrivs:\t1" in status
    assert inside(here, "plain", "id", "-u").strip() != "0"


def test_a_secret_stands_nowhere_but_in_its_app(here: Site, app: Make) -> None:
    vault = app("vault")
    vault.release(1)
    canary = "canary-3b1e77"
    assert here.wherry("config:set", "vault", f"TOKEN={canary}").status == 0
    vault.release(2)
    image = here.docker("inspect", "-f", "{{.Image}}", here.containers("vault")[0]).text.strip()
    shown = [
        here.docker("history", "--no-trunc", image).text,
        here.docker("inspect", "-f", "{{json .Config.Labels}} {{json .Config.Cmd}} {{.Name}}", here.containers("vault")[0]).text,
        here.wherry("releases", "vault").text,
        here.wherry("operations", "vault", "--json").text,
        here.wherry("logs", "vault", "-n", "500").text,
        "".join(path.read_text() for path in (here.home / "logs" / "operations").iterdir()),
        "".join(path.read_bytes().decode("latin-1") for path in (here.home / "state").iterdir() if path.is_file()),
    ]
    assert not any(canary in text for text in shown)
