"""An archive by its address: only from where it may come, only as much as may come, only for so long."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from wherry.addresses import is_public, resolve
from wherry.errors import Forbidden, InvalidInput, Unavailable
from wherry.receiving.download import Limits, download


class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        pages = {"/file?token=x": b"archive", "/large": bytes(3000), "/slow": b"x" * 10}
        target = {"/moved": "/file?token=x", "/loop": "/loop", "/inwards": "http://169.254.169.254/x", "/odd": "file:///etc/passwd"}
        if self.path in target:
            self.send_response(302)
            self.send_header("Location", target[self.path])
            self.end_headers()
            return
        self.send_response(200 if self.path in pages else 404)
        if self.path == "/file?token=x":
            self.send_header("Content-Length", "7")
        self.end_headers()
        for byte in pages.get(self.path, b"")[:10] if self.path == "/slow" else [pages.get(self.path, b"")]:
            self.wfile.write(bytes([byte]) if isinstance(byte, int) else byte)
            time.sleep(0.1 if self.path == "/slow" else 0)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


INSIDE = Limits(1000, internal=True)


@pytest.mark.parametrize("path", ["/file?token=x", "/moved"])
def test_what_is_there_is_fetched_redirects_followed(web: str, tmp_path: Path, path: str) -> None:
    assert download(web + path, tmp_path / "a", INSIDE) == 7
    assert (tmp_path / "a").read_bytes() == b"archive"


def test_a_local_address_is_refused_unless_a_setting_allows_it(web: str, tmp_path: Path) -> None:
    with pytest.raises(Forbidden, match=r"127\.0\.0\.1 is a private or local address") as refused:
        download(f"{web}/file", tmp_path / "a", Limits(1000))
    assert "WHERRY_FETCH_INTERNAL" in refused.value.hint


@pytest.mark.parametrize(
    ("path", "limits", "said"),
    [
        ("/large", INSIDE, "more than 0 MB"),
        ("/nothing", INSIDE, "answers 404"),
        ("/loop", INSIDE, "redirects more than 5 times"),
        ("/odd", INSIDE, "give an address such as"),
        ("/slow", Limits(1000, True, 0.3), "took too long"),
    ],
)
def test_what_can_not_be_fetched_says_why(web: str, tmp_path: Path, path: str, limits: Limits, said: str) -> None:
    with pytest.raises((InvalidInput, Unavailable), match=said):
        download(web + path, tmp_path / "a", limits)


def test_a_query_is_never_told(web: str, tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as refused:
        download(f"{web}/nothing?signature=secret", tmp_path / "a", INSIDE)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
        "::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1",
    ],
)  # fmt: skip
def test_no_spelling_of_an_inner_address_is_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_public_addresses_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.1", "0x7f000001", "2130706433", "localhost"])
def test_other_spellings_of_loopback_are_seen_through(host: str) -> None:
    with pytest.raises(Forbidden, match="private or local"):
        resolve(host, 80)
