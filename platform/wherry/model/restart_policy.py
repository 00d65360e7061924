"""What happens to an instance that ended by itself: when it is started again, and when that is given up."""

from __future__ import annotations

import re

from wherry.errors import InvalidInput

ALWAYS, ON_FAILURE, NO = "always", "on-failure", "no"
SPELLINGS = {"unless-stopped": ALWAYS, "never": NO}
"""Docker's and Dokku's words for the same: what a person stopped stays stopped here anyway."""


def check(text: str) -> str:
    """The policy in its one spelling. Raises InvalidInput with the allowed forms."""
    policy = SPELLINGS.get(text, text)
    if policy in (ALWAYS, ON_FAILURE, NO) or re.fullmatch(r"on-failure:([1-9][0-9]{0,3})", policy):
        return policy
    shown = ascii(text[:40])[1:-1]
    raise InvalidInput(f'restart policy "{shown}": give always, on-failure, on-failure:N or no, e.g. on-failure:5', field="restart")


def gives_up(policy: str, exit_code: int | None, crashes: int) -> bool:
    """Whether an instance that ended with `exit_code`, for the `crashes`-th time in a row, is left alone."""
    if policy == ALWAYS:
        return False
    if policy == NO or exit_code == 0:
        return True
    most = policy.partition(":")[2]
    return bool(most) and crashes > int(most)
