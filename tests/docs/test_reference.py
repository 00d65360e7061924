"""What the pages say and what the code does are the same: settings, limits, commands, codes, paths and links."""

import re
import runpy
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from wherry import main
from wherry.building import archive
from wherry.building.buildpack import load_all
from wherry.errors import InvalidInput
from wherry.faces.api import followers
from wherry.faces.cli.commands import ALIASES, COMMANDS
from wherry.faces.cli.help import error_rows
from wherry.faces.cli.parse import parse
from wherry.model import config_var, front, log_line, process
from wherry.model import limits as limits_model
from wherry.receiving import limits
from wherry.reconciler import deploy, execute
from wherry.settings import DECLARED
from wherry.store import app_logs
from wherry.version import VERSION

ROOT = Path(__file__).parents[2]
CONFIGURE = ROOT / "docs" / "configure.md"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("buildpacks/*/README.md"))]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())

FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?<![\w/@-])(?:wherry|ssh -p \d+ wherry@\S+) ((?:[a-z]+:)?[a-z]+)(?![\w./:-])([^`\n]*)")
NOT_COMMANDS = ("git ", "docker ")
"""How code begins in which `wherry` is a remote, a folder or a service."""
OWN_VERBS = re.findall(r"^wherry (\S+)", main.USAGE, re.MULTILINE)
OTHER_VARIABLES = {
    "WHERRY_SWAP",
    "WHERRY_PLATFORM_BASE",
    "WHERRY_API_URL",
    "WHERRY_TOKEN",
    "WHERRY_APP",
    "WHERRY_RELEASE",
    "WHERRY_INSTANCE",
    "WHERRY_COMMIT",
}
"""Words that set-up, the command line and apps know, and that are no settings of the platform."""
PATH = re.compile(r"(?<![\w./$-])(?:platform|buildpacks|hooks|tests|scripts|sample_app|docs|bench)/[\w.-]+(?:/[\w.-]+)*")


def code_in(text: str) -> Iterator[str]:
    """The lines of code of a page: of fences, indented ones, and spans."""
    for fenced in FENCED.findall(text):
        yield from fenced.splitlines()
    rest = FENCED.sub("", text)
    yield from (line.strip() for line in rest.splitlines() if line.startswith("    "))
    yield from re.findall(r"`([^`\n]+)`", rest)


def commands_in(text: str) -> list[tuple[str, str]]:
    """(verb, what follows) of each `wherry …` and `ssh … wherry@HOST …` in the page's code."""
    lines = [line for line in code_in(text) if not line.startswith(NOT_COMMANDS)]
    return [(match[1], match[2]) for line in lines for match in COMMAND.finditer(line)]


def anchors(text: str) -> set[str]:
    """The names by which headings are linked to: lower case, spaces as dashes, without other signs."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_table_of_settings_is_what_the_declarations_say() -> None:
    page = CONFIGURE.read_text("utf-8")
    assert all(f"| `{setting.key}` |" in page and setting.prose in page for setting in DECLARED)
    assert runpy.run_path(str(ROOT / "scripts" / "docs"))["written"](page) == page, "write it anew: scripts/docs"


@every_page
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"WHERRY_[A-Z_]*[A-Z]", page.read_text("utf-8")))
    assert named - {setting.key for setting in DECLARED} - OTHER_VARIABLES == set()


@pytest.mark.parametrize(
    ("what", "amount"),
    [
        ("instances of one process type", f"0 to {process.MAX_QUANTITY}"),
        ("processes and threads in one instance", f"{limits_model.USUAL_PIDS} unless its size says otherwise"),
        (
            "config vars of one app",
            f"{config_var.MAX_KEYS}, each value up to {config_var.MAX_VALUE // 1024} KiB, {config_var.MAX_ALL // 1024**2} MiB in all",
        ),
        ("domains of one app", f"{front.MAX_DOMAINS}"),
        ("addresses on one allow-list", f"{front.MAX_ALLOW}; logins of one app: {front.MAX_USERS}"),
        ("a maintenance page", f"{front.MAX_PAGE // 1024} KB"),
        ("log of one app on disk", f"{app_logs.DEFAULT_CAP // 2**20} MB;"),
        ("one log line", f"{log_line.MAX_LINE // 1024} KB,"),
        ("release command", f"{deploy.RELEASE_TIMEOUT} s"),
        ("instances that boot at the same time", f"{execute.AT_ONCE}"),
        ("files in one push", f"{archive.MAX_FILES:,}"),
        ("SSH connections", f"{limits.MOST_CONNECTIONS} in all, {limits.MOST_PER_ADDRESS} from one address, {limits.GRACE:g} s"),
        ("log followers", f"{followers.PLACES}"),
    ],
)
def test_the_fixed_limits_in_configure_md_are_those_of_the_code(what: str, amount: str) -> None:
    (row,) = [line for line in CONFIGURE.read_text("utf-8").splitlines() if line.startswith(f"| {what}")]
    assert f"| {amount}" in row


def test_every_buildpack_has_a_readme_with_the_files_that_it_looks_for() -> None:
    packs = load_all(ROOT / "buildpacks")
    assert packs
    for pack in packs:
        looked_for = [plan.lock or plan.files[0] for plan in pack.plans] + [rule.file for rule in pack.versions]
        readme = (pack.folder / "README.md").read_text("utf-8")
        assert [name for name in looked_for if f"`{name}`" not in readme] == [], pack.name


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(((?!https?://)[^)\s]+)\)", page.read_text("utf-8")):
        name, _, anchor = target.partition("#")
        path = page.parent / name if name else page
        if not path.exists() or (anchor and anchor not in anchors(path.read_text("utf-8"))):
            broken.append(target)
    assert broken == []


@every_page
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    named = {verb for verb, _ in commands_in(page.read_text("utf-8"))}
    assert named - {*COMMANDS, *ALIASES, *OWN_VERBS} == set()


@every_page
def test_every_command_line_that_a_page_shows_is_one_that_the_parser_takes(page: Path) -> None:
    for verb, rest in commands_in(page.read_text("utf-8")):
        words = re.split(r" [<>|#&] ?|…|\)|  ", rest, maxsplit=1)[0].strip(" .,:;")
        words = words.strip("'\"") if words.count("'") % 2 or words.count('"') % 2 else words
        if words and verb not in OWN_VERBS:
            assert refusal([verb, *shlex.split(words)]) == "", f"wherry {verb} {words}"


def refusal(words: list[str]) -> str:
    """What the command line has against these words; empty when nothing."""
    try:
        parse(words)
    except InvalidInput as error:
        return str(error)
    return ""


def test_the_readme_shows_the_commands_of_the_first_five_minutes() -> None:
    named = {verb for verb, _ in commands_in((ROOT / "README.md").read_text("utf-8"))}
    assert {"ps:scale", "logs", "config:set", "rollback", "uninstall"} <= named


@every_page
def test_every_code_like_r10_that_a_page_names_is_explained(page: Path) -> None:
    assert set(re.findall(r"\b[RHL][0-9]{2}\b", page.read_text("utf-8"))) - {cells[0] for cells in error_rows()} == set()


@every_page
def test_every_path_of_the_house_that_a_page_names_is_there(page: Path) -> None:
    named = {found for line in code_in(page.read_text("utf-8")) for found in PATH.findall(line)}
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_the_changelog_begins_with_this_version() -> None:
    first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert first and first[1] == VERSION
