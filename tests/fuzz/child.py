"""One target under atheris, in a process of its own: libFuzzer ends the process when it is done."""

from __future__ import annotations

import sys
import warnings

import atheris


def main() -> None:
    with atheris.instrument_imports(include=["wherry"]):
        from fuzz import targets
        from fuzz.seeds import SEEDS
    warnings.simplefilter("ignore")
    name, *options = sys.argv[1:]
    folder = next(option for option in options if not option.startswith("-"))
    for number, data in enumerate(SEEDS[name]):
        with open(f"{folder}/seed-{number}", "wb") as file:  # noqa: PTH123
            file.write(data)
    atheris.Setup([sys.argv[0], *options], lambda data: targets.tried(name, data))
    atheris.Fuzz()
