"""The commands that `faces/cli/domains.py` answers."""

from wherry.faces.cli.command import Command

TABLE = (
    Command(
        "domains",
        "[APP]",
        "List the domains of an app, or of all apps",
        "domains.show",
        ("wherry domains shop", "wherry domains"),
        aliases=("domains:list", "domains:report"),
    ),
    Command(
        "domains:add",
        "APP DOMAIN…",
        "Serve an app at more domains",
        "domains.add",
        ("wherry domains:add shop shop.example.org www.example.org", "wherry domains:add shop '*.shop.example.org'"),
        "A wildcard stands for one label. A domain belongs to one app. Nothing restarts and no request is lost.\n"
        "Point the domain's A and AAAA records at this machine; docs/domains.md tells the rest.",
    ),
    Command(
        "domains:remove",
        "APP DOMAIN…",
        "Take domains away from an app; its default one too, if you like",
        "domains.remove",
        ("wherry domains:remove shop www.example.org",),
        aliases=("domains:delete",),
    ),
    Command(
        "domains:set",
        "APP DOMAIN…",
        "Serve an app at exactly these domains",
        "domains.set_all",
        ("wherry domains:set shop shop.example.org",),
    ),
)
