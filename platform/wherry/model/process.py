"""Process types, their commands and quantities: what a Procfile names and `ps:scale` changes."""

from __future__ import annotations

import re

from wherry.errors import InvalidInput

MAX_QUANTITY = 50
WEB = "web"
RELEASE = "release"
"""The process type that runs once before traffic, and can not be scaled (Heroku's release phase)."""

TYPE_FORM = r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}"


def default_quantity(process_type: str) -> int:
    """How many instances a process type has until someone scales it: Heroku starts one web and nothing else."""
    return 1 if process_type == "web" else 0


def runnable(processes: dict[str, str]) -> list[str]:
    """The process types that can be scaled, web first."""
    return sorted((name for name in processes if name != RELEASE), key=lambda name: (name != "web", name))


def quantities(processes: dict[str, str], formation: dict[str, int]) -> dict[str, int]:
    """The wished quantity of each process type of a release."""
    return {name: formation.get(name, default_quantity(name)) for name in runnable(processes)}


def check_quantity(name: str, quantity: object) -> int:
    """`quantity` is an int from JSON or the digits from a command line."""
    text = str(quantity) if isinstance(quantity, (int, str)) and not isinstance(quantity, bool) else ascii(quantity)
    if not re.fullmatch(r"[0-9]{1,3}", text) or int(text) > MAX_QUANTITY:
        raise InvalidInput(f"{name}={ascii(text[:40])[1:-1]}: give a whole number from 0 to {MAX_QUANTITY}, e.g. {name}=2", field=name)
    return int(text)


def check_types(wished: dict[str, int], processes: dict[str, str]) -> None:
    """Raises InvalidInput when a wished type is not in the release."""
    known = runnable(processes)
    for name in wished:
        if name == RELEASE and RELEASE in processes:
            raise InvalidInput("release runs once per deploy and can not be scaled", field="scale")
        if name not in known:
            raise InvalidInput(f'no process "{name}"; this release has: {", ".join(known)}', field="scale")


def quantity_words(before: dict[str, int], wished: dict[str, int]) -> str:
    """`web 1 -> 3, worker 0 -> 1`: what changes, or all that was wished when nothing does."""
    changed = {name: quantity for name, quantity in wished.items() if before.get(name) != quantity}
    return ", ".join(f"{name} {before.get(name, 0)} -> {quantity}" for name, quantity in (changed or wished).items())
