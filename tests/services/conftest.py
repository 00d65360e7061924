from pathlib import Path

import pytest

from stored_platform import new_platform
from wherry.services.platform import Platform


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return new_platform(tmp_path)
