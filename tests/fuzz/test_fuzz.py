"""Every reader of foreign bytes holds against what fuzzers found before, and against some bytes that nobody has tried."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.seeds import SEEDS
from fuzz.targets import TARGETS, tried
from hypothesis_support import examples

FOUND = sorted(path for path in (Path(__file__).parent / "corpus").rglob("*") if path.is_file())


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_a_fuzzer_found_once_is_read_or_refused(path: Path) -> None:
    tried(path.parent.name, path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_honest_input_is_read(name: str) -> None:
    assert SEEDS[name]
    for data in SEEDS[name]:
        TARGETS[name](data)


@st.composite
def spoilt(draw: st.DrawFn, name: str) -> bytes:
    """Honest input with a few pieces of it taken out, doubled or replaced."""
    data = draw(st.sampled_from(SEEDS[name]))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 40)))
        data = data[:start] + draw(st.one_of(st.binary(max_size=8), st.just(data[start:end] * 2))) + data[end:]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_spoilt_input_is_read_or_refused(name: str) -> None:
    @settings(examples(8), suppress_health_check=[HealthCheck.too_slow])
    @given(data=spoilt(name))
    def holds(data: bytes) -> None:
        tried(name, data)

    holds()


def test_a_defect_would_be_found() -> None:
    """The net has no hole: a reader that breaks, and a refusal that no terminal can show, are seen."""
    from wherry.errors import InvalidInput

    def breaks(data: bytes) -> None:
        raise IndexError

    def says_bytes(data: bytes) -> None:
        raise InvalidInput("\x1b[2J")

    for target, error in ((breaks, IndexError), (says_bytes, AssertionError)):
        TARGETS["broken"] = target
        try:
            with pytest.raises(error):
                tried("broken", b"x")
        finally:
            del TARGETS["broken"]
