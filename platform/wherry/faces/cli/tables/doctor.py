"""The command that `faces/cli/doctor.py` answers."""

from wherry.faces.cli.command import Command, Option

TABLE = (
    Command(
        "doctor",
        "",
        "Look at the machine, Docker, the proxy and the platform's state, and say what to do",
        "doctor.show",
        ("wherry doctor", "wherry doctor --bundle", "ssh -p 2222 wherry@HOST doctor --bundle > bundle.tar.gz"),
        "For admins. It changes nothing; the exit status is 1 when something is broken. As root on the machine it also works while the\n"
        "platform does not. --bundle packs findings, versions, settings, the platform's log, operations and the proxy's configuration\n"
        "for a report: never config vars, keys or tokens. Into a file here, or into a pipe.",
        (
            Option(("--bundle",), "", "pack what a report needs into a tar.gz"),
            Option(("-o", "--output"), "FILE", "where to write the bundle"),
        ),
    ),
)
