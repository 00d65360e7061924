"""The commands that `faces/cli/releases.py` answers."""

from wherry.faces.cli.command import REVEAL, Command, Option

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
        "Show one release: its author, reason, image, processes, config keys, formation, domains, checks and limits",
        "releases.info",
        ("wherry releases:info shop v6",),
        aliases=("releases:show",),
    ),
    Command(
        "releases:diff",
        "APP [VERSION] [OTHER]",
        "Show what a release changed, or what differs between two",
        "releases.diff",
        ("wherry releases:diff shop", "wherry releases:diff shop v7", "wherry releases:diff shop v3 v7"),
        "With one VERSION: against the live release before it; with none: what the current one changed. Values of config vars\n"
        "stay hidden without --reveal.",
        own_options=(REVEAL,),
    ),
    Command(
        "releases:output",
        "APP [VERSION]",
        "Show what was said while a release was made: the build, the release command, the instances",
        "releases.output",
        ("wherry releases:output shop v7",),
    ),
    Command(
        "rollback",
        "APP [VERSION]",
        "Go back to an earlier release: image, config, Procfile, checks and limits; no build",
        "releases.rollback",
        ("wherry rollback shop", "wherry rollback shop v6"),
        "Without VERSION: to the last live release before the current one with other code or config. Formation, domains and volumes\n"
        "stay as they are today; to a VERSION with the code and config that run already, formation and domains are what goes back.\n"
        "The way back is a new release, so it can be undone too.",
        aliases=("releases:rollback",),
        changes=True,
    ),
)
