"""Domains, certificates and maintenance on a real platform, under visitors who never retry."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import time
from collections.abc import Callable

import pytest

from certificate_support import Authority, names_in, served_certificate
from scenario_support import Repository, Site
from waiting import until

pytestmark = [pytest.mark.engine, pytest.mark.scenario]

Make = Callable[[str], Repository]


def https_port(here: Site) -> int:
    lines = (here.home / "settings.env").read_text().splitlines()
    return int(next(line.partition("=")[2] for line in lines if line.startswith("WHERRY_HTTPS_PORT=")))


def secure_get(port: int, host: str, authority: str) -> bytes:
    """What `host` answers over HTTPS, with its certificate checked."""
    context = ssl.create_default_context(cadata=authority)
    with socket.create_connection(("127.0.0.1", port), 10) as plain, context.wrap_socket(plain, server_hostname=host) as secure:
        secure.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: secure.recv(65536), b""))


def test_changes_of_domains_and_certificates_lose_nothing_and_restart_nothing(here: Site, app: Make) -> None:
    shop = app("front")
    shop.release(1)
    containers, authority = here.containers("front"), Authority()
    with here.visitors("front") as count:
        for turn in range(8):
            assert here.wherry("domains:add", "front", f"n{turn}.example.org").status == 0
            brought = authority.sign(f"n{turn}.example.org", f"m{turn}.example.org")
            assert here.wherry("certs:add", "front", stdin=brought.bundle).status == 0
        renewed = authority.sign("n0.example.org", "renewed.example.org")
        assert here.wherry("certs:add", "front", stdin=renewed.bundle).status == 0
        assert here.wherry("allow:add", "front", "127.0.0.0/8").status == 0
        assert here.wherry("https", "front", "--hsts", "1").status == 0
        assert here.wherry("domains:remove", "front", "n7.example.org").status == 0
        time.sleep(0.5)
    assert (count["lost"], count["backwards"]) == (0, 0), count
    assert count["answered"] > 1000
    assert here.containers("front") == containers
    assert names_in(served_certificate(https_port(here), "n0.example.org")) == ["n0.example.org", "renewed.example.org"]
    assert secure_get(https_port(here), "n3.example.org", authority.certificate).startswith(b"HTTP/1.1 200 ")


def test_an_owner_s_page_is_shown_in_maintenance_and_the_app_is_back_after_it(here: Site, app: Make) -> None:
    app("calm2").release(1)
    ran = here.wherry("maintenance:on", "calm2", "-", stdin="<p>back at noon")
    assert (ran.status, here.get("calm2")) == (0, (503, "<p>back at noon"))
    assert here.get("calm2", headers={"Accept": "application/json"})[0] == 503
    assert here.wherry("maintenance:off", "calm2").status == 0
    assert here.get("calm2") == (200, "1")


def test_a_door_holds_over_a_restart_of_the_platform_s_parts(here: Site, app: Make) -> None:
    app("closed").release(1)
    made = here.wherry("auth:add", "closed", "alice", "--password", stdin="correct horse\n")
    assert (made.status, here.get("closed")[0]) == (0, 401)
    os.kill(here.pid("engine"), signal.SIGKILL)
    assert here.get("closed")[0] == 401
    until(lambda: here.wherry("auth:remove", "closed", "alice").status == 0)
    until(lambda: here.get("closed") == (200, "1"))
