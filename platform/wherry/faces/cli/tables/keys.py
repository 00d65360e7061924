"""The commands that `faces/cli/keys.py` answers."""

from wherry.faces.cli.command import Command, Option

TABLE = (
    Command("keys:list", "", "List the SSH keys that may push", "keys.every", ("wherry keys:list",), aliases=("keys",)),
    Command(
        "keys:add",
        "NAME [FILE]",
        "Let an SSH key push; the key comes from FILE or from standard input",
        "keys.add",
        ("wherry keys:add laptop ~/.ssh/id_ed25519.pub", "ssh -p 2222 wherry@HOST keys:add laptop < ~/.ssh/id_ed25519.pub"),
        own_options=(Option(("-u", "--user"), "USER", "whose key it is (default: yours; others need an admin)"),),
    ),
    Command(
        "keys:remove",
        "NAME",
        "Take a key away, by its name or fingerprint; it stops working at once",
        "keys.remove",
        ("wherry keys:remove laptop",),
        aliases=("keys:delete",),
    ),
)
