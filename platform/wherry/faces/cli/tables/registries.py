"""The commands that `faces/cli/registries.py` answers."""

from wherry.faces.cli.command import Command, Option

TABLE = (
    Command(
        "registry",
        "",
        "List the registries that the platform is logged in at",
        "registries.every",
        ("wherry registry",),
        aliases=("registry:list",),
    ),
    Command(
        "registry:login",
        "SERVER USER",
        "Let the platform fetch private images; the password or token comes on standard input",
        "registries.login",
        ("wherry registry:login ghcr.io alice < token.txt", "wherry registry:login docker.io alice < token.txt"),
        "It is tried at once, and kept where only the engine reads it. For admins.",
        (Option(("--password-stdin",), "", "what it does anyway; Docker's users type it"),),
        changes=True,
    ),
    Command(
        "registry:logout",
        "SERVER",
        "Forget the login at a registry",
        "registries.logout",
        ("wherry registry:logout ghcr.io",),
        changes=True,
    ),
)
