"""What idle processes keep of the code's sentences: none, except those that are told to people."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from wherry import command
from wherry.setup import lean

ROOT = Path(__file__).parents[2]
DESCRIBE = """\
import json, sys
sys.path[:0] = [sys.argv[1]]
from wherry import clock
from wherry.faces.api.app import nouns
from wherry.faces.api.openapi import describe
routes = [route for noun in nouns() for route in noun.all]
print(json.dumps([clock.__doc__, describe(routes), [route.summary for route in routes]]))
"""


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The platform's code as it lies on a server, not compiled yet."""
    folder = tmp_path_factory.mktemp("code") / "platform"
    shutil.copytree(ROOT / "platform", folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_the_api_describes_itself_in_the_same_words_and_the_rest_has_no_docstrings(code: Path) -> None:
    lean.compile_all(code)
    ours, full = _described(code), _described(ROOT / "platform")
    assert ours[1:] == full[1:] and all(ours[2])
    assert ours[0] is None and full[0]


def test_what_is_no_python_of_today_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text('print "old"\n')
    (tmp_path / "bytes.py").write_bytes(b'x = "\xff"\n')
    (tmp_path / "new.py").write_text('"""Says."""\n')
    lean.compile_all(tmp_path)
    assert [path.name.partition(".")[0] for path in (tmp_path / "__pycache__").iterdir()] == ["new"]


def _described(code: Path) -> list[object]:
    ran = command.run([sys.executable, "-I", "-c", DESCRIBE, str(code)], timeout=60)
    found: list[object] = json.loads(ran.out)
    return found
