"""Lets the `predeploy` script of `app.json` change the image that was built: one more step on top of it.

Source of the rule: dokku.com, "Deployment Tasks": what the script changes is kept in the image. It runs as the image's user in
its working folder, sees the config vars as any build step does, and never comes from a cache.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from wherry.building import config_files
from wherry.building.buildpack import fill
from wherry.building.context import Context
from wherry.building.dockerfile import EXIT
from wherry.building.failure import refuse, shown
from wherry.building.progress import Watched
from wherry.errors import DeployFailed
from wherry.secret import Secret

CODE = "predeploy_failed"
_WHERE = "Its last lines are above."
_SILENT = "It printed nothing; run it the same way on your machine."


def context(packs: Path, image: str, command: str, config: Mapping[str, Secret], *, start: str) -> Context:
    """What to build from. `image` is the name of the image to change; `start` is how a shell is started in it."""
    made = Context()
    made.add_text("Dockerfile", fill((packs / "predeploy.Dockerfile").read_text("utf-8"), {"image": image, "start": start}).encode())
    made.add_text("buildpack/with_config", (packs / "with_config").read_bytes())
    made.add_text("buildpack/predeploy", f"{command}\n".encode())
    config_files.add(made, config)
    return made


def explain(message: str, broken: Watched | None) -> DeployFailed:
    code = EXIT.search(message)
    if broken is None or code is None or re.search(r"exec: .*no such file", message):
        hint = "It needs /bin/sh in the image; the line below is the builder's."
        return refuse(
            "the predeploy script of app.json could not be run", hint, code=CODE, evidence=(shown(message, 300),), source="the builder"
        )
    return refuse(f"the predeploy script of app.json exited with code {code[1]}", _WHERE if broken.lines else _SILENT, code=CODE)
