"""Each benchmark that scripts/bench knows is there, also after its tests' helpers have changed."""

import importlib

import pytest
from run import BENCHMARKS


@pytest.mark.parametrize("module", BENCHMARKS.values(), ids=BENCHMARKS)
def test_a_benchmark_can_be_loaded(module: str) -> None:
    assert callable(importlib.import_module(module).measure)
