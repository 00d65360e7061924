"""The commands that `faces/cli/limits.py` answers."""

from wherry.faces.cli.command import Command, Option

TABLE = (
    Command(
        "ps:type",
        "APP [TYPE=SIZE…]",
        "Set what one instance of a process type may use; without TYPE=SIZE, show it",
        "limits.process_type",
        (
            "wherry ps:type shop web=medium worker=small",
            "wherry ps:type shop web.memory=300m web.cpu=0.5 web.pids=200",
            "wherry ps:type shop --memory 300m --process-type worker",
            "wherry ps:type shop web=default",
        ),
        "SIZE is a name (wherry sizes) or default. TYPE.memory is a number with m or g, swap included; TYPE.cpu a cap in cores; TYPE.pids\n"
        "the most processes and threads. TYPE may be run (for one-offs) and release too. A new size sets single values aside. The change\n"
        "is a release: its instances take over when they are ready, and no request is lost.",
        (
            Option(("-m", "--memory"), "SIZE", "memory, e.g. 300m"),
            Option(("--cpu",), "CORES", "cap on CPU, e.g. 0.5"),
            Option(("--pids",), "N", "processes and threads, e.g. 200"),
            Option(("-p", "--process-type"), "TYPE", "what the options are for (default: all)"),
        ),
        ("ps:resize", "dyno:resize", "dyno:type", "resource:limit", "resource:report", "limits"),
        changes=True,
    ),
    Command("sizes", "", "List the sizes that have names, and what this machine has", "limits.sizes", ("wherry sizes",)),
)
