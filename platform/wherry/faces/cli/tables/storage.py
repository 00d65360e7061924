"""The commands that `faces/cli/storage.py` answers."""

from wherry.faces.cli.command import Command, Option

TABLE = (
    Command(
        "storage:list",
        "APP",
        "List the volumes of an app: how big they are, where they are mounted",
        "storage.every",
        ("wherry storage:list shop",),
        "Sizes are looked at once an hour.",
        aliases=("storage", "storage:report"),
    ),
    Command("storage:info", "APP VOLUME", "Show a volume", "storage.info", ("wherry storage:info shop uploads",)),
    Command(
        "storage:create",
        "APP VOLUME",
        "Make a volume: a disk with a name that outlives instances, deploys and rollbacks",
        "storage.create",
        ("wherry storage:create shop uploads", "wherry storage:create shop uploads --shared"),
        "One instance at a time writes to it, so that SQLite is safe there: a deploy stops the old one before it starts the new one,\n"
        "and visitors' requests wait meanwhile. With --shared several write, and deploys go on side by side.",
        (Option(("--shared",), "", "several instances may write to it at the same time"),),
    ),
    Command(
        "storage:mount",
        "APP VOLUME:PATH",
        "Show a volume to the app's instances as the folder PATH",
        "storage.mount",
        (
            "wherry storage:mount shop uploads:/app/uploads",
            "wherry storage:mount shop uploads:/data --types web,worker",
            "wherry storage:mount shop uploads:/data --types worker --read-only",
        ),
        "This is a release: the instances that see it are replaced. The folder belongs to the user whom the image runs as.\n"
        "Folders of the host are not mounted: an app could read the machine.",
        (
            Option(("--types",), "TYPES", "only in these process types, with commas between; else in all"),
            Option(("--read-only",), "", "instances may not write to it"),
        ),
        changes=True,
    ),
    Command(
        "storage:unmount",
        "APP VOLUME",
        "Take a volume away from the instances, or with VOLUME:PATH from one path; what is in it stays",
        "storage.unmount",
        ("wherry storage:unmount shop uploads", "wherry storage:unmount shop uploads:/app/uploads"),
        changes=True,
    ),
    Command(
        "storage:export",
        "APP VOLUME",
        "Write what is in a volume to standard output, as a tar.gz",
        "storage.export",
        ("wherry storage:export shop uploads > uploads.tar.gz",),
        "A one-off of the app's image packs it with tar while the app runs on. Ask a database for its own copy instead,\n"
        "so that it is whole.",
    ),
    Command(
        "storage:import",
        "APP VOLUME",
        "Unpack a tar.gz from standard input into a volume, over what is there",
        "storage.restore",
        ("wherry storage:import shop uploads < uploads.tar.gz",),
        "The app must be stopped, unless the volume is shared.",
    ),
    Command(
        "storage:share",
        "APP VOLUME",
        "Let several instances write to a volume at the same time",
        "storage.share",
        ("wherry storage:share shop uploads",),
        "From then on deploys go on side by side, and the app may be scaled. For files, not for a database such as SQLite.",
    ),
    Command(
        "storage:unshare",
        "APP VOLUME",
        "Let one instance at a time write to a volume",
        "storage.unshare",
        ("wherry storage:unshare shop uploads",),
    ),
    Command(
        "storage:destroy",
        "APP VOLUME",
        "Delete a volume with all that is in it",
        "storage.destroy",
        ("wherry storage:destroy shop uploads", "wherry storage:destroy shop uploads --confirm uploads"),
        "Nothing brings it back, so it asks for the name once more. Unmount it first.",
        (Option(("--confirm",), "VOLUME", "the name once more, instead of being asked"),),
        changes=True,
    ),
)
