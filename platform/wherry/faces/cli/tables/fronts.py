"""The commands that `faces/cli/fronts.py` answers."""

from wherry.faces.cli.command import Command, Option

TABLE = (
    Command(
        "https",
        "APP [auto|on|off]",
        "Show or set whether visitors are sent to HTTPS",
        "fronts.https",
        ("wherry https shop", "wherry https shop on", "wherry https shop --hsts 365"),
        "auto sends them there for domains that have a certificate. With --hsts, browsers stay there for that many days,\n"
        "even when the certificate is gone: begin with few. --hsts 0 ends it.",
        (
            Option(("--hsts",), "DAYS", "0-730: browsers remember to use HTTPS only"),
            Option(("--subdomains",), "YES", "yes or no: HSTS holds for all names below as well"),
        ),
    ),
    Command("allow", "APP", "List the addresses that are let in", "fronts.allowed", ("wherry allow shop",), aliases=("allow:list",)),
    Command(
        "allow:add",
        "APP ADDRESS…",
        "Let in visitors from these addresses or networks only",
        "fronts.allow_add",
        ("wherry allow:add shop 192.0.2.7 198.51.100.0/24 2001:db8::/32",),
        "The first entry closes the app to everybody else. Others get 403.",
    ),
    Command(
        "allow:remove",
        "APP ADDRESS…",
        "Take addresses from the list; without its last entry everybody is let in",
        "fronts.allow_remove",
        ("wherry allow:remove shop 192.0.2.7",),
        aliases=("allow:delete",),
    ),
    Command("auth", "APP", "List the logins that visitors need", "fronts.logins", ("wherry auth shop",), aliases=("auth:list",)),
    Command(
        "auth:add",
        "APP NAME",
        "Ask visitors for a name and a password; the password is made, or read from standard input",
        "fronts.auth_add",
        ("wherry auth:add shop alice", "wherry auth:add shop alice --password < password"),
        "The first login closes the app to everybody else. The app learns the name in the header X-Forwarded-User.",
        (Option(("--password",), "", "read the password from standard input"),),
    ),
    Command(
        "auth:remove",
        "APP NAME",
        "Remove a login; without its last one nobody is asked",
        "fronts.auth_remove",
        ("wherry auth:remove shop alice",),
        aliases=("auth:delete",),
    ),
    Command(
        "maintenance",
        "APP",
        "Show whether visitors get the maintenance page",
        "fronts.maintenance",
        ("wherry maintenance shop",),
    ),
    Command(
        "maintenance:on",
        "APP [PAGE]",
        "Answer visitors with a page instead of the app, which runs on",
        "fronts.maintenance_on",
        ("wherry maintenance:on shop", "wherry maintenance:on shop page.html", "wherry maintenance:on shop - < page.html"),
        "PAGE is HTML of up to 64 KB and is kept for the next time; --plain brings ours back. They get status 503 (H80).",
        (Option(("--plain",), "", "forget the own page"),),
    ),
    Command("maintenance:off", "APP", "Let visitors reach the app again", "fronts.maintenance_off", ("wherry maintenance:off shop",)),
)
