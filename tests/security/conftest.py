"""The platform that attackers of the control API find."""

import pytest

from stored_platform import ADMIN, deployed, new_platform
from wherry.services import users
from wherry.services.platform import Platform


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """One deployed app, `shop`, and one admin, `alice`."""
    made = new_platform(tmp_path_factory.mktemp("attacked"))
    users.add(made, ADMIN, "alice", "admin")
    deployed(made)
    return made
