"""Reads HAProxy's answers: maps, statistics and the master's list of workers, as values of ours."""

from __future__ import annotations

import csv

from wherry.errors import Unavailable
from wherry.routing.haproxy_front import Entries
from wherry.routing.haproxy_socket import HaproxySession
from wherry.routing.haproxy_table import Maps, Server, Table
from wherry.routing.proxy import Target

SERVERS_AND_BACKENDS = "show stat -1 6 -1"
SERVERS = "show stat -1 4 -1"
MODES = {"MAINT": "maint", "DRAIN": "drain"}


def table(session: HaproxySession, maps: Maps) -> Table:
    """All that the worker behind `session` holds now."""
    hosts, states, active = (entries(session.ask(f"show map {name}")) for name in (maps.hosts, maps.states, maps.backends))
    front = Entries(*(entries(session.ask(f"show map {name}")) for name in (maps.secure, maps.doors, maps.allow, maps.users)))
    rows = _rows(session.ask(SERVERS_AND_BACKENDS))
    pool = tuple(row["pxname"] for row in rows if row["svname"] == "BACKEND")
    return Table(hosts, states, active, pool, tuple(_server(row) for row in rows if row["svname"] != "BACKEND"), front)


def shape(session: HaproxySession) -> str:
    """The fingerprint of the configuration that the worker was started with; empty when it is none of ours."""
    return session.ask("get var proc.shape").partition("value=<")[2].removesuffix(">")


def servers(answer: str) -> list[Server]:
    """The servers in the answer to `SERVERS`."""
    return [_server(row) for row in _rows(answer)]


def entries(answer: str) -> dict[str, str]:
    """A map as HAProxy shows it: an address in its memory, the key, the value."""
    lines = [line.split() for line in answer.splitlines()]
    if not all(len(words) == 3 and words[0].startswith("0x") for words in lines):
        raise Unavailable(f"HAProxy runs another configuration: {answer[:80]}", code="proxy_refused")
    return {words[1]: words[2] for words in lines}


def old_workers(answer: str) -> list[str]:
    """The pids, from `show proc`, of workers that a reload left behind to finish their requests."""
    section = answer.partition("# old workers")[2].partition("# programs")[0]
    return [line.split()[0] for line in section.splitlines() if line and not line.startswith("#")]


def sessions(answer: str, app: str, target: str = "") -> list[str]:
    """The ids, from `show sess`, of the sessions with one target of an app, or with any."""
    wanted = f" srv={app}:{target} " if target else f" srv={app}:"
    return [line.partition(":")[0] for line in answer.splitlines() if wanted in line]


def _rows(answer: str) -> list[dict[str, str]]:
    return list(csv.DictReader(answer.removeprefix("# ").splitlines()))


def _server(row: dict[str, str]) -> Server:
    app, _, name = row["svname"].partition(":")
    address, _, port = row["addr"].rpartition(":")
    target = Target(name, address.strip("[]"), int(port))
    mode = MODES.get(row["status"].split(" ")[0], "ready")
    return Server(row["pxname"], app, target, mode, int(row["scur"]) + int(row["qcur"] or 0), *_answers(row))


def _answers(row: dict[str, str]) -> tuple[int, int]:
    """All answers, and those that failed: 5xx of the server's own, and answers that it broke off before their head was there."""
    broken = int(row["eresp"] or 0)
    codes = {code: int(row[f"hrsp_{code}"] or 0) for code in ("1xx", "2xx", "3xx", "4xx", "5xx", "other")}
    return sum(codes.values()) + broken, codes["5xx"] + broken
