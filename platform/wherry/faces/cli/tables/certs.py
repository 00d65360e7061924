"""The commands that `faces/cli/certs.py` answers."""

from wherry.faces.cli.command import Command

TABLE = (
    Command(
        "certs",
        "APP",
        "List the certificates of an app, and its domains that have none",
        "certs.show",
        ("wherry certs shop",),
        aliases=("certs:list", "certs:report"),
    ),
    Command("certs:info", "APP NAME", "Show one certificate", "certs.info", ("wherry certs:info shop shop.example.org",)),
    Command(
        "certs:add",
        "APP [CERT] [KEY]",
        "Serve the domains of an app with a certificate of your own",
        "certs.add",
        ("wherry certs:add shop cert.pem key.pem", "cat cert.pem key.pem | ssh -p 2222 wherry@HOST certs:add shop"),
        "Without files it reads certificate, chain and key from standard input: PEM in any order, or a tar of them.\n"
        "Adding the next one for the same domains replaces it; visitors under way notice nothing.",
        aliases=("certs:update",),
    ),
    Command(
        "certs:remove",
        "APP NAME",
        "Remove a certificate",
        "certs.remove",
        ("wherry certs:remove shop shop.example.org",),
        aliases=("certs:delete",),
    ),
    Command(
        "certs:renew",
        "APP NAME",
        "Order a certificate again now, without waiting for the next try",
        "certs.renew",
        ("wherry certs:renew shop shop.example.org",),
        "It waits a minute for the authority's word.",
        changes=True,
    ),
    Command(
        "certs:auto",
        "APP [on|off]",
        "Show or switch whether certificates are ordered for an app",
        "certs.auto",
        ("wherry certs:auto shop", "wherry certs:auto shop off"),
        "They are ordered for public domains once WHERRY_ACME_EMAIL is set (docs/domains.md).",
    ),
)
