"""The commands that `faces/cli/tokens.py` answers."""

from wherry.faces.cli.command import Command, Option

TABLE = (
    Command("tokens:list", "", "List the API tokens", "tokens.every", ("wherry tokens:list",), aliases=("tokens",)),
    Command(
        "tokens:create",
        "NAME",
        "Make a token for the API; it is shown this once",
        "tokens.create",
        ("wherry tokens:create ci --days 90", "wherry tokens:create dashboard --role read"),
        "From another machine: set WHERRY_API_URL and WHERRY_TOKEN, and this command line works there.",
        (
            Option(("-r", "--role"), "ROLE", "read, deploy or admin (default: your own; never more)"),
            Option(("-d", "--days"), "N", "days until it expires, 1-3650 (default 365)"),
            Option(("-u", "--user"), "USER", "whose token it is (default: yours; others need an admin)"),
        ),
    ),
    Command(
        "tokens:revoke",
        "NAME",
        "Take a token away, by its name or prefix; it stops working at once",
        "tokens.revoke",
        ("wherry tokens:revoke ci",),
        aliases=("tokens:remove", "tokens:delete"),
    ),
)
