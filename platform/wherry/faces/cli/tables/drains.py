"""The commands that `faces/cli/drains.py` answers."""

from wherry.faces.cli.command import Command

TABLE = (
    Command("drains", "APP", "List where an app's log is sent", "drains.every", ("wherry drains shop",), aliases=("drains:list",)),
    Command(
        "drains:add",
        "APP URL",
        "Send an app's log to a syslog server or to an HTTPS address, as it grows",
        "drains.add",
        (
            "wherry drains:add shop syslog+tls://logs.example.org:6514",
            "wherry drains:add shop https://user:secret@logs.example.org/heroku",
        ),
        "syslog+tcp://, syslog+tls:// and syslog+udp:// send messages of RFC 5424. https:// posts batches as Heroku's drains do.",
    ),
    Command(
        "drains:remove",
        "APP DRAIN",
        "Stop sending an app's log there; DRAIN is the drain's token or its address",
        "drains.remove",
        ("wherry drains:remove shop d.2f6c7d0e-8a4b-4d0c-9d7e-0b1f5a6c7d8e",),
    ),
)
