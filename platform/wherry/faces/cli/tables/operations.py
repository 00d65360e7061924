"""The commands that `faces/cli/operations.py` answers."""

from wherry.faces.cli.command import Command

TABLE = (
    Command(
        "operations",
        "[APP]",
        "List what was asked of the platform and how it went, the newest first",
        "operations.recent",
        ("wherry operations", "wherry operations shop"),
        aliases=("operations:list",),
    ),
    Command("operations:info", "NUMBER", "Show one operation", "operations.info", ("wherry operations:info 41",)),
    Command(
        "operations:log",
        "NUMBER",
        "Print what an operation said, and follow it until it is over",
        "operations.log",
        ("wherry operations:log 41",),
        "Exits with 1 when the operation failed. Ctrl-C stops following, not the operation.",
        aliases=("operations:follow",),
    ),
    Command(
        "operations:cancel",
        "NUMBER",
        "End an operation: a waiting one now, a running one at its next safe point",
        "operations.cancel",
        ("wherry operations:cancel 41",),
        changes=True,
    ),
)
