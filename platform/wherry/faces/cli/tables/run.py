"""The commands that `faces/cli/run.py` answers."""

from wherry.faces.cli.command import MEMORY, NO_TTY, TIME_LIMIT, Command, Option

TABLE = (
    Command(
        "run",
        "APP CMD…",
        "Run a command beside the app: its release, its config, a container of its own",
        "run.attached",
        (
            "wherry run shop python manage.py migrate",
            "wherry run shop sh",
            "wherry run shop 'echo $DATABASE_URL'",
            "wherry run shop cat < data.csv",
            "ssh -t -p 2222 wherry@HOST run shop python",
        ),
        "One word is a line for the image's shell, or the name of a process type; more are a program and its arguments. At a terminal\n"
        "the program has a terminal too; input and output of a pipe arrive byte for byte. The exit status is the program's. It ends\n"
        "when you leave. Also while the app is stopped.",
        (MEMORY, TIME_LIMIT, NO_TTY),
        literal=True,
    ),
    Command(
        "run:detached",
        "APP CMD…",
        "Run a command beside the app and leave it alone",
        "run.detached",
        ("wherry run:detached shop python train.py", "wherry run:detached --time-limit 3d --memory 1g shop python train.py"),
        "What it prints goes to the app's log. It ends after 24 hours at the latest, unless --time-limit says otherwise.",
        (MEMORY, TIME_LIMIT, Option(("--no-wait",), "", "do not wait until it runs")),
        literal=True,
    ),
    Command(
        "run:list",
        "APP",
        "List what runs beside the app, and who is in its instances",
        "run.every",
        ("wherry run:list shop", "wherry run:list shop --all"),
        own_options=(Option(("--all",), "", "also what is over, with its exit status; the latest hundred"),),
    ),
    Command(
        "run:stop",
        "APP RUN",
        "End a run: SIGTERM, then SIGKILL",
        "run.stop",
        ("wherry run:stop shop run.3",),
        own_options=(Option(("--no-wait",), "", "do not wait until it has ended"),),
    ),
    Command(
        "enter",
        "APP [INSTANCE] [CMD…]",
        "Open a shell, or run a command, inside a running instance (default web.1)",
        "run.enter",
        ("wherry enter shop", "wherry enter shop worker.1", "wherry enter shop web.1 ps aux", "ssh -t -p 2222 wherry@HOST enter shop"),
        "It ends when you leave, and with the instance. What it changes is gone with the next deploy or restart.",
        (NO_TTY,),
        literal=True,
    ),
)
