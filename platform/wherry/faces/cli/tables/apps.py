"""The commands that `faces/cli/apps.py` answers."""

from wherry.faces.cli.command import Command, Option

TABLE = (
    Command("apps", "", "List the apps", "apps.every", ("wherry apps",), aliases=("apps:list",)),
    Command(
        "apps:create",
        "NAME",
        "Make an app; the first push to a new name does it too",
        "apps.create",
        ("wherry apps:create shop",),
        'A name is 1-30 characters of a-z, 0-9 and "-", starting with a letter. It becomes a part of the app\'s address.',
        aliases=("create",),
    ),
    Command(
        "apps:info", "APP", "Show an app: its addresses, its release, what runs", "apps.info", ("wherry apps:info shop",), aliases=("info",)
    ),
    Command(
        "apps:destroy",
        "APP",
        "Delete an app with its instances, releases and config vars",
        "apps.destroy",
        ("wherry apps:destroy shop", "wherry apps:destroy shop --confirm shop"),
        "Nothing brings them back, so it asks for the name once more. Operations stay as history.",
        (Option(("--confirm",), "APP", "the name once more, instead of being asked"),),
        ("destroy", "apps:delete"),
        changes=True,
    ),
    Command(
        "open",
        "APP",
        "Print the address of an app, and open it in a browser where there is one",
        "apps.open_app",
        ("wherry open shop",),
        aliases=("apps:open",),
    ),
)
