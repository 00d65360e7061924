"""An archive on its way into the platform: by HTTP, by the command line, over a slow or broken line, or too large."""

from __future__ import annotations

import functools
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from api_support import Served, served
from cli_support import Ran, run
from stored_platform import new_platform
from wherry.services.platform import Platform

MB = 2**20


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return new_platform(tmp_path)


@pytest.fixture
def api(platform: Platform) -> Iterator[Served]:
    home = platform.settings.home
    (home / "settings.env").write_text("WHERRY_MAX_PUSH=2\n")
    with served(home) as server:
        yield server


@functools.cache
def archive() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        info = tarfile.TarInfo("Procfile")
        info.size = 6
        tar.addfile(info, io.BytesIO(b"web: x"))
    return made.getvalue()


def spooled(platform: Platform) -> list[bytes]:
    return [path.read_bytes() for path in platform.settings.spool.iterdir()]


def chunked(body: bytes, whole: bool = True) -> bytes:
    head = b"POST /api/apps/shop/sources HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n"
    return head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(body), body) + (b"0\r\n\r\n" if whole else b"")


def test_an_archive_arrives_byte_for_byte(api: Served, platform: Platform) -> None:
    answer = api.ask("POST", "/api/apps/shop/sources?force=true", archive(), Content_Type="application/gzip")
    assert answer.status == 202, answer.body
    assert answer.document["request"] == {"origin": "an uploaded archive"}
    assert spooled(platform) == [archive()]


def test_an_archive_with_the_name_of_an_image_is_one_of_that(api: Served, platform: Platform) -> None:
    answer = api.ask("POST", "/api/apps/shop/sources?image=me/shop:v2", archive(), Content_Type="application/x-tar")
    assert (answer.status, answer.document["request"]) == (202, {"origin": "me/shop:v2"})
    refused = api.ask("POST", "/api/apps/shop/sources?image=UPPER", archive(), Content_Type="application/x-tar")
    assert refused.status == 422 and b"give a name such as nginx:1.27" in refused.body
    assert spooled(platform) == [archive()]


def test_too_much_is_refused_at_once_or_when_it_was_seen(api: Served, platform: Platform) -> None:
    head = "POST /api/apps/shop/sources HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/zip\r\n"
    head += "Connection: close\r\nContent-Length: 3000000\r\n\r\n"
    for sent in (head.encode(), chunked(bytes(2 * MB + 1000))):
        answer = api.raw(sent)
        assert b" 413 " in answer and b'"code":"too_large"' in answer
    assert spooled(platform) == []


def test_half_an_archive_leaves_nothing(api: Served, platform: Platform) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(api.path))
        line.sendall(chunked(archive(), whole=False))
        line.shutdown(socket.SHUT_WR)
        assert b" 400 " in line.recv(4096)
    assert spooled(platform) == []


def test_other_types_are_named(api: Served) -> None:
    answer = api.ask("POST", "/api/apps/shop/sources", b"x", Content_Type="text/plain")
    assert answer.status == 415


def test_an_archive_of_nothing_is_told_as_that(api: Served, platform: Platform) -> None:
    for words in (("git:from-archive", "shop"), ("git:load-image", "shop", "shop:v2")):
        sent = wherry(api, *words)
        assert sent.status and "the archive is empty: nothing came\nDid the program that writes it say why?\n" in sent.err
    assert api.ask("POST", "/api/apps/shop/sources", b"", Content_Type="application/zip").status == 400
    assert spooled(platform) == []


def wherry(api: Served, *words: str, stdin: bytes = b"", **environ: str) -> Ran:
    return run(list(words), {"WHERRY_HOME": str(api.path.parents[1]), **environ}, stdin)


def test_the_command_line_sends_a_file_and_standard_input(api: Served, platform: Platform, tmp_path: Path) -> None:
    path = tmp_path / "app.tgz"
    path.write_bytes(body := archive())
    sent = wherry(api, "git:from-archive", "shop", str(path), "--no-wait")
    assert sent.status == 0 and "is queued" in sent.out, sent.err
    assert wherry(api, "git:from-archive", "shop", "--no-wait", stdin=body).status == 0
    assert wherry(api, "git:from-archive", "shop", "-", "--no-wait", stdin=body).status == 0
    assert spooled(platform) == [body] * 3


def test_the_command_line_sends_an_image(api: Served, platform: Platform, tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(body := archive())
    for words, stdin in ((("shop", "shop:v2", str(path)), b""), (("shop", "shop:v2"), body)):
        sent = wherry(api, "git:load-image", *words, "--no-wait", stdin=stdin)
        assert sent.status == 0 and "is queued" in sent.out, sent.err
    assert spooled(platform) == [body] * 2
    over_ssh = wherry(api, "git:load-image", "shop", "shop:v2", "image.tar", WHERRY_VIA="ssh")
    assert over_ssh.err.startswith("over ssh give the archive on standard input: ssh … git:load-image shop shop:v2 < image.tar")


def test_the_command_line_says_what_the_platform_has_against_a_body_that_it_stopped_to_read(api: Served) -> None:
    refused = wherry(api, "git:from-archive", "shop", stdin=bytes(8 * MB))
    assert refused.status != 0
    assert refused.err.startswith("the archive has more than 2 MB\n")


def test_over_ssh_the_machines_files_are_not_the_persons(api: Served, tmp_path: Path) -> None:
    refused = wherry(api, "git:from-archive", "shop", "/etc/passwd", WHERRY_VIA="ssh")
    assert refused.status == 2
    assert "over ssh give the archive on standard input" in refused.err


def test_a_file_that_is_not_there(api: Served) -> None:
    assert wherry(api, "git:from-archive", "shop", "/nope").err.startswith('"/nope": no such file')
