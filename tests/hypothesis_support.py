"""How hard properties are tried: a little in every run of the tests, two hundred times as much with HYPOTHESIS_PROFILE=long."""

from __future__ import annotations

import os

from hypothesis import settings

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"


def examples(few: int, **more: int) -> settings:
    """Settings for a property that gets so many examples in a usual run."""
    return settings(max_examples=few * 200 if LONG else few, deadline=None, **more)
