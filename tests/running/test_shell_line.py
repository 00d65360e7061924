"""A Procfile line reaches the app as its shell would read it, and the shell gives way where it safely can."""

import pytest

from wherry.running.shell_line import shell_argv

LINES = [
    ("uvicorn app:app --port $PORT", "exec uvicorn app:app --port $PORT"),
    ("cd web && python a.py", "cd web && exec python a.py"),
    ("FOO=1 BAR='a b' gunicorn x", "FOO=1 BAR='a b' exec gunicorn x"),
    ("python -c 'a; b'", "exec python -c 'a; b'"),
    ("server > /tmp/x 2>&1", "exec server > /tmp/x 2>&1"),
    ('bash -c "a && b"', 'exec bash -c "a && b"'),
    ("exec foo", "exec foo"),
    ("a | b", "a | b"),
    ("a & b", "a & b"),
    ("(a; b)", "(a; b)"),
    ("if x; then y; fi", "if x; then y; fi"),
    ("a || b", "a || b"),
    ("python -c 'unclosed", "python -c 'unclosed"),
    ("a && cd b", "a && cd b"),
]


@pytest.mark.parametrize(("line", "read"), LINES)
def test_the_shell_gives_way_where_that_is_safe(line: str, read: str) -> None:
    assert shell_argv(line) == ["/bin/sh", "-c", read]


def test_no_command_means_the_images_own() -> None:
    assert shell_argv("") == []
