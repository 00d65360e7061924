"""Every setting of the platform, declared once: name, default, allowed form and prose.

Values come from the environment first, then from `$WHERRY_HOME/settings.env`, then from the default.
`docs/configure.md` is generated from these declarations; a test holds the two together.
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from wherry import setting_forms as form
from wherry.errors import InvalidInput

SSH_USER = "wherry"
"""Whom everybody logs in as, on every platform."""


@dataclass(frozen=True)
class Setting:
    """One knob: `key` is its environment variable, `prose` the sentence that the reference page prints."""

    key: str
    default: str
    parse: Callable[[str], object]
    prose: str


DECLARED: tuple[Setting, ...] = (
    Setting("WHERRY_HOME", "/var/lib/wherry", form.folder, "The state folder: database, repositories, logs, certificates."),
    Setting(
        "WHERRY_NAME",
        "wherry",
        form.word,
        "This platform's name: its systemd unit, and the prefix of its containers and networks. "
        "Two platforms on one machine need two names.",
    ),
    Setting("WHERRY_HTTP_PORT", "80", form.port, "Where visitors reach the apps over HTTP."),
    Setting("WHERRY_HTTPS_PORT", "443", form.port, "Where visitors reach the apps over HTTPS."),
    Setting("WHERRY_SSH_PORT", "2222", form.port, "Where `git push` and `ssh wherry@host <command>` arrive."),
    Setting("WHERRY_API_PORT", "8420", form.port, "The control API, on loopback only."),
    Setting("WHERRY_DOMAIN", "localhost", form.domain, "Apps are served at `<app>.<domain>`."),
    Setting("WHERRY_BRANCH", "main", form.branch, "The branch whose push deploys; `main` also accepts `master`."),
    Setting(
        "WHERRY_BOOT_TIMEOUT",
        "60",
        form.count,
        "Seconds an instance may take until it listens on $PORT and passes its startup checks (R10).",
    ),
    Setting("WHERRY_STOP_TIMEOUT", "30", form.count, "Seconds between SIGTERM and SIGKILL (R12)."),
    Setting("WHERRY_DRAIN_TIMEOUT", "60", form.count, "Seconds that requests in flight may take on an instance that leaves."),
    Setting(
        "WHERRY_HOLD_TIMEOUT",
        "30",
        form.count,
        "Seconds that a request waits at most while its app, which may not run twice, is stopped and started (then 503). 0 holds none.",
    ),
    Setting(
        "WHERRY_RELEASES",
        "50",
        form.kept,
        "How many releases of each app are kept, each with its image, so that it can be rolled back to. Older ones go once an hour; "
        "what runs and what `wherry rollback` would go back to always stay.",
    ),
    Setting(
        "WHERRY_BAKE",
        "60",
        form.count,
        "Seconds that a new release is watched: a bad one goes back to the one before by itself. 0 for not at all.",
    ),
    Setting("WHERRY_BUILD_TIMEOUT", "1200", form.count, "Seconds a build may take."),
    Setting(
        "WHERRY_BUILD_CACHE",
        "3072",
        form.count,
        "MB of build cache that the hourly clean-up leaves. The cache is the Docker engine's own and has no owner: 0 leaves it alone.",
    ),
    Setting(
        "WHERRY_BUILDS",
        "0",
        form.count,
        "How many builds run at the same time; the others wait in turn. 0: one for every two processors and 4 GB of memory, at least one.",
    ),
    Setting(
        "WHERRY_BUILD_MEMORY",
        "0",
        form.count,
        "MB of memory that all builds may take together. 0: half of the machine's, at least 256.",
    ),
    Setting(
        "WHERRY_BUILD_NEEDS",
        "0",
        form.count,
        "MB of memory, swap included, that must be free before a build starts; until then it waits. "
        "0: an eighth of the machine's, at most 512.",
    ),
    Setting(
        "WHERRY_BUILD_CPU",
        "0",
        form.processors,
        "Processors that all builds may take together. 0: all of them, as long as no app wants them.",
    ),
    Setting(
        "WHERRY_BUILD_PIDS",
        "0",
        form.count,
        "Processes and threads that all builds may have together. 0: 256, and 128 more for each processor.",
    ),
    Setting("WHERRY_BUILD_DISK", "10240", form.count, "MB by which the disk of Docker's images may fill while one build runs."),
    Setting(
        "WHERRY_DISK_BUDGET",
        "0",
        form.count,
        "MB that the images of all apps may take together. Above it the oldest go, never one that runs or that `wherry rollback` "
        "would go back to. 0: half of the disk.",
    ),
    Setting(
        "WHERRY_DISK_RESERVE",
        "0",
        form.count,
        "MB that pushes, builds and one-off commands leave free on the disk, for databases and logs. "
        "0: a twentieth of the disk, 256 to 2048.",
    ),
    Setting("WHERRY_SWEEP_EVERY", "3600", form.kept, "Seconds from one clean-up of what nobody needs any more to the next."),
    Setting("WHERRY_LOG_SIZE", "16", form.log_size, "MB on disk that the log of one app may take. The oldest lines go first."),
    Setting(
        "WHERRY_LOG_RATE",
        "0",
        form.count,
        "Lines a second that an instance may print, and thousands of bytes; one that prints more gets less of the processor, so that "
        "others keep theirs. 0: 1250 for each processor.",
    ),
    Setting("WHERRY_INSTANCE_MEMORY", "256", form.count, "Memory limit of one instance in MB."),
    Setting("WHERRY_MAX_PUSH", "512", form.count, "The largest push that is accepted, in MB."),
    Setting(
        "WHERRY_REGISTRY",
        "",
        form.registry,
        "Where official images come from: empty for Docker Hub, or the prefix of a mirror of it, ending in a slash.",
    ),
    Setting(
        "WHERRY_CNB_BUILDER",
        "",
        form.image,
        "The builder image for apps that ask for Cloud Native Buildpacks and name none, e.g. heroku/builder:24. Empty: there is none.",
    ),
    Setting(
        "WHERRY_FETCH_INTERNAL",
        "no",
        form.yes_or_no,
        "Whether archives, git remotes and submodules may also be fetched from private and local addresses.",
    ),
    Setting("WHERRY_DRAIN_INTERNAL", "no", form.yes_or_no, "Whether log drains may also send to private and local addresses."),
    Setting(
        "WHERRY_ACME_EMAIL",
        "",
        form.email,
        "Your address for the certificate authority. Giving it accepts the authority's terms, and turns on certificates for all "
        "public domains of the apps.",
    ),
    Setting(
        "WHERRY_ACME_DIRECTORY",
        "https://acme-v02.api.letsencrypt.org/directory",
        form.directory,
        "The certificate authority, by the URL of its ACME directory.",
    ),
    Setting(
        "WHERRY_ACME_CA",
        "",
        form.file,
        "Certificates, in PEM, that the authority's own HTTPS is trusted by; empty for the machine's.",
    ),
    Setting(
        "WHERRY_ACME_CHALLENGE",
        "http",
        form.challenge,
        "How domains are proven: over HTTP on port 80, or `dns` for all by the DNS hook. Wildcards always take the hook.",
    ),
    Setting("WHERRY_ACME_DNS_HOOK", "", form.file, "A program that writes and removes DNS records for proofs."),
    Setting("WHERRY_USER", "wherry", form.word, "The unprivileged system user of the receiver; it owns the git repositories."),
    Setting("WHERRY_API_USER", "wherry-api", form.word, "The unprivileged system user of the control API."),
    Setting(
        "WHERRY_FAILPOINTS",
        "",
        form.failpoints,
        "For tests of the platform itself: what goes wrong at which stage of an operation, e.g. `create=kill`. Leave it empty.",
    ),
)


@dataclass(frozen=True)
class Settings:
    """The values in force. Folders are derived from `home`; nothing here touches the disk."""

    home: Path
    name: str
    http_port: int
    https_port: int
    ssh_port: int
    api_port: int
    domain: str
    branch: str
    boot_timeout: int
    stop_timeout: int
    drain_timeout: int
    hold_timeout: int
    releases: int
    build_timeout: int
    build_cache: int
    builds: int
    instance_memory: int
    max_push: int
    user: str
    api_user: str
    build_memory: int = 0
    build_needs: int = 0
    build_cpu: float = 0.0
    build_pids: int = 0
    build_disk: int = 10240
    disk_budget: int = 0
    disk_reserve: int = 0
    bake: int = 0
    sweep_every: int = 3600
    registry: str = ""
    cnb_builder: str = ""
    acme_email: str = ""
    acme_directory: str = ""
    acme_ca: str = ""
    acme_challenge: str = "http"
    acme_dns_hook: str = ""
    fetch_internal: str = "no"
    failpoints: str = ""
    log_size: int = 16
    log_rate: int = 0
    drain_internal: str = "no"

    @property
    def database(self) -> Path:
        return self.home / "state" / "wherry.db"

    @property
    def repositories(self) -> Path:
        return self.home / "repositories"

    @property
    def spool(self) -> Path:
        """Archives of pushed commits on their way from the hook to the engine."""
        return self.home / "spool"

    @property
    def registry_logins(self) -> Path:
        """The passwords for registries: root's alone."""
        return self.home / "registry-logins.json"

    @property
    def operation_logs(self) -> Path:
        return self.home / "logs" / "operations"

    @property
    def app_logs(self) -> Path:
        return self.home / "logs" / "apps"

    @property
    def drain_positions(self) -> Path:
        """How far each log drain has come, a file each."""
        return self.home / "state" / "drain-positions"

    @property
    def run(self) -> Path:
        """Sockets and pid files."""
        return self.home / "run"

    @property
    def api_socket(self) -> Path:
        return self.run / "api.sock"

    @property
    def engine_socket(self) -> Path:
        """Datagrams here wake the engine; what they say is only a hint."""
        return self.run / "engine.sock"

    @property
    def struck(self) -> Path:
        """Where it exists, each failpoint strikes once and leaves a file here."""
        return self.home / "run" / "failpoints"

    @property
    def attach_socket(self) -> Path:
        """Where `run` and `enter` meet their program; a ticket lets one in, once."""
        return self.run / "attach.sock"

    @property
    def hook_socket(self) -> Path:
        """Where the git hook of a push finds a process that has its code loaded."""
        return self.run / "hook.sock"

    @property
    def engine_ready(self) -> Path:
        """The engine creates this file when the proxy's configuration is written; then the proxy may start."""
        return self.run / "engine.ready"

    @property
    def platform_log(self) -> Path:
        """What the platform's own processes say, where there is no journal."""
        return self.home / "logs" / "platform.log"

    @property
    def proxy(self) -> Path:
        """HAProxy's configuration, maps, pages and certificates."""
        return self.home / "proxy"

    @property
    def acme(self) -> Path:
        """The account at the certificate authority: root's alone."""
        return self.home / "acme"

    @property
    def ssh(self) -> Path:
        return self.home / "ssh"

    def host_of(self, app: str) -> str:
        return f"{app}.{self.domain}"

    def git_url_of(self, app: str) -> str:
        """Where git pushes the app to. The name before the @ is the same on every platform."""
        return f"ssh://{SSH_USER}@{self.domain}:{self.ssh_port}/{app}"

    def url_of(self, app: str) -> str:
        port = "" if self.http_port == 80 else f":{self.http_port}"
        return f"http://{self.host_of(app)}{port}"


def as_environment(settings: Settings) -> dict[str, str]:
    """The variables from which another process of ours loads the very same settings."""
    return {setting.key: str(getattr(settings, setting.key.removeprefix("WHERRY_").lower())) for setting in DECLARED}


def source_root() -> Path:
    """The folder that holds `platform/`, `buildpacks/` and `hooks/` of the running code."""
    return Path(__file__).resolve().parents[2]


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Reads the settings. Raises InvalidInput naming the setting, its source, the allowed form and an example."""
    environ = os.environ if environ is None else environ
    home = Path(environ.get("WHERRY_HOME") or "/var/lib/wherry")
    in_file = read_file(home / "settings.env")
    values = {}
    for setting in DECLARED:
        text = environ.get(setting.key) or in_file.get(setting.key) or setting.default
        source = "the environment" if environ.get(setting.key) else str(home / "settings.env")
        values[setting.key.removeprefix("WHERRY_").lower()] = _parsed(setting, text, source)
    return Settings(**values)  # type: ignore[arg-type]


def given(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The settings that the environment gives, as text: what a person asked for in this very call."""
    environ = os.environ if environ is None else environ
    return {setting.key: environ[setting.key] for setting in DECLARED if environ.get(setting.key)}


def invoker(environ: Mapping[str, str] | None = None) -> str:
    """The account of the person who typed the command, also behind sudo."""
    environ = os.environ if environ is None else environ
    return environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name


NETWORK = re.compile(r"(?i)((https?|no|all|ftp)_proxy|pip_[a-z_]+|ssl_cert_(file|dir)|requests_ca_bundle|curl_ca_bundle)")


def network(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """What the environment says about reaching the network: proxies and certificates, for programs that download."""
    environ = os.environ if environ is None else environ
    return {key: value for key, value in environ.items() if NETWORK.fullmatch(key)}


def read_file(path: Path) -> dict[str, str]:
    """Reads `KEY=value` lines; blank lines and lines that start with # are passed over. A missing file is empty."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {key.strip(): value.strip() for key, value in pairs}


def _parsed(setting: Setting, text: str, source: str) -> object:
    try:
        return setting.parse(text)
    except ValueError as error:
        raise InvalidInput(f"{setting.key}={text!r} in {source}: give {error}", field=setting.key) from error
