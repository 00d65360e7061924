"""The commands that `faces/cli/builds.py` answers."""

from wherry.faces.cli.command import Command, Option

WHICH = "A build has a number; an app's name alone means its latest one."

TABLE = (
    Command(
        "builds",
        "[APP]",
        "List builds, also those that wait, failed or were cancelled, the newest first",
        "builds.recent",
        ("wherry builds shop", "wherry builds"),
        own_options=(Option(("-n", "--num"), "N", "how many, 15 unless said"),),
        aliases=("builds:list",),
    ),
    Command(
        "builds:info",
        "[APP] [NUMBER]",
        "Show one build: what it made, or why not",
        "builds.info",
        ("wherry builds:info 41", "wherry builds:info shop"),
        WHICH,
    ),
    Command(
        "builds:output",
        "[APP] [NUMBER]",
        "Print what a build said, and follow it until its release is live",
        "builds.output",
        ("wherry builds:output 41", "wherry builds:output shop"),
        f"{WHICH} Exits with 1 when the build or its release failed. Ctrl-C stops following, not the build.",
        aliases=("builds:log",),
    ),
    Command(
        "builds:cancel",
        "[APP] [NUMBER]",
        "End a build: one that waits leaves the queue, one that runs is stopped at the engine",
        "builds.cancel",
        ("wherry builds:cancel shop", "wherry builds:cancel 41"),
        WHICH,
        changes=True,
    ),
)
