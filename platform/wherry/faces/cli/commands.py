"""The one table of commands: help, parsing, completion, did-you-mean and docs/commands.md all come from it.

An argument in capitals is a person's word; `[X]` may be left out, `X…` may be given more than once.
"""

from __future__ import annotations

from typing import NamedTuple


class Argument(NamedTuple):
    name: str
    required: bool
    many: bool


class Option(NamedTuple):
    """`names` holds its spellings, the long one last; `value` names what it takes, empty for a switch."""

    names: tuple[str, ...]
    value: str
    summary: str

    @property
    def long(self) -> str:
        return self.names[-1]


class Command(NamedTuple):
    """`takes` is the pattern of its words, `handler` is `file.function` in this folder, `examples` are whole command lines. With `literal`
    its last argument is taken as it is: after its first word nothing is an option of ours."""

    name: str
    takes: str
    summary: str
    handler: str
    examples: tuple[str, ...]
    details: str = ""
    own_options: tuple[Option, ...] = ()
    aliases: tuple[str, ...] = ()
    changes: bool = False
    literal: bool = False

    @property
    def noun(self) -> str:
        return NOUN_OF.get(self.name, self.name.partition(":")[0])

    @property
    def arguments(self) -> list[Argument]:
        return [
            Argument(word.strip("[]").removesuffix("…"), not word.startswith("["), word.strip("[]").endswith("…"))
            for word in self.takes.split()
        ]

    @property
    def options(self) -> list[Option]:
        """Its own options, then those that many commands share."""
        app = [APP] if any(argument.name == "APP" for argument in self.arguments) else []
        return [*self.own_options, *app, *([NO_WAIT] if self.changes else []), JSON, HELP]

    @property
    def usage(self) -> str:
        own = [f"[{option.names[0]}{' ' + option.value if option.value else ''}]" for option in self.own_options]
        return " ".join([self.name, *self.takes.split(), *own])


APP = Option(("-a", "--app"), "APP", "the app, instead of the word APP; may stand anywhere")
JSON = Option(("--json",), "", "print the API's own document")
NO_WAIT = Option(("--no-wait",), "", "print the operation instead of waiting until it is done")
FORCE = Option(("-f", "--force"), "", "deploy also what runs already")
NO_CACHE = Option(("--no-cache",), "", "build every layer anew, also of what runs already")
HELP = Option(("-h", "--help"), "", "show this")
MEMORY = Option(("-m", "--memory"), "SIZE", "memory limit, e.g. 512m or 2g (default: an instance's)")
TIME_LIMIT = Option(("--time-limit",), "TIME", "end it after so long, e.g. 90s, 30m, 24h; up to 7d")
NO_TTY = Option(("--no-tty",), "", "no terminal for the program, also when you have one")

NOUN_OF = {"rollback": "releases", "open": "apps", "enter": "run", "builder:set": "build"}

NOUNS = {
    "apps": "Apps",
    "ps": "Processes",
    "logs": "Processes",
    "run": "One-offs",
    "config": "Config vars",
    "build": "Builds",
    "buildpacks": "Buildpacks",
    "plan": "Builds",
    "git": "Sources",
    "domains": "Domains",
    "certs": "Domains",
    "https": "Apps",
    "allow": "Visitors",
    "auth": "Visitors",
    "maintenance": "Visitors",
    "releases": "Releases",
    "operations": "Releases",
    "users": "People",
    "keys": "People",
    "tokens": "Credentials",
    "registry": "Credentials",
    "help": "Help",
    "version": "Help",
    "completion": "Help",
}
"""The first word of a command's name, and the heading it stands under; in the order people meet them."""

MACHINE = ("setup", "serve", "down", "stack", "migrate", "uninstall")
"""Commands of the machine itself, for root, which `wherry.main` answers; not over SSH and not through the API."""

_TABLE = (
    Command("apps", "", "List the apps", "apps.every", ("wherry apps",), aliases=("apps:list",)),
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
        "Delete an app with its instances, releases and config vars",
        "apps.destroy",
        ("wherry apps:destroy shop", "wherry apps:destroy shop --confirm shop"),
        "Nothing brings them back, so it asks for the name once more. Operations stay as history.",
        (Option(("--confirm",), "APP", "the name once more, instead of being asked"),),
        ("destroy", "apps:delete"),
        changes=True,
    ),
    Command(
        "open",
        "APP",
        "Print the address of an app, and open it in a browser where there is one",
        "apps.open_app",
        ("wherry open shop",),
        aliases=("apps:open",),
    ),
    Command(
        "ps",
        "[APP]",
        "Show the instances of an app, or of all apps",
        "ps.show",
        ("wherry ps shop", "wherry ps"),
        "SINCE is how long an instance is in its state; MEMORY is used / allowed; CPU is percent of one core.",
        aliases=("ps:list",),
    ),
    Command(
        "ps:scale",
        "APP [TYPE=N…]",
        "Run N instances of a process type; without TYPE=N, show how many there are",
        "ps.scale",
        ("wherry ps:scale shop web=3", "wherry ps:scale shop web=2 worker=1", "wherry ps:scale web=2 -a shop"),
        "N is a whole number from 0 to 50. Only the difference is started or stopped.",
        aliases=("scale",),
        changes=True,
    ),
    Command(
        "ps:restart",
        "APP [INSTANCE]",
        "Replace all instances by fresh ones, or those of one process type, or one",
        "ps.restart",
        ("wherry ps:restart shop", "wherry ps:restart shop worker", "wherry ps:restart shop web.1"),
        "A fresh instance takes over before the old one ends, so no request is lost.",
        aliases=("restart",),
        changes=True,
    ),
    Command(
        "ps:stop",
        "APP [INSTANCE]",
        "Stop an app, a process type or one instance until ps:start, over reboots too",
        "ps.stop",
        ("wherry ps:stop shop", "wherry ps:stop shop worker", "wherry ps:stop shop web.2"),
        "Requests in flight are answered first. Visitors of a stopped app get a page that says so.",
        aliases=("stop",),
        changes=True,
    ),
    Command(
        "ps:start",
        "APP [INSTANCE]",
        "Start what was stopped",
        "ps.start",
        ("wherry ps:start shop", "wherry ps:start shop web.2"),
        aliases=("start",),
        changes=True,
    ),
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
    Command(
        "logs",
        "APP",
        "Show the last lines an app printed, and what the platform did to it",
        "logs.show",
        ("wherry logs shop", "wherry logs shop -t", "wherry logs shop -n 20 -p web.1", "wherry logs shop --grep error"),
        own_options=(
            Option(("-t", "--tail"), "", "go on as lines come; Ctrl-C ends it"),
            Option(("-n", "--num"), "N", "how many lines, 1-10000 (default 100)"),
            Option(("-p", "--ps"), "INSTANCE", "of one process type or instance: web, web.1"),
            Option(("-s", "--source"), "SOURCE", "app or wherry"),
            Option(("-g", "--grep"), "TEXT", "only lines that contain TEXT"),
        ),
    ),
    Command(
        "config", "APP", "Show the config vars of an app", "config.show", ("wherry config shop",), aliases=("config:list", "config:show")
    ),
    Command(
        "config:get",
        "APP KEY",
        "Print the value of one config var",
        "config.get",
        ("wherry config:get shop DATABASE_URL",),
    ),
    Command(
        "config:set",
        "APP KEY=VALUE…",
        "Set config vars; all of one command are one release",
        "config.set_vars",
        ("wherry config:set shop GREETING=hello DEBUG=0", "wherry config:set shop TLS_KEY < key.pem"),
        "Values arrive in the app byte for byte. A KEY without = takes its value from standard input, last line end included,\n"
        "which also keeps a secret out of the shell's history. Keys are letters, digits and _. A change restarts the app.",
        changes=True,
    ),
    Command(
        "config:unset",
        "APP KEY…",
        "Remove config vars",
        "config.unset",
        ("wherry config:unset shop DEBUG",),
        aliases=("config:remove",),
        changes=True,
    ),
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
        aliases=("builder-dockerfile:set", "ps:set"),
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
    Command(
        "domains",
        "[APP]",
        "List the domains of an app, or of all apps",
        "domains.show",
        ("wherry domains shop", "wherry domains"),
        aliases=("domains:list", "domains:report"),
    ),
    Command(
        "domains:add",
        "APP DOMAIN…",
        "Serve an app at more domains",
        "domains.add",
        ("wherry domains:add shop shop.example.org www.example.org", "wherry domains:add shop '*.shop.example.org'"),
        "A wildcard stands for one label. A domain belongs to one app. Nothing restarts and no request is lost.\n"
        "Point the domain's A and AAAA records at this machine; docs/domains.md tells the rest.",
    ),
    Command(
        "domains:remove",
        "APP DOMAIN…",
        "Take domains away from an app; its default one too, if you like",
        "domains.remove",
        ("wherry domains:remove shop www.example.org",),
        aliases=("domains:delete",),
    ),
    Command(
        "domains:set",
        "APP DOMAIN…",
        "Serve an app at exactly these domains",
        "domains.set_all",
        ("wherry domains:set shop shop.example.org",),
    ),
    Command(
        "certs",
        "APP",
        "List the certificates of an app, and its domains that have none",
        "certs.show",
        ("wherry certs shop",),
        aliases=("certs:list", "certs:report"),
    ),
    Command("certs:info", "APP NAME", "Show one certificate", "certs.info", ("wherry certs:info shop shop.example.org",)),
    Command(
        "certs:add",
        "APP [CERT] [KEY]",
        "Serve the domains of an app with a certificate of your own",
        "certs.add",
        ("wherry certs:add shop cert.pem key.pem", "cat cert.pem key.pem | ssh -p 2222 wherry@HOST certs:add shop"),
        "Without files it reads certificate, chain and key from standard input: PEM in any order, or a tar of them.\n"
        "Adding the next one for the same domains replaces it; visitors under way notice nothing.",
        aliases=("certs:update",),
    ),
    Command(
        "certs:remove",
        "APP NAME",
        "Remove a certificate",
        "certs.remove",
        ("wherry certs:remove shop shop.example.org",),
        aliases=("certs:delete",),
    ),
    Command(
        "certs:renew",
        "APP NAME",
        "Order a certificate again now, without waiting for the next try",
        "certs.renew",
        ("wherry certs:renew shop shop.example.org",),
    ),
    Command(
        "certs:auto",
        "APP [on|off]",
        "Show or switch whether certificates are ordered for an app",
        "certs.auto",
        ("wherry certs:auto shop", "wherry certs:auto shop off"),
        "They are ordered for public domains once WHERRY_ACME_EMAIL is set (docs/domains.md).",
    ),
    Command(
        "https",
        "APP [auto|on|off]",
        "Show or set whether visitors are sent to HTTPS",
        "fronts.https",
        ("wherry https shop", "wherry https shop on", "wherry https shop --hsts 365"),
        "auto sends them there for domains that have a certificate. With --hsts, browsers stay there for that many days,\n"
        "even when the certificate is gone: begin with few. --hsts 0 ends it.",
        (
            Option(("--hsts",), "DAYS", "0-730: browsers remember to use HTTPS only"),
            Option(("--subdomains",), "YES", "yes or no: HSTS holds for all names below as well"),
        ),
    ),
    Command("allow", "APP", "List the addresses that are let in", "fronts.allowed", ("wherry allow shop",), aliases=("allow:list",)),
    Command(
        "allow:add",
        "APP ADDRESS…",
        "Let in visitors from these addresses or networks only",
        "fronts.allow_add",
        ("wherry allow:add shop 192.0.2.7 198.51.100.0/24 2001:db8::/32",),
        "The first entry closes the app to everybody else. Others get 403.",
    ),
    Command(
        "allow:remove",
        "APP ADDRESS…",
        "Take addresses from the list; without its last entry everybody is let in",
        "fronts.allow_remove",
        ("wherry allow:remove shop 192.0.2.7",),
        aliases=("allow:delete",),
    ),
    Command("auth", "APP", "List the logins that visitors need", "fronts.logins", ("wherry auth shop",), aliases=("auth:list",)),
    Command(
        "auth:add",
        "APP NAME",
        "Ask visitors for a name and a password; the password is made, or read from standard input",
        "fronts.auth_add",
        ("wherry auth:add shop alice", "wherry auth:add shop alice --password < password"),
        "The first login closes the app to everybody else. The app learns the name in the header X-Forwarded-User.",
        (Option(("--password",), "", "read the password from standard input"),),
    ),
    Command(
        "auth:remove",
        "APP NAME",
        "Remove a login; without its last one nobody is asked",
        "fronts.auth_remove",
        ("wherry auth:remove shop alice",),
        aliases=("auth:delete",),
    ),
    Command(
        "maintenance",
        "APP",
        "Show whether visitors get the maintenance page",
        "fronts.maintenance",
        ("wherry maintenance shop",),
    ),
    Command(
        "maintenance:on",
        "APP [PAGE]",
        "Answer visitors with a page instead of the app, which runs on",
        "fronts.maintenance_on",
        ("wherry maintenance:on shop", "wherry maintenance:on shop page.html", "wherry maintenance:on shop - < page.html"),
        "PAGE is HTML of up to 64 KB and is kept for the next time; --plain brings ours back. They get status 503 (H80).",
        (Option(("--plain",), "", "forget the own page"),),
    ),
    Command("maintenance:off", "APP", "Let visitors reach the app again", "fronts.maintenance_off", ("wherry maintenance:off shop",)),
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
        "Deploy an image as it is at its registry now",
        "sources.from_image",
        ("wherry git:from-image shop nginx:1.27", "wherry git:from-image shop ghcr.io/me/shop@sha256:…"),
        "Its CMD is the web process, and $PORT is the port that it EXPOSEs when it is exactly one. A private image takes registry:login.",
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
    Command(
        "releases",
        "APP",
        "List the releases of an app, the newest first",
        "releases.of_app",
        ("wherry releases shop", "wherry releases shop -n 5"),
        own_options=(Option(("-n", "--num"), "N", "how many, 1-500 (default 15)"),),
        aliases=("releases:list",),
    ),
    Command(
        "releases:info",
        "APP [VERSION]",
        "Show one release: its image, commit, processes and config keys",
        "releases.info",
        ("wherry releases:info shop v6",),
    ),
    Command(
        "rollback",
        "APP [VERSION]",
        "Go back to an earlier release, image and config; no build",
        "releases.rollback",
        ("wherry rollback shop", "wherry rollback shop v6"),
        "Without VERSION: to the last live release before the current one. The way back is a new release, so it can be undone too.",
        aliases=("releases:rollback",),
        changes=True,
    ),
    Command(
        "operations",
        "[APP]",
        "List what was asked of the platform and how it went, the newest first",
        "operations.recent",
        ("wherry operations", "wherry operations shop"),
        aliases=("operations:list",),
    ),
    Command("operations:info", "NUMBER", "Show one operation", "operations.info", ("wherry operations:info 41",)),
    Command(
        "operations:log",
        "NUMBER",
        "Print what an operation said, and follow it until it is over",
        "operations.log",
        ("wherry operations:log 41",),
        "Exits with 1 when the operation failed. Ctrl-C stops following, not the operation.",
        aliases=("operations:follow",),
    ),
    Command(
        "operations:cancel",
        "NUMBER",
        "End an operation: a waiting one now, a running one at its next safe point",
        "operations.cancel",
        ("wherry operations:cancel 41",),
        changes=True,
    ),
    Command("keys:list", "", "List the SSH keys that may push", "keys.every", ("wherry keys:list",), aliases=("keys",)),
    Command(
        "keys:add",
        "NAME [FILE]",
        "Let an SSH key push; the key comes from FILE or from standard input",
        "keys.add",
        ("wherry keys:add laptop ~/.ssh/id_ed25519.pub", "ssh -p 2222 wherry@HOST keys:add laptop < ~/.ssh/id_ed25519.pub"),
        own_options=(Option(("-u", "--user"), "USER", "whose key it is (default: yours; others need an admin)"),),
    ),
    Command(
        "keys:remove",
        "NAME",
        "Take a key away, by its name or fingerprint; it stops working at once",
        "keys.remove",
        ("wherry keys:remove laptop",),
        aliases=("keys:delete",),
    ),
    Command("tokens:list", "", "List the API tokens", "tokens.every", ("wherry tokens:list",), aliases=("tokens",)),
    Command(
        "tokens:create",
        "NAME",
        "Make a token for the API; it is shown this once",
        "tokens.create",
        ("wherry tokens:create ci --days 90", "wherry tokens:create dashboard --role read"),
        "From another machine: set WHERRY_API_URL and WHERRY_TOKEN, and this command line works there.",
        (
            Option(("-r", "--role"), "ROLE", "read, deploy or admin (default: your own; never more)"),
            Option(("-d", "--days"), "N", "days until it expires, 1-3650 (default 365)"),
            Option(("-u", "--user"), "USER", "whose token it is (default: yours; others need an admin)"),
        ),
    ),
    Command(
        "tokens:revoke",
        "NAME",
        "Take a token away, by its name or prefix; it stops working at once",
        "tokens.revoke",
        ("wherry tokens:revoke ci",),
        aliases=("tokens:remove", "tokens:delete"),
    ),
    Command("users:list", "", "List the people of this platform", "users.every", ("wherry users:list",), aliases=("users",)),
    Command(
        "users:add",
        "NAME",
        "Add a person; give them a key with keys:add LAPTOP -u NAME",
        "users.add",
        ("wherry users:add alice", "wherry users:add carol --role admin --uid 1000"),
        "read sees everything but secrets; deploy also changes apps; admin also changes users and other people's keys.",
        (
            Option(("-r", "--role"), "ROLE", "read, deploy or admin (default deploy)"),
            Option(("--uid",), "UID", "the account of this machine that may use wherry as this person (see: id -u)"),
        ),
    ),
    Command(
        "users:remove",
        "NAME",
        "Remove a person with their keys and tokens",
        "users.remove",
        ("wherry users:remove alice",),
        aliases=("users:delete",),
    ),
    Command(
        "help",
        "[TOPIC]",
        "Explain a command, a noun, or an error code",
        "help.show",
        ("wherry help", "wherry help ps:scale", "wherry help R10"),
        own_options=(Option(("--markdown",), "", "print docs/commands.md"),),
    ),
    Command(
        "version",
        "",
        "Print the version of this command line and of the platform",
        "help.version",
        ("wherry version",),
        aliases=("--version",),
    ),
    Command(
        "completion",
        "[WORD…]",
        "Print what makes bash complete commands, apps and keys with Tab",
        "completion.show",
        ('eval "$(wherry completion)"', "wherry completion | sudo tee /usr/share/bash-completion/completions/wherry > /dev/null"),
        "With words it answers what may follow them, one per line; that is what the shell asks.",
    ),
)

COMMANDS = {command.name: command for command in _TABLE}

ALIASES = {alias: command.name for command in _TABLE for alias in command.aliases}


def find(command: Command, name: str) -> Option | None:
    """The option of `command` with this spelling."""
    return next((option for option in command.options if name in option.names), None)


def of_noun(noun: str) -> list[Command]:
    return [command for command in _TABLE if command.noun == noun]
