"""The commands that `faces/cli/events.py` answers."""

from wherry.faces.cli.command import Command, Option

TABLE = (
    Command(
        "events",
        "[APP]",
        "List who changed what and when: the audit; without APP of the whole platform",
        "events.recent",
        ("wherry events shop", "wherry events shop --type release -n 5", "wherry events --by alice"),
        "The newest stands last. Events outlive their app, and are kept for a year. Without APP this is for admins.",
        (
            Option(("-n", "--num"), "N", "how many, 1-1000 (default 20)"),
            Option(("--type",), "TYPE", "only these: release.live, or release for all of that kind"),
            Option(("--by",), "USER", "only what this person did"),
        ),
        aliases=("events:list",),
    ),
)
