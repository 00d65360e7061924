"""`wherry build …`, `builder:set` and `buildpacks …`: how an app is built."""

from __future__ import annotations

from typing import Any

from wherry.errors import InvalidInput
from wherry.faces.cli.render import facts, printable, quoted
from wherry.faces.cli.session import Session

FIELDS = ("dir", "dockerfile", "procfile", "builder")
SPELLINGS = {"build-dir": "dir", "dockerfile-path": "dockerfile", "procfile-path": "procfile", "selected": "builder"}
"""What the settings are called on Dokku."""


def show(session: Session) -> int:
    document = session.api.get(session.app_path("/build"))
    return session.show(document, _told(session, document))


def set_fields(session: Session, words: list[str] | None = None) -> int:
    return _change(session, wished(words or session.given.many("NAME=VALUE")))


def unset(session: Session) -> int:
    names = session.given.many("NAME")
    return _change(session, wished([f"{name}=" for name in names], unset=True))


def choose(session: Session) -> int:
    """`builder:set shop dockerfile`; as on Dokku also `builder:set shop selected dockerfile` and `builder:set shop build-dir web`."""
    words = session.given.many("VALUE")
    if words[0] not in SPELLINGS:
        words = ["selected", *words]
    if len(words) > 2:
        raise InvalidInput(f"{quoted(words[2])} is one word too many, e.g. wherry builder:set shop dockerfile", code="usage")
    return _change(session, {SPELLINGS[words[0]]: words[1] if words[1:] else None})


def wished(words: list[str], unset: bool = False) -> dict[str, Any]:
    """Reads `["dir=web", "arg.A=1"]`. Raises InvalidInput for what is no setting."""
    changes: dict[str, Any] = {}
    for word in words:
        name, sign, value = word.partition("=")
        field = SPELLINGS.get(name, name)
        if not sign or (field not in FIELDS and not field.startswith("arg.") and not (unset and field in ("args", "buildpacks"))):
            examples = "dir=apps/web, dockerfile=docker/Dockerfile.prod, arg.NAME=value or builder=dockerfile"
            raise InvalidInput(f"{quoted(name if unset else word)}: give {examples}", field="build")
        if field.startswith("arg."):
            changes.setdefault("args", {})[field.removeprefix("arg.")] = None if unset else value
        else:
            changes[field] = value or None
    return changes


def buildpacks(session: Session) -> int:
    document = session.api.get(session.app_path("/build"))
    return session.show(document, _listed(session, document))


def add_buildpack(session: Session) -> int:
    """At the end, or at the place that --index names."""
    found = _present(session)
    found.insert(session.given.number("--index", len(found) + 1, 100) - 1, session.given.word("BUILDPACK"))
    return _change_buildpacks(session, found)


def set_buildpack(session: Session) -> int:
    """The only one, or the one in the place that --index names."""
    if session.given.option("--index") is None:
        return _change_buildpacks(session, [session.given.word("BUILDPACK")])
    found, index = _present(session), session.given.number("--index", 1, 100) - 1
    found[index : index + 1] = [session.given.word("BUILDPACK")]
    return _change_buildpacks(session, found)


def remove_buildpack(session: Session) -> int:
    from wherry.model.build_settings import buildpack_url

    url, found = buildpack_url(session.given.word("BUILDPACK")), _present(session)
    if url not in found:
        has = ", ".join(found) or "none"
        raise InvalidInput(f"{session.given.app} has no buildpack {quoted(url)}; it has: {has}", field="buildpacks")
    return _change_buildpacks(session, [one for one in found if one != url])


def clear_buildpacks(session: Session) -> int:
    return _change_buildpacks(session, [])


def _present(session: Session) -> list[str]:
    return list(session.api.get(session.app_path("/build"))["buildpacks"])


def _change_buildpacks(session: Session, found: list[str]) -> int:
    answer = session.api.send("PATCH", session.app_path("/build"), {"buildpacks": found})
    return session.show(answer, _listed(session, answer) if "buildpacks" in answer else printable(str(answer["message"])))


def _change(session: Session, changes: dict[str, Any]) -> int:
    answer = session.api.send("PATCH", session.app_path("/build"), changes)
    if "dir" not in answer:
        return session.show(answer, printable(str(answer["message"])))
    return session.show(
        answer, f"{_told(session, answer)}\nIt holds from the next build on: git push, or wherry ps:rebuild {session.given.app}"
    )


def _told(session: Session, document: dict[str, Any]) -> str:
    pairs = [(name, document[name]) for name in FIELDS]
    pairs += [(f"arg.{name}", value) for name, value in sorted(document["args"].items())]
    pairs += [(f"buildpack {number}", url) for number, url in enumerate(document["buildpacks"], 1)]
    return facts(pairs, session.terminal.width) or f"{session.given.app} is built as its source says"


def _listed(session: Session, document: dict[str, Any]) -> str:
    rows = [[str(number), url] for number, url in enumerate(document["buildpacks"], 1)]
    return session.table(rows) if rows else f"{session.given.app} has no classic buildpack"
