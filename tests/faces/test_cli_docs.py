"""The docs and the code say the same: every command, every exit status, every error code."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from cli_support import run
from wherry import errors
from wherry.faces.cli.commands import ALIASES, COMMANDS, NOUNS, Command
from wherry.faces.cli.help import error_rows
from wherry.faces.cli.reference import EXITS, reference
from wherry.version import VERSION

ROOT = Path(__file__).parents[2]
CODE_FORM = r"[A-Z][0-9]{2}|[a-z][a-z_]+"


def test_commands_md_is_what_the_table_of_commands_says() -> None:
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    assert page == reference(), "write it anew: wherry help --markdown > docs/commands.md"


def codes_in(source: str) -> Iterator[str]:
    """Codes that a file can give to an error: `code=…`, `default_code = …`, CODE and CODES, and anything like R10."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg == "code" and not isinstance(node.value, ast.Call):
            yield from (text for text in strings(node.value) if re.fullmatch(CODE_FORM, text))
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = ast.dump(ast.Module([node], [])) if isinstance(node, ast.AnnAssign) else "".join(map(ast.dump, node.targets))
            if re.search(r"id='(default_code|CODE|CODES|FAILED|INVALID)'", targets):
                yield from (text for text in strings(node.value) if re.fullmatch(CODE_FORM, text))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[RH][0-9]{2}", node.value):
            yield node.value


def failures_in(path: Path) -> list[str]:
    """The codes of the builds that a buildpack knows how to explain."""
    return [failure["code"] for failure in tomllib.loads(path.read_text("utf-8")).get("failure", [])]


def strings(node: ast.expr) -> list[str]:
    return [found.value for found in ast.walk(node) if isinstance(found, ast.Constant) and isinstance(found.value, str) and found.value]


def test_every_error_code_in_the_code_is_in_errors_md() -> None:
    documented = {cells[0] for cells in error_rows()}
    used = {
        code: path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "platform" / "wherry").rglob("*.py"))
        for code in codes_in(path.read_text("utf-8"))
    }
    for path in sorted((ROOT / "buildpacks").rglob("*.toml")):
        used |= dict.fromkeys(failures_in(path), path.relative_to(ROOT).as_posix())
    missing = {code: path for code, path in used.items() if code not in documented}
    assert missing == {}, "give each of these a row in docs/errors.md"


def test_every_row_of_errors_md_is_whole_and_there_once() -> None:
    rows = error_rows()
    codes = [cells[0] for cells in rows]
    assert len(codes) == len(set(codes)) > 50
    for cells in rows:
        assert len(cells) == 5, cells
        assert re.fullmatch(CODE_FORM, cells[0])
        assert cells[1].endswith(".")
        assert re.fullmatch(r"[1-5][0-9]{2}|log|-", cells[3])
        assert cells[4] == "-" or int(cells[4]) in EXITS


def test_the_statuses_in_errors_md_are_those_of_the_tree_of_errors() -> None:
    rows = {cells[0]: cells for cells in error_rows()}
    for leaf in (errors.InvalidInput, errors.BadRequest, errors.Unauthenticated, errors.Forbidden, errors.NotFound, errors.Conflict):
        assert rows[leaf.default_code][3:] == [str(leaf.status), str(leaf.exit_status)]
    for leaf in (errors.NothingToDo, errors.Unavailable, errors.WherryError):
        assert rows[leaf.default_code][3:] == [str(leaf.status), str(leaf.exit_status)]


def test_every_code_of_the_api_page_is_in_errors_md() -> None:
    page = (ROOT / "docs" / "api.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if re.match(r"\| [45][0-9]{2} \|", line)]
    codes = {code for row in rows for code in re.findall(r"`([a-z_]+)`", row.split(" | ")[1])}
    assert len(codes) > 20
    assert codes - {cells[0] for cells in error_rows()} == set()


def test_every_code_that_people_of_heroku_know_explains_itself() -> None:
    for code in ("R10", "R12", "R14", "H10", "H12", "H14", "H20", "H80"):
        ran = run(["help", code.lower()], {})
        assert ran.status == 0
        assert ran.out.startswith(f"{code}\n  ")
        assert max(map(len, ran.out.splitlines())) <= 80


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_command_has_a_handler_a_summary_and_an_example_that_parses(command: Command) -> None:
    module, _, function = command.handler.partition(".")
    assert callable(getattr(import_module(f"wherry.faces.cli.{module}"), function))
    assert command.summary[0].isupper()
    assert not command.summary.endswith(".")
    assert command.noun in NOUNS
    assert all(command.name in example or "ssh" in example for example in command.examples)


def test_no_word_means_two_commands() -> None:
    assert not set(ALIASES) & set(COMMANDS)
    assert len(ALIASES) == sum(len(command.aliases) for command in COMMANDS.values())


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_is_its_page_either_way(command: str) -> None:
    asked = run(["help", command], {})
    assert asked.out.startswith(f"usage: wherry {command}")
    assert run([command, "--help"], {}) == asked


def test_help_is_one_screen_with_every_command() -> None:
    ran = run([], {})
    assert run(["help"], {}) == run(["--help"], {}) == run(["-h"], {}) == ran
    lines = ran.out.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    assert set(COMMANDS) - set(named_in(ran.out)) == set()


def named_in(overview: str) -> Iterator[str]:
    """`ps  :scale` names ps and ps:scale."""
    for line in overview.splitlines():
        noun = ""
        for word in line.split():
            noun = noun if word.startswith(":") else word
            yield noun + word if word.startswith(":") else word


def test_the_version_is_the_one_of_the_project() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"] == VERSION
