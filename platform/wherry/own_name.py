"""Texts for people say `wherry ps` everywhere; a platform of another name puts its own there when the text leaves it.

A hint that names another platform's command would be obeyed on that one. git remotes are called `wherry` whatever the platform is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

USUAL = "wherry"
_COMMAND = re.compile(r"(?<![\w./:@-])(?<!push )(?<!add )(?<!fetch )(?<!set-url )wherry( COMMAND| [a-z]+(?::[a-z-]+)?)( wherry\b)?")
"""The command and its verb, and an app that is called wherry too and keeps its name."""


def in_own_name(text: str, name: str, quoted: Sequence[str] = ()) -> str:
    """`text` with every `wherry VERB` as `NAME VERB`, but not inside what somebody else said (`quoted`): that stays as it is."""
    if name == USUAL:
        return text
    for words in filter(_COMMAND.search, quoted):
        before, found, after = text.partition(words)
        if found:
            return in_own_name(before, name, quoted) + words + in_own_name(after, name, quoted)
    return _COMMAND.sub(lambda found: f"{name}{found[1]}{found[2] or ''}", text)
