"""May this actor do this? Every role against every need, with its reason."""

import pytest

from wherry.access.decide import decide
from wherry.access.require import require
from wherry.errors import Forbidden
from wherry.model.user import ROLES, Actor


@pytest.mark.parametrize("needed", ROLES)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_what_it_and_the_lesser_ones_may(role: str, needed: str) -> None:
    decision = decide(Actor("dora", role, "token"), needed, "scale shop")
    assert decision.allowed == (ROLES.index(role) >= ROLES.index(needed))
    assert "dora" in decision.reason


@pytest.mark.parametrize("role", ["", "none", "root", "Admin"])
def test_an_unknown_role_may_nothing(role: str) -> None:
    assert not any(decide(Actor("eve", role, "token"), needed, "look").allowed for needed in ROLES)


def test_a_refusal_says_who_what_and_which_role_it_takes() -> None:
    with pytest.raises(Forbidden, match=r"rita \(read\) may not scale shop: that needs the role deploy"):
        require(Actor("rita", "read", "token"), "deploy", "scale shop")
