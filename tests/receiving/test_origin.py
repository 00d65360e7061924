"""Which words name a git remote, an archive and an image, and which are refused."""

import pytest

from wherry.errors import InvalidInput
from wherry.model.origin import check_archive_url, check_ref, check_server, parse_image, parse_image_here, parse_remote, shown_url


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("https://github.com/me/shop.git", ("https", "github.com", 443, "")),
        ("https://git.example.org:8443/~me/shop", ("https", "git.example.org", 8443, "")),
        ("ssh://git@example.org:2222/shop", ("ssh", "example.org", 2222, "git")),
        ("git@github.com:me/shop.git", ("ssh", "github.com", 22, "git")),
        ("git://example.org/shop", ("git", "example.org", 9418, "")),
    ],
)
def test_a_git_remote_is_read(text: str, facts: tuple[object, ...]) -> None:
    found = parse_remote(text)
    assert (found.scheme, found.host, found.port, found.user) == facts


@pytest.mark.parametrize(
    "text",
    [
        "/etc", "../shop", "file:///etc", "ext::sh -c id", "http://example.org/a", "ssh://-oProxyCommand=id/x", "git@-oProxyCommand=id:x",
        "https://example.org/a b", "https://example.org/--upload-pack=id\n", "ssh://git@example.org/-x", "https://me@example.org/x",
        "https://me:secret@example.org/x", "", "https:///x", "https://example.org:99999/x", "fd::17/foo", "git@host:/-x",
    ],
)  # fmt: skip
def test_what_is_no_git_remote_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_remote(text)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("text", ["--upload-pack=id", "a..b", "a b", "refs/heads/x:refs/heads/y", "+main", "a.lock", "$(id)", "x" * 300])
def test_what_is_no_ref_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        check_ref(text)


@pytest.mark.parametrize("text", ["", "main", "feature/x", "v1.2", "0" * 40, "refs/pull/1/head"])
def test_refs(text: str) -> None:
    assert check_ref(text) == text


@pytest.mark.parametrize("text", ["ftp://a/b", "https://a:b@c/d", "file:///x", "https://example.org/a\nb", "app.tar.gz"])
def test_what_is_no_address_of_an_archive_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        check_archive_url(text)


def test_an_address_is_shown_without_its_query() -> None:
    assert shown_url(check_archive_url("https://example.org/a.tgz?signature=1%2F2&x=y")) == "https://example.org/a.tgz"


@pytest.mark.parametrize(
    ("text", "server", "full"),
    [
        ("nginx", "docker.io", "nginx:latest"),
        ("nginx:1.27", "docker.io", "nginx:1.27"),
        ("me/app", "docker.io", "me/app:latest"),
        ("ghcr.io/me/app:v2", "ghcr.io", "ghcr.io/me/app:v2"),
        ("localhost/app", "localhost", "localhost/app:latest"),
        ("127.0.0.1:5000/a/b", "127.0.0.1:5000", "127.0.0.1:5000/a/b:latest"),
        ("me/app:v1@sha256:" + "a" * 64, "docker.io", "me/app@sha256:" + "a" * 64),
    ],
)
def test_an_image_is_read(text: str, server: str, full: str) -> None:
    found = parse_image(text)
    assert (found.server, found.text) == (server, full)


@pytest.mark.parametrize("text", ["", "UPPER", "a b", "--help", "https://x/y", "nginx:", "a//b", "nginx@sha256:12", "../x", "a" * 500])
def test_what_is_no_image_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_image(text)


@pytest.mark.parametrize(
    ("text", "server", "shown"),
    [
        ("sha256:" + "ab" * 32, "", "image abababababab"),
        ("0123456789ab", "", "image 0123456789ab"),
        ("0123456789a", "docker.io", "0123456789a:latest"),
        ("cafe:v1", "docker.io", "cafe:v1"),
    ],
)
def test_an_id_means_an_image_of_this_machine(text: str, server: str, shown: str) -> None:
    found = parse_image_here(text)
    assert (found.server, found.shown) == (server, shown)
    assert found.server or found.text == text


@pytest.mark.parametrize(
    ("text", "server"), [("ghcr.io", "ghcr.io"), ("https://r.example.org:5000/", "r.example.org:5000"), ("hub", "docker.io")]
)
def test_a_registry_is_its_host(text: str, server: str) -> None:
    assert check_server(text) == server
