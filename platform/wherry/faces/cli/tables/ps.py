"""The commands that `faces/cli/ps.py` answers."""

from wherry.faces.cli.command import Command

TABLE = (
    Command(
        "ps",
        "[APP]",
        "Show the instances of an app, or of all apps",
        "ps.show",
        ("wherry ps shop", "wherry ps"),
        "SINCE is how long an instance is in its state; MEMORY is used / allowed; CPU is percent of one core.",
        aliases=("ps:list",),
    ),
    Command(
        "ps:scale",
        "APP [TYPE=N…]",
        "Run N instances of a process type; without TYPE=N, show how many there are",
        "ps.scale",
        ("wherry ps:scale shop web=3", "wherry ps:scale shop web=2 worker+1", "wherry ps:scale web=2 -a shop"),
        "N is a whole number from 0 to 50; TYPE+N and TYPE-N are so many more or fewer. Only the difference is started or stopped.",
        aliases=("scale",),
        changes=True,
    ),
    Command(
        "ps:report",
        "APP",
        "Show all about the processes of an app: what runs, limits, restarts, restart policy",
        "ps.report",
        ("wherry ps:report shop", "wherry ps:report shop --json"),
    ),
    Command(
        "ps:set",
        "APP SETTING…",
        "Set when an instance that ended by itself is started again",
        "ps.put",
        ("wherry ps:set shop restart=on-failure:5", "wherry ps:set shop restart-policy always"),
        "restart is always (the default), on-failure (not after exit status 0), on-failure:N (up to N times in a row), or no. The first\n"
        "try comes at once, the next after 1, 2, 4 … 60 s; five minutes of running, a new release or ps:restart begin anew.",
    ),
    Command(
        "ps:restart",
        "APP [INSTANCE]",
        "Replace all instances by fresh ones, or those of one process type, or one",
        "ps.restart",
        ("wherry ps:restart shop", "wherry ps:restart shop worker", "wherry ps:restart shop web.1"),
        "A fresh instance takes over before the old one ends, so no request is lost.",
        aliases=("restart",),
        changes=True,
    ),
    Command(
        "ps:stop",
        "APP [INSTANCE]",
        "Stop an app, a process type or one instance until ps:start, over reboots too",
        "ps.stop",
        ("wherry ps:stop shop", "wherry ps:stop shop worker", "wherry ps:stop shop web.2"),
        "Requests in flight are answered first. Visitors of a stopped app get a page that says so.",
        aliases=("stop",),
        changes=True,
    ),
    Command(
        "ps:start",
        "APP [INSTANCE]",
        "Start what was stopped",
        "ps.start",
        ("wherry ps:start shop", "wherry ps:start shop web.2"),
        aliases=("start",),
        changes=True,
    ),
)
