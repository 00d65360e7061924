"""Where a command line runs: its environment and its three streams; the one reader of both in this face."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import IO

from wherry.own_name import USUAL, in_own_name

DEFAULT_HOME = "/var/lib/wherry"


class Terminal:
    """The environment and the streams of one command. `environ`, `stdin`, `stdout` and `stderr` default to the process's own."""

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        stdin: IO[bytes] | None = None,
        stdout: IO[str] | None = None,
        stderr: IO[str] | None = None,
    ) -> None:
        self.environ = os.environ if environ is None else environ
        self._stdin = stdin
        self.stdout = stdout or _forgiving(sys.stdout)
        self.stderr = stderr or _forgiving(sys.stderr)

    @property
    def home(self) -> str:
        return self.environ.get("WHERRY_HOME") or DEFAULT_HOME

    @property
    def name(self) -> str:
        """What the platform's command is called, as its launcher and its receiver say."""
        return self.environ.get("WHERRY_NAME") or USUAL

    @property
    def interactive(self) -> bool:
        """A person looks at what is printed."""
        return self.stdout.isatty()

    @property
    def stdin(self) -> IO[bytes]:
        if self._stdin is None:
            self._stdin = sys.stdin.buffer if sys.stdin else open(os.devnull, "rb")  # noqa: PTH123, SIM115 - for the rest of the run
        return self._stdin

    @property
    def asked_by_person(self) -> bool:
        """Standard input is a keyboard, so a question about a missing value would wait for ever."""
        return self.stdin.isatty()

    @property
    def width(self) -> int | None:
        """Columns to fit, None in a pipe: there lines stay whole."""
        if not self.interactive:
            return None
        try:
            return max(40, os.get_terminal_size(self.stdout.fileno()).columns or 80)
        except OSError:
            return 80

    @property
    def colour(self) -> bool:
        return self.interactive and not self.environ.get("NO_COLOR") and self.environ.get("TERM") != "dumb"

    def say(self, text: str) -> None:
        """Prints one or more lines at once, so that a follower in a pipe sees each as it comes."""
        self.stdout.write(text + "\n")
        self.stdout.flush()

    def complain(self, text: str, quoted: Sequence[str] = ()) -> None:
        """Prints to standard error, which scripts keep apart from the answer, in the platform's own name, but for what is `quoted`."""
        self.stdout.flush()
        self.stderr.write(in_own_name(text, self.name, quoted) + "\n")
        self.stderr.flush()

    def ask(self, question: str) -> str | None:
        """The line that a person types, without its end; None at the end of input."""
        self.stderr.write(question)
        self.stderr.flush()
        line = self.stdin.readline(4096)
        if not line.endswith(b"\n"):
            self.stderr.write("\n")
        return line.decode("utf-8", "replace").rstrip("\r\n") if line else None

    def find_program(self, name: str) -> str | None:
        """The full path of a program on the PATH, None when there is none."""
        for folder in (self.environ.get("PATH") or "").split(":"):
            path = os.path.join(folder, name)  # noqa: PTH118 - pathlib costs 5 ms at every start
            if folder and os.access(path, os.X_OK):
                return path
        return None


def _forgiving(stream: IO[str] | None) -> IO[str]:
    """A terminal of another alphabet gets escapes instead of an exception; a closed stream is one that nobody reads."""
    if stream is None:
        return open(os.devnull, "w")  # noqa: PTH123 - for the rest of the run
    stream.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]
    return stream
