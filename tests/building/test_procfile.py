"""What a Procfile says, and what a person reads when it says nothing that can be run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import building_support as support
from wherry.building import procfile
from wherry.errors import DeployFailed


@pytest.mark.parametrize("case", support.cases("procfile"), ids=lambda case: str(case["name"]))
def test_a_bad_procfile_is_answered_with_its_line_and_the_allowed_form(case: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        procfile.parse(support.tree(tmp_path, {"Procfile": support.content(case)}).text("Procfile") or "")
    assert refused.value.message == case["message"]
    assert refused.value.hint


def test_processes_keep_the_order_and_the_text_of_the_file() -> None:
    found = procfile.parse(
        "# what runs\nrelease: python m.py migrate\n\nweb:gunicorn a:b -b 0.0.0.0:$PORT  \nmy-job_2 :\tsh -c 'a: b # c'\n"
    )
    assert list(found.items()) == [
        ("release", "python m.py migrate"),
        ("web", "gunicorn a:b -b 0.0.0.0:$PORT"),
        ("my-job_2", "sh -c 'a: b # c'"),
    ]


def test_a_file_from_windows_reads_the_same(tmp_path: Path) -> None:
    pushed = support.tree(tmp_path, {"Procfile": b"\xef\xbb\xbfweb: a\r\nworker: b\r\n"})
    assert procfile.parse(pushed.text("Procfile") or "") == {"web": "a", "worker": "b"}


def test_a_command_that_is_longer_than_a_script_is_refused() -> None:
    with pytest.raises(DeployFailed, match="Procfile line 1: the command of web has 9,000 characters"):
        procfile.parse("web: " + "x" * 9000)


def test_the_name_of_one_offs_is_not_for_a_process() -> None:
    with pytest.raises(DeployFailed, match='Procfile line 2: "run" is what one-off commands are called'):
        procfile.parse("web: a\nrun: b\n")
