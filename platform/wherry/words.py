"""How the words of a command over SSH reach the command line: by its environment, which its own account alone may read.

The arguments of a process are shown to every account of the machine by `ps`, and words may be secrets (`config:set shop KEY=…`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

NAME = "WHERRY_WORD_"


def to_environment(words: Iterable[str]) -> dict[str, str]:
    """One variable for each word, numbered from 0."""
    return {f"{NAME}{number}": word for number, word in enumerate(words)}


def from_environment(environ: Mapping[str, str]) -> list[str]:
    """The words in their order; none for a command line that a person typed here."""
    words: list[str] = []
    while (word := environ.get(f"{NAME}{len(words)}")) is not None:
        words.append(word)
    return words
