"""Certificates in the database: facts, dates and attempts. Keys and the certificates themselves are files of the proxy."""

from __future__ import annotations

import sqlite3
from typing import Any

from wherry.errors import NotFound
from wherry.model.app import App
from wherry.model.certificate import Certificate, Facts
from wherry.store.database import pack, unpack

SELECT = "SELECT certificates.*, apps.name AS app FROM certificates JOIN apps ON apps.id = app_id"
FACTS = ("issuer", "serial", "fingerprint", "not_before", "not_after")


def put(connection: sqlite3.Connection, app: App, name: str, origin: str, at: str, **columns: Any) -> Certificate:
    """A pending one; takes the place of one with that name."""
    insert = "INSERT OR REPLACE INTO certificates (app_id, name, origin, state, created_at) VALUES (?, ?, ?, 'pending', ?)"
    cursor = connection.execute(insert, (app.id, name, origin, at))
    change(connection, int(cursor.lastrowid or 0), **columns)
    return get(connection, app.name, name)


def every(connection: sqlite3.Connection, app: str | None = None) -> list[Certificate]:
    """Of all apps, or of one; by name."""
    where, values = ("WHERE apps.name = ?", (app,)) if app else ("", ())
    return [_certificate(row) for row in connection.execute(f"{SELECT} {where} ORDER BY apps.name, certificates.name", values)]


def get(connection: sqlite3.Connection, app: str, name: str) -> Certificate:
    """Raises NotFound."""
    row = connection.execute(f"{SELECT} WHERE apps.name = ? AND certificates.name = ?", (app, name)).fetchone()
    if row is None:
        raise NotFound(
            f"{app} has no certificate {ascii(name[:80])[1:-1]}", code="no_such_certificate", hint=f"See them with: wherry certs {app}"
        )
    return _certificate(row)


def change(connection: sqlite3.Connection, certificate_id: int, facts: Facts | None = None, **columns: Any) -> None:
    """Writes the named columns; one that is gone is fine."""
    if facts:
        columns |= {name: getattr(facts, name) for name in FACTS} | {"names": pack(list(facts.names))}
    if columns:
        sets = ", ".join(f"{name} = ?" for name in columns)
        connection.execute(f"UPDATE certificates SET {sets} WHERE id = ?", (*columns.values(), certificate_id))


def remove(connection: sqlite3.Connection, certificate_id: int) -> None:
    connection.execute("DELETE FROM certificates WHERE id = ?", (certificate_id,))


def _certificate(row: sqlite3.Row) -> Certificate:
    facts = Facts(tuple(unpack(row["names"])), *(row[name] for name in FACTS)) if row["fingerprint"] else None
    plain = ("id", "app", "app_id", "name", "origin", "state", "created_at", "renew_at", "next_try", "attempts", "error", "arrival")
    return Certificate(**{name: row[name] for name in plain}, facts=facts)
