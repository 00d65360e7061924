"""What a push of these refs means."""

import json
from pathlib import Path
from typing import Any

import pytest

from wherry.errors import InvalidInput
from wherry.receiving.refs import Deploy, Refuse, decide, read

CASES = json.loads((Path(__file__).parent / "data" / "refs.json").read_text("utf-8"))


def lines(updates: list[str]) -> bytes:
    """`0 a refs/heads/main` with full ids, as git writes it."""
    parts = [update.split(" ", 2) for update in updates]
    return "".join(f"{old * 40} {new * 40} {ref}\n" for old, new, ref in parts).encode()


@pytest.mark.parametrize("case", CASES, ids=[case["why"] for case in CASES])
def test_a_push_deploys_one_thing_at_most_and_says_which(case: dict[str, Any]) -> None:
    decision = decide(read(lines(case["updates"])), case.get("branch", "main"), "shop")
    if isinstance(decision, Refuse):
        kind, said = "refuse", f"{decision.reason} {decision.hint}"
    else:
        kind = f"deploy {decision.update.ref}" if isinstance(decision, Deploy) else "store"
        said = " ".join(decision.notes)
    assert kind == case["is"]
    assert case.get("says", "") in said
    assert said.isprintable()


def test_a_name_that_is_no_text_is_shown_as_bytes() -> None:
    (update,) = read(b"0" * 40 + b" " + b"a" * 40 + b" refs/heads/caf\xe9\n")
    assert update.short == "caf\\udce9"


@pytest.mark.parametrize("data", [b"hello\n", b"a b c\n", b"0" * 40 + b" " + b"g" * 40 + b" refs/heads/main\n", b"\0"])
def test_what_git_never_writes_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="can not be read"):
        read(data)
