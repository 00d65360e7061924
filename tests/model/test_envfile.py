"""Envfiles: what is written is read byte for byte, by us and by a shell; what can not be read is refused with its line."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wherry.errors import InvalidInput
from wherry.model.envfile import read, write

VALUES = [
    "",
    " ",
    "a b",
    "a'b\"c",
    "two\nlines\n",
    "emoji 🛶",
    "back\\",
    "back\\n",
    "$HOME `id` $(id)",
    "a=b",
    "# no comment",
    "\r\n",
    "\t",
    "'\\''",
]
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True), TEXT))
def test_what_is_written_is_read_byte_for_byte(config: dict[str, str]) -> None:
    assert read(write(config)) == config
    assert read(write(config, "export ")) == config


@pytest.mark.parametrize("value", VALUES)
def test_a_shell_reads_it_likewise(value: str) -> None:
    script = write({"A": value}, "export ") + 'printf "%s" "$A"'
    assert subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True).stdout.decode() == value


@settings(max_examples=20, deadline=None)
@given(TEXT.filter(lambda text: text.isascii()))
def test_a_shell_reads_any_ascii_likewise(value: str) -> None:
    script = write({"A": value}, "export ") + 'printf "%s" "$A"'
    assert subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True).stdout == value.encode()


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("A=1\nB=two words\n", {"A": "1", "B": "two words"}),
        ("\ufeffA=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("# top\n\n  export A=1   # why\n", {"A": "1"}),
        ("A=a#b\nB=#c\nC=", {"A": "a#b", "B": "", "C": ""}),
        ("A = spaced \n", {"A": "spaced"}),
        ("A='x'\\''y'", {"A": "x'y"}),
        ('A="x\\ty\\n\\$HOME\\q"  # said\n', {"A": "x\ty\n$HOME\\q"}),
        ("A=C:\\new\\path", {"A": "C:\\new\\path"}),
        ("KEY='-----BEGIN\nabc\n-----END'\nB=1", {"KEY": "-----BEGIN\nabc\n-----END", "B": "1"}),
        ("", {}),
    ],
)
def test_what_people_write_is_understood(text: str, means: dict[str, str]) -> None:
    assert read(text) == means


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("A=1\nnonsense\n", "line 2: expected KEY=value"),
        ("A=1\nB='open\nC=1\n", "line 2: a quote is opened and not closed"),
        ("A='x' y\n", 'line 1: "A" has text after its closing quote'),
        ("A=1\nA=2\n", '"A" is there twice'),
        ("=1\n", "line 1: expected KEY=value"),
    ],
)
def test_what_can_not_be_read_is_refused_with_its_line(text: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        read(text)
