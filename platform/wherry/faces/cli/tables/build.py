"""The commands that `faces/cli/build.py` answers."""

from wherry.faces.cli.command import Command, Option

TABLE = (
    Command(
        "build",
        "APP",
        "Show how an app is built, where its source alone does not say it",
        "build.show",
        ("wherry build shop",),
        aliases=("build:show", "builder:report"),
    ),
    Command(
        "build:set",
        "APP NAME=VALUE…",
        "Build a sub-folder, with a Dockerfile or Procfile elsewhere, with build args, by a certain builder",
        "build.set_fields",
        (
            "wherry build:set shop dir=apps/web",
            "wherry build:set shop dockerfile=docker/Dockerfile.prod arg.NODE_ENV=production",
            "wherry build:set shop procfile=deploy/Procfile builder=buildpack",
        ),
        "dir: the folder of a monorepo that is the app; nothing outside it is built.\n"
        "dockerfile, procfile: their paths below that folder.\n"
        "arg.NAME: the value of an ARG line of the Dockerfile. It can be read in the image's history, so keep secrets in config vars.\n"
        "builder: dockerfile, buildpack, classic (Heroku's buildpacks) or cnb, where more than one would do.\n"
        "A change holds from the next build on, and makes the next push of the same tree a deploy.",
    ),
    Command(
        "build:unset",
        "APP NAME…",
        "Take build settings back: dir, dockerfile, procfile, builder, arg.NAME, args",
        "build.unset",
        ("wherry build:unset shop dir arg.NODE_ENV",),
    ),
    Command(
        "builder:set",
        "APP VALUE…",
        "Choose what builds an app; without a choice its source decides",
        "build.choose",
        ("wherry builder:set shop dockerfile", "wherry builder:set shop build-dir apps/web", "wherry builder:set shop selected"),
        "In Dokku's words: selected, build-dir, dockerfile-path and procfile-path name a setting; without a value it is taken back.",
        aliases=("builder-dockerfile:set",),
    ),
    Command(
        "buildpacks",
        "APP",
        "List the classic buildpacks of an app, in the order in which they run",
        "build.buildpacks",
        ("wherry buildpacks shop",),
        aliases=("buildpacks:list", "buildpacks:report"),
    ),
    Command(
        "buildpacks:add",
        "APP BUILDPACK",
        "Let one more classic buildpack run, as the last one",
        "build.add_buildpack",
        (
            "wherry buildpacks:add shop heroku/nodejs",
            "wherry buildpacks:add shop https://github.com/heroku/heroku-buildpack-go.git#v1 -i 1",
        ),
        "A BUILDPACK is the https address of a git repository (#REF for a tag or branch) or archive, or a name like heroku/python.",
        (Option(("-i", "--index"), "N", "its place, 1 is the first"),),
    ),
    Command(
        "buildpacks:set",
        "APP BUILDPACK",
        "Let one classic buildpack run instead of all there are, or instead of one",
        "build.set_buildpack",
        ("wherry buildpacks:set shop heroku/python",),
        own_options=(Option(("-i", "--index"), "N", "instead of the one in this place"),),
    ),
    Command(
        "buildpacks:remove",
        "APP BUILDPACK",
        "Take one classic buildpack away",
        "build.remove_buildpack",
        ("wherry buildpacks:remove shop heroku/nodejs",),
    ),
    Command("buildpacks:clear", "APP", "Take all classic buildpacks away", "build.clear_buildpacks", ("wherry buildpacks:clear shop",)),
)
