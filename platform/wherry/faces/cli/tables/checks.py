"""The commands that `faces/cli/checks.py` answers."""

from wherry.faces.cli.command import Command

TABLE = (
    Command(
        "checks",
        "APP",
        "Show the health checks of an app, and how they are asked",
        "checks.show",
        ("wherry checks shop",),
        "The checks themselves are in app.json (docs/checks.md).",
        aliases=("checks:report", "zero-downtime"),
    ),
    Command(
        "checks:run",
        "APP [INSTANCE]",
        "Ask all checks now, of all instances, a process type or one; exit status 1 when one fails",
        "checks.run",
        ("wherry checks:run shop", "wherry checks:run shop web.1"),
        changes=True,
    ),
    Command(
        "checks:disable",
        "APP [TYPE…]",
        "Ask no check, and stop the old instances before the new ones start",
        "checks.disable",
        ("wherry checks:disable shop", "wherry checks:disable shop web,worker"),
        "For what may not run twice. Requests wait at the proxy meanwhile. The change is a release; so are those below.",
        changes=True,
    ),
    Command(
        "checks:skip",
        "APP [TYPE…]",
        "Give new instances their visitors without startup checks",
        "checks.skip",
        ("wherry checks:skip shop web",),
        "They still have to listen; liveness and readiness are asked as before.",
        changes=True,
    ),
    Command(
        "checks:enable",
        "APP [TYPE…]",
        "Ask again what was disabled or skipped",
        "checks.enable",
        ("wherry checks:enable shop",),
        changes=True,
    ),
    Command(
        "checks:set",
        "APP KEY=N…",
        "Set how checks are asked, over what app.json says, and how long an app may boot, drain and be watched",
        "checks.put",
        (
            "wherry checks:set shop timeout=10 attempts=5 wait=3",
            "wherry checks:set shop boot=120 drain=30 bake=0",
            "wherry checks:set shop bake=default",
        ),
        "KEY is timeout, attempts, wait (of every check), boot, drain or bake (seconds; bake=0 does not watch new releases).",
        changes=True,
    ),
)
