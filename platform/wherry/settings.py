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

from wherry import failpoint
from wherry.errors import InvalidInput


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise ValueError("a port from 1 to 65535, e.g. 8080")
    return int(text)


def _count(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text):
        raise ValueError("a whole number, e.g. 30")
    return int(text)


def _processors(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,2})?", text):
        raise ValueError("a number of processors, e.g. 1.5")
    return float(text)


def _log_size(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= 1024:
        raise ValueError("MB from 1 to 1024, e.g. 16")
    return int(text)


def _kept(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,3}", text):
        raise ValueError("a whole number from 1 to 9999, e.g. 50")
    return int(text)


def _folder(text: str) -> Path:
    if not text.startswith("/") or "\n" in text or "\0" in text:
        raise ValueError("an absolute path, e.g. /var/lib/wherry")
    return Path(text)


def _domain(text: str) -> str:
    if not re.fullmatch(r"(?=.{1,200}\Z)[0-9a-z]([0-9a-z-]*[0-9a-z])?(\.[0-9a-z]([0-9a-z-]*[0-9a-z])?)*", text):
        raise ValueError("a host name in lower case, e.g. apps.example.org")
    return text


def _word(text: str) -> str:
    if not re.fullmatch(r"[a-z][0-9a-z-]{0,14}", text):
        raise ValueError("1-15 characters of a-z, 0-9 and -, starting with a letter, e.g. wherry")
    return text


def _registry(text: str) -> str:
    if not re.fullmatch(r"([0-9a-z][0-9a-z.-]*(:[0-9]{1,5})?/([0-9a-z._-]+/)*)?", text):
        raise ValueError("a host, a port and a path, ending in a slash, e.g. mirror.example.org:5000/library/")
    return text


def _image(text: str) -> str:
    if not re.fullmatch(r"([0-9a-z][0-9a-zA-Z.:@/_-]{0,250})?", text):
        raise ValueError("the name of an image, e.g. heroku/builder:24")
    return text


def _yes_or_no(text: str) -> str:
    if text not in ("yes", "no"):
        raise ValueError("yes or no")
    return text


def _branch(text: str) -> str:
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._/-]{0,99}", text):
        raise ValueError("a branch name, e.g. main")
    return text


def _email(text: str) -> str:
    if not re.fullmatch(r"([^\s@<>\"]{1,64}@[0-9A-Za-z.-]{3,200})?", text):
        raise ValueError("an address, e.g. me@example.org")
    return text


def _directory(text: str) -> str:
    if not re.fullmatch(r"https://[0-9A-Za-z.\[\]:-]{1,200}/[0-9A-Za-z./_~-]{0,200}", text):
        raise ValueError("the URL of an ACME directory, e.g. https://acme.example.org/directory")
    return text


def _challenge(text: str) -> str:
    if text not in ("http", "dns"):
        raise ValueError("http or dns")
    return text


def _file(text: str) -> str:
    if not re.fullmatch(r"(/[^\n\0]{1,300})?", text):
        raise ValueError("the absolute path of a file, e.g. /usr/local/bin/dns-hook")
    return text


def _failpoints(text: str) -> str:
    failpoint.parse(text)
    return text


@dataclass(frozen=True)
class Setting:
    """One knob: `key` is its environment variable, `prose` the sentence that the reference page prints."""

    key: str
    default: str
    parse: Callable[[str], object]
    prose: str


DECLARED: tuple[Setting, ...] = (
    Setting("WHERRY_HOME", "/var/lib/wherry", _folder, "The state folder: database, repositories, logs, certificates."),
    Setting(
        "WHERRY_NAME",
        "wherry",
        _word,
        "This platform's name: its systemd unit, and the prefix of its containers and networks. "
        "Two platforms on one machine need two names.",
    ),
    Setting("WHERRY_HTTP_PORT", "80", _port, "Where visitors reach the apps over HTTP."),
    Setting("WHERRY_HTTPS_PORT", "443", _port, "Where visitors reach the apps over HTTPS."),
    Setting("WHERRY_SSH_PORT", "2222", _port, "Where `git push` and `ssh wherry@host <command>` arrive."),
    Setting("WHERRY_API_PORT", "8420", _port, "The control API, on loopback only."),
    Setting("WHERRY_DOMAIN", "localhost", _domain, "Apps are served at `<app>.<domain>`."),
    Setting("WHERRY_BRANCH", "main", _branch, "The branch whose push deploys; `main` also accepts `master`."),
    Setting(
        "WHERRY_BOOT_TIMEOUT", "60", _count, "Seconds an instance may take until it listens on $PORT and passes its startup checks (R10)."
    ),
    Setting("WHERRY_STOP_TIMEOUT", "30", _count, "Seconds between SIGTERM and SIGKILL (R12)."),
    Setting("WHERRY_DRAIN_TIMEOUT", "60", _count, "Seconds that requests in flight may take on an instance that leaves."),
    Setting(
        "WHERRY_HOLD_TIMEOUT",
        "30",
        _count,
        "Seconds that a request waits at most while its app, which may not run twice, is stopped and started (then 503). 0 holds none.",
    ),
    Setting(
        "WHERRY_RELEASES",
        "50",
        _kept,
        "How many releases of each app are kept, each with its image, so that it can be rolled back to. Older ones go once an hour; "
        "what runs and what `wherry rollback` would go back to always stay.",
    ),
    Setting(
        "WHERRY_BAKE",
        "60",
        _count,
        "Seconds that a new release is watched: a bad one goes back to the one before by itself. 0 for not at all.",
    ),
    Setting("WHERRY_BUILD_TIMEOUT", "1200", _count, "Seconds a build may take."),
    Setting(
        "WHERRY_BUILD_CACHE",
        "3072",
        _count,
        "MB of build cache that the hourly clean-up leaves. The cache is the Docker engine's own and has no owner: 0 leaves it alone.",
    ),
    Setting(
        "WHERRY_BUILDS",
        "0",
        _count,
        "How many builds run at the same time; the others wait in turn. 0: one for every two processors and 4 GB of memory, at least one.",
    ),
    Setting("WHERRY_BUILD_MEMORY", "0", _count, "MB of memory that all builds may take together. 0: half of the machine's, at least 256."),
    Setting(
        "WHERRY_BUILD_NEEDS",
        "0",
        _count,
        "MB of memory, swap included, that must be free before a build starts; until then it waits. "
        "0: an eighth of the machine's, at most 512.",
    ),
    Setting(
        "WHERRY_BUILD_CPU",
        "0",
        _processors,
        "Processors that all builds may take together. 0: all of them, as long as no app wants them.",
    ),
    Setting("WHERRY_BUILD_PIDS", "1024", _count, "Processes and threads that all builds may have together."),
    Setting("WHERRY_BUILD_DISK", "10240", _count, "MB by which the disk of Docker's images may fill while one build runs."),
    Setting(
        "WHERRY_DISK_BUDGET",
        "0",
        _count,
        "MB that the images of all apps may take together. Above it the oldest go, never one that runs or that `wherry rollback` "
        "would go back to. 0: half of the disk.",
    ),
    Setting(
        "WHERRY_DISK_RESERVE",
        "0",
        _count,
        "MB that pushes, builds and one-off commands leave free on the disk, for databases and logs. "
        "0: a twentieth of the disk, 256 to 2048.",
    ),
    Setting("WHERRY_LOG_SIZE", "16", _log_size, "MB on disk that the log of one app may take. The oldest lines go first."),
    Setting("WHERRY_INSTANCE_MEMORY", "256", _count, "Memory limit of one instance in MB."),
    Setting("WHERRY_MAX_PUSH", "512", _count, "The largest push that is accepted, in MB."),
    Setting(
        "WHERRY_REGISTRY",
        "",
        _registry,
        "Where official images come from: empty for Docker Hub, or the prefix of a mirror of it, ending in a slash.",
    ),
    Setting(
        "WHERRY_CNB_BUILDER",
        "",
        _image,
        "The builder image for apps that ask for Cloud Native Buildpacks and name none, e.g. heroku/builder:24. Empty: there is none.",
    ),
    Setting(
        "WHERRY_FETCH_INTERNAL",
        "no",
        _yes_or_no,
        "Whether archives, git remotes and submodules may also be fetched from private and local addresses.",
    ),
    Setting("WHERRY_DRAIN_INTERNAL", "no", _yes_or_no, "Whether log drains may also send to private and local addresses."),
    Setting(
        "WHERRY_ACME_EMAIL",
        "",
        _email,
        "Your address for the certificate authority. Giving it accepts the authority's terms, and turns on certificates for all "
        "public domains of the apps.",
    ),
    Setting(
        "WHERRY_ACME_DIRECTORY",
        "https://acme-v02.api.letsencrypt.org/directory",
        _directory,
        "The certificate authority, by the URL of its ACME directory.",
    ),
    Setting("WHERRY_ACME_CA", "", _file, "Certificates, in PEM, that the authority's own HTTPS is trusted by; empty for the machine's."),
    Setting(
        "WHERRY_ACME_CHALLENGE",
        "http",
        _challenge,
        "How domains are proven: over HTTP on port 80, or `dns` for all by the DNS hook. Wildcards always take the hook.",
    ),
    Setting("WHERRY_ACME_DNS_HOOK", "", _file, "A program that writes and removes DNS records for proofs."),
    Setting("WHERRY_USER", "wherry", _word, "The unprivileged system user of the receiver; it owns the git repositories."),
    Setting("WHERRY_API_USER", "wherry-api", _word, "The unprivileged system user of the control API."),
    Setting(
        "WHERRY_FAILPOINTS",
        "",
        _failpoints,
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
    build_pids: int = 1024
    build_disk: int = 10240
    disk_budget: int = 0
    disk_reserve: int = 0
    bake: int = 0
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
