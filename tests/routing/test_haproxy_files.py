"""What reaches HAProxy's files: checked words only, and paths that its commands can name."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing_support import settings_in
from wherry import command, machine
from wherry.errors import InvalidInput
from wherry.routing import haproxy_config
from wherry.routing.proxy import Route, Target

GOOD = Target("web.1-a", "10.0.0.1", 5000)


@pytest.mark.parametrize(
    "route",
    [
        Route("shop\nbackend x", ("a.com",), (GOOD,)),
        Route("shop", ("a.com b",), (GOOD,)),
        Route("shop", ("A.com",), (GOOD,)),
        Route("shop", ("a.com",), (GOOD,), "busy"),
        Route("shop", ("a.com",), (Target("web.1 disabled", "10.0.0.1", 5000),)),
        Route("shop", ("a.com",), (Target("web.1", "10.0.0.1; del", 5000),)),
        Route("shop", ("a.com",), (Target("web.1", "example.org", 5000),)),
        Route("shop", ("a.com",), (Target("web.1", "10.0.0.1", 0),)),
        Route("shop", ("a.com",), (GOOD, GOOD)),
    ],
)
def test_a_word_out_of_its_form_never_reaches_the_proxy(route: Route) -> None:
    with pytest.raises(InvalidInput):
        haproxy_config.check_route(route)


def test_the_configuration_is_valid_before_anything_runs(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    haproxy_config.prepare(settings)
    checked = command.run(["haproxy", "-c", "-f", str(settings.proxy / "haproxy.cfg")])
    assert b"WARNING" not in checked.err + checked.out


def test_a_home_that_haproxy_can_not_name_is_refused_with_the_form(tmp_path: Path) -> None:
    for home in (tmp_path / "with space", tmp_path / ("long" * 30)):
        with pytest.raises(InvalidInput, match="at most 70 letters"):
            haproxy_config.prepare(settings_in(home))


def test_a_machine_takes_as_many_connections_as_its_memory_bears(tmp_path: Path) -> None:
    assert [haproxy_config.connections_for(megabytes << 20) for megabytes in (128, 512, 900, 64_000)] == [1000, 2048, 3600, 4000]
    settings = settings_in(tmp_path)
    haproxy_config.prepare(settings)
    assert f"maxconn {haproxy_config.connections_for(machine.memory())}\n" in (settings.proxy / "haproxy.cfg").read_text()
