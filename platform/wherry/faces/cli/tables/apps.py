"""The commands that `faces/cli/apps.py` answers."""

from wherry.faces.cli.command import Command, Option

TABLE = (
    Command(
        "apps",
        "",
        "List the apps",
        "apps.every",
        ("wherry apps", "wherry apps --label env=prod"),
        own_options=(Option(("-l", "--label"), "LABEL", "only those with this label, or with several: env=prod,team=web"),),
        aliases=("apps:list",),
    ),
    Command(
        "apps:create",
        "NAME",
        "Make an app; the first push to a new name does it too",
        "apps.create",
        ("wherry apps:create shop",),
        'A name is 1-30 characters of a-z, 0-9 and "-", starting with a letter. It becomes a part of the app\'s address.',
        aliases=("create",),
    ),
    Command(
        "apps:info", "APP", "Show an app: its addresses, its release, what runs", "apps.info", ("wherry apps:info shop",), aliases=("info",)
    ),
    Command(
        "apps:destroy",
        "APP",
        "Delete an app with its instances, releases, config vars and volumes",
        "apps.destroy",
        ("wherry apps:destroy shop", "wherry apps:destroy shop --confirm shop"),
        "Nothing brings them back, so it asks for the name once more. Operations stay as history.",
        (Option(("--confirm",), "APP", "the name once more, instead of being asked"),),
        ("destroy", "apps:delete"),
        changes=True,
    ),
    Command(
        "apps:rename",
        "APP NEW",
        "Give an app another name",
        "apps.rename",
        ("wherry apps:rename shop store",),
        "Fresh instances of the new name take over before the old ones end, so no request is lost. The host of the old name becomes a\n"
        "domain of the app, so visitors still find it; git remotes have to be changed. Stop it first when it\n"
        "has a volume of one writer.",
        aliases=("rename",),
        changes=True,
    ),
    Command(
        "apps:clone",
        "APP NEW",
        "Copy an app: image, config vars, limits and settings; it runs at once, without a build",
        "apps.clone",
        ("wherry apps:clone shop shop-test", "wherry apps:clone shop shop-test --no-deploy"),
        "Domains, certificates, volumes and releases are not copied. Config vars are: a database that they name is shared then.",
        (Option(("--skip-deploy", "--no-deploy"), "", "only the settings; nothing runs until a push"),),
        changes=True,
    ),
    Command(
        "apps:lock",
        "APP [WHY…]",
        "Refuse pushes and changes until it is unlocked; reading, logs and run go on",
        "apps.lock",
        ("wherry apps:lock shop", "wherry apps:lock shop moving the database"),
        "Who is refused hears who locked it, since when and why. What is under way is finished. Instances that crash are started again.",
    ),
    Command(
        "apps:unlock",
        "APP",
        "Let an app be changed again; for the person who locked it and for admins",
        "apps.unlock",
        ("wherry apps:unlock shop",),
    ),
    Command(
        "labels",
        "APP",
        "Show the labels of an app",
        "labels.show",
        ("wherry labels shop",),
    ),
    Command(
        "labels:set",
        "APP KEY=VALUE…",
        "Put labels on an app, to find it again: wherry apps --label env=prod",
        "labels.put",
        ("wherry labels:set shop env=prod team=web",),
        'KEY is up to 63 characters of a-z, 0-9 and "._/-", VALUE one line of up to 100 without a comma. An app may have 30.',
    ),
    Command(
        "labels:unset",
        "APP KEY…",
        "Take labels away",
        "labels.unset",
        ("wherry labels:unset shop team",),
        aliases=("labels:remove",),
    ),
    Command(
        "open",
        "APP",
        "Print the address of an app, and open it in a browser where there is one",
        "apps.open_app",
        ("wherry open shop",),
        aliases=("apps:open",),
    ),
)
