"""What people, git and attackers send as a command, and what it is taken for."""

import json
from pathlib import Path

import pytest

from wherry.errors import InvalidInput
from wherry.receiving.requests import LONGEST, Run, parse

CASES = json.loads((Path(__file__).parent / "data" / "requests.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["line"] or "nothing" for case in CASES])
def test_a_command_is_understood_or_refused_in_one_line(case: dict[str, str]) -> None:
    line = case["line"].encode()
    if "is" in case:
        request = parse(line)
        said = "|".join(word.replace("|", "\\|") for word in request.words) if isinstance(request, Run) else request.app
        assert f"{type(request).__name__} {said}" == case["is"]
        return
    with pytest.raises(InvalidInput) as refusal:
        parse(line)
    assert case["says"] in str(refusal.value)
    assert str(refusal.value).isprintable()


def test_bytes_that_are_no_text_are_named() -> None:
    with pytest.raises(InvalidInput, match="byte 6 is 0xe9"):
        parse(b"ps caf\xe9"[:2] + b" ca\xe9")


def test_a_command_of_four_megabytes_is_refused_by_its_size() -> None:
    with pytest.raises(InvalidInput, match="4,194,304 bytes; at most 100,000"):
        parse(b"p" * 4 * 1024 * 1024)
    assert isinstance(parse(b"p" * LONGEST), Run)
