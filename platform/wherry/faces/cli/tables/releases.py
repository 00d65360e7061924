"""The commands that `faces/cli/releases.py` answers."""

from wherry.faces.cli.command import Command, Option

TABLE = (
    Command(
        "releases",
        "APP",
        "List the releases of an app, the newest first",
        "releases.of_app",
        ("wherry releases shop", "wherry releases shop -n 5"),
        own_options=(Option(("-n", "--num"), "N", "how many, 1-500 (default 15)"),),
        aliases=("releases:list",),
    ),
    Command(
        "releases:info",
        "APP [VERSION]",
        "Show one release: its image, commit, processes and config keys",
        "releases.info",
        ("wherry releases:info shop v6",),
    ),
    Command(
        "rollback",
        "APP [VERSION]",
        "Go back to an earlier release, image and config; no build",
        "releases.rollback",
        ("wherry rollback shop", "wherry rollback shop v6"),
        "Without VERSION: to the last live release before the current one. The way back is a new release, so it can be undone too.",
        aliases=("releases:rollback",),
        changes=True,
    ),
)
