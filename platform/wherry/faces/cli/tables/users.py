"""The commands that `faces/cli/users.py` answers."""

from wherry.faces.cli.command import Command, Option

TABLE = (
    Command("users:list", "", "List the people of this platform", "users.every", ("wherry users:list",), aliases=("users",)),
    Command(
        "users:add",
        "NAME",
        "Add a person; give them a key with keys:add LAPTOP -u NAME",
        "users.add",
        ("wherry users:add alice", "wherry users:add carol --role admin --uid 1000"),
        "read sees everything but secrets; deploy also changes apps; admin also changes users and other people's keys.",
        (
            Option(("-r", "--role"), "ROLE", "read, deploy or admin (default deploy)"),
            Option(("--uid",), "UID", "the account of this machine that may use wherry as this person (see: id -u)"),
        ),
    ),
    Command(
        "users:remove",
        "NAME",
        "Remove a person with their keys and tokens",
        "users.remove",
        ("wherry users:remove alice",),
        aliases=("users:delete",),
    ),
)
