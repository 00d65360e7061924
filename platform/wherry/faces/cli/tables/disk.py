"""The command that `faces/cli/disk.py` answers."""

from wherry.faces.cli.command import Command

TABLE = (
    Command(
        "disk",
        "",
        "Show who uses the disk, the largest first, and what is free",
        "disk.show",
        ("wherry disk",),
        "OWN would come free with the app's images, SHARED is held by other images as well. The build cache is the Docker engine's own,\n"
        "of all its builds.",
        aliases=("disk:show",),
    ),
)
