"""What every command has at hand: the terminal, the words it was given, and the API."""

from __future__ import annotations

from typing import Any

from wherry.faces.cli.client import Client, segment
from wherry.faces.cli.parse import Given
from wherry.faces.cli.render import as_json, fitted, table
from wherry.faces.cli.terminal import Terminal
from wherry.own_name import in_own_name


class Session:
    """One command on its way. The API is only spoken to when a handler asks for it."""

    def __init__(self, terminal: Terminal, given: Given) -> None:
        self.terminal = terminal
        self.given = given
        self._client: Client | None = None

    @property
    def api(self) -> Client:
        if self._client is None:
            self._client = open_client(self.terminal)
        return self._client

    def app_path(self, rest: str = "") -> str:
        """`/api/apps/<the given app>` with `rest` after it. Raises InvalidInput for what can not be a name in a path."""
        return f"/api/apps/{app_segment(self.given.app)}{rest}"

    def show(self, document: Any, text: str, *, given: bool = False) -> int:
        """Prints the document when --json was given, otherwise `text` in the platform's own name, but for what people have `given`: that
        stays as it is. Returns the exit status of an answer."""
        ours = text if given else in_own_name(text, self.terminal.name)
        self.terminal.say(as_json(document) if self.given.json else ours)
        return 0

    def own(self, text: str) -> str:
        """A text of ours in the platform's own name, to stand beside what people gave."""
        return in_own_name(text, self.terminal.name)

    def table(self, rows: list[list[str]], header: tuple[str, ...] = ()) -> str:
        return table(rows, header, self.terminal.width, self.terminal.colour)

    def fitted(self, line: str) -> str:
        return fitted(line, self.terminal.width)


def app_segment(name: str) -> str:
    """An app's name as a path segment. A name that would leave its segment is refused in the words of the rule for names."""
    if name in ("", ".", "..") or "/" in name or "\0" in name or len(name) > 100 or not name.isprintable():
        from wherry.model.app import check_name

        check_name(name)
    return segment(name)


def open_client(terminal: Terminal) -> Client:
    """The API that the environment names: WHERRY_API_URL with WHERRY_TOKEN, or the socket below WHERRY_HOME."""
    from wherry.faces.cli.address import SocketAddress, UrlAddress

    environ = terminal.environ
    pairs = {"Wherry-Actor": environ.get("WHERRY_ACTOR"), "Wherry-Via": environ.get("WHERRY_VIA")}
    headers = {"User-Agent": "wherry-cli", **{name: value for name, value in pairs.items() if value}}
    if url := environ.get("WHERRY_API_URL"):
        if token := environ.get("WHERRY_TOKEN"):
            headers["Authorization"] = f"Bearer {token}"
        return Client(UrlAddress(url), headers)
    return Client(SocketAddress(f"{terminal.home}/run/api.sock"), headers)
