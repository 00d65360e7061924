"""The commands that `faces/cli/sources.py` answers."""

from wherry.faces.cli.command import FORCE, NO_CACHE, Command, Option

TABLE = (
    Command(
        "ps:rebuild",
        "APP",
        "Build and deploy what was pushed last once more, with the present build settings",
        "sources.rebuild",
        ("wherry ps:rebuild shop", "wherry ps:rebuild shop --no-cache"),
        own_options=(NO_CACHE,),
        aliases=("rebuild",),
        changes=True,
    ),
    Command(
        "plan",
        "APP",
        "Say what a deploy of what was pushed last would build and change; change nothing",
        "sources.plan",
        ("wherry plan shop",),
        "For what is not pushed yet: git push -o plan wherry main.",
        changes=True,
    ),
    Command(
        "git:from-image",
        "APP IMAGE",
        "Deploy an image as it is at its registry now, or on the platform's machine",
        "sources.from_image",
        ("wherry git:from-image shop nginx:1.27", "wherry git:from-image shop ghcr.io/me/shop@sha256:…"),
        "Its CMD is the web process, and $PORT is the port that it EXPOSEs when it is exactly one. A private image takes registry:login.\n"
        "What no registry gives is taken from the machine, when its engine has it by that name; an image id asks for that alone.",
        (FORCE,),
        changes=True,
    ),
    Command(
        "git:load-image",
        "APP IMAGE [ARCHIVE]",
        "Deploy an image out of an archive that docker image save wrote: a file, or standard input",
        "sources.load_image",
        (
            "docker image save shop:v2 | ssh -p 2222 wherry@HOST git:load-image shop shop:v2",
            "wherry git:load-image shop shop:v2 shop.tar.gz",
        ),
        "IMAGE is its name and tag in the archive, which holds no other. Only the app gets it: no other image loses its name to it.",
        (FORCE,),
        changes=True,
    ),
    Command(
        "git:from-archive",
        "APP [ARCHIVE]",
        "Deploy a tar, tar.gz or zip: a file, an address, or standard input",
        "sources.from_archive",
        (
            "wherry git:from-archive shop app.tar.gz",
            "wherry git:from-archive shop https://example.org/app.zip",
            "ssh -p 2222 wherry@HOST git:from-archive shop < app.tar.gz",
        ),
        "A single folder around everything is taken off. ARCHIVE is - or left out for standard input.",
        (FORCE, NO_CACHE),
        changes=True,
    ),
    Command(
        "git:sync",
        "APP URL [REF]",
        "Deploy a branch, a tag or a commit of a git remote",
        "sources.sync",
        ("wherry git:sync shop https://github.com/me/shop.git", "wherry git:sync shop git@github.com:me/shop.git v1.2"),
        "URL is https://, ssh:// or git://, or USER@HOST:PATH. Without REF the remote's own branch. A private one takes git:public-key.",
        (FORCE, NO_CACHE, Option(("--build",), "", "what it does anyway; Dokku's users type it")),
        changes=True,
    ),
    Command(
        "git:public-key",
        "APP",
        "Print the key that lets the platform read a private remote; add it there as a deploy key",
        "sources.public_key",
        ("wherry git:public-key shop",),
        "Each app has its own, made when it is first asked for.",
    ),
)
