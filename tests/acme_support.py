"""A real certificate authority on loopback: pebble, with its test DNS, and a hook that writes into that DNS."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from certificate_support import Authority
from free_ports import free_ports

HOOK = """#!/usr/bin/env python3
import json, sys, urllib.request
what, name, value = sys.argv[1:]
path = {{"present": "set-txt", "cleanup": "clear-txt"}}[what]
with open("{log}", "a") as log:
    log.write(f"{{what}} {{name}}\\n")
data = json.dumps({{"host": name + ".", "value": value}}).encode()
urllib.request.urlopen("http://127.0.0.1:{port}/" + path, data, timeout=30).read()
"""


@dataclass(frozen=True)
class Pebble:
    """`directory` and `ca` are what a client needs; `hook` is a program for DNS proofs, `hook_log` what it was called for."""

    directory: str
    ca: Path
    hook: Path
    hook_log: Path
    management: int

    def dns(self, path: str, **words: Any) -> None:
        """Tells the test DNS, e.g. `dns("add-a", host="a.org.", addresses=["127.0.0.1"])`."""
        urllib.request.urlopen(f"http://127.0.0.1:{self.management}/{path}", json.dumps(words).encode(), timeout=30).read()


@contextmanager
def running_pebble(folder: Path, http_port: int) -> Iterator[Pebble]:
    """All names lead to 127.0.0.1, where proofs over HTTP are looked for at `http_port`."""
    folder.mkdir(parents=True, exist_ok=True)
    acme, control, dns, management, unused = free_ports(5)
    made = _files(folder, acme, management)
    config = {
        "listenAddress": f"127.0.0.1:{acme}",
        "managementListenAddress": f"127.0.0.1:{control}",
        "httpPort": http_port,
        "tlsPort": unused,
    }
    files = {"certificate": str(folder / "pebble.pem"), "privateKey": str(folder / "pebble.key"), "ocspResponderURL": ""}
    (folder / "pebble.json").write_text(json.dumps({"pebble": config | files | {"externalAccountBindingRequired": False}}))
    flags = [f"-management=127.0.0.1:{management}", "-http01=", "-https01=", "-tlsalpn01=", "-defaultIPv6="]
    environ = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PATH": "/usr/bin:/bin"}
    with (folder / "pebble.log").open("wb") as log:
        names = subprocess.Popen(["pebble-challtestsrv", *flags, *_dns_flags(f"127.0.0.1:{dns}")], stdout=log, stderr=log)
        server = ["pebble", "-config", str(folder / "pebble.json"), "-dnsserver", f"127.0.0.1:{dns}"]
        authority = subprocess.Popen(server, stdout=log, stderr=log, env=environ)
        try:
            for port in (acme, management):
                _wait(port, authority)
            yield made
        finally:
            for process in (authority, names):
                process.kill()
                process.wait()


def _dns_flags(address: str) -> list[str]:
    """Pebble 2.10 (Debian 14) has another word for it than 2.4 (Debian 12), and serves DNS over HTTPS unless told not to."""
    told = subprocess.run(["pebble-challtestsrv", "-help"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).stdout
    return [f"-dnsserver={address}", "-doh="] if b"-dnsserver" in told else [f"-dns01={address}"]


def _files(folder: Path, acme: int, management: int) -> Pebble:
    signer = Authority("Test Root")
    signed = signer.sign("localhost")
    (folder / "ca.pem").write_text(signer.certificate)
    (folder / "pebble.pem").write_text(signed.certificate)
    (folder / "pebble.key").write_text(signed.key)
    hook, log = folder / "hook", folder / "hook.log"
    hook.write_text(HOOK.format(log=log, port=management))
    hook.chmod(0o755)
    return Pebble(f"https://localhost:{acme}/dir", folder / "ca.pem", hook, log, management)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, "pebble ended"
        time.sleep(0.02)
    raise AssertionError("pebble does not listen")
