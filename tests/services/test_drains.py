"""Where an app's log may be sent, and who may read what about it."""

import pytest

from stored_platform import ADMIN, READER, deployed
from wherry.errors import Conflict, Forbidden, InvalidInput, NotFound
from wherry.model.drain import check_url, shown
from wherry.services import drains
from wherry.services.platform import Platform
from wherry.store import events

SECRET = "https://user:s3cret@1.1.1.1/token/abc?key=s3cret"


def test_a_drain_is_there_until_it_is_removed_and_tells_no_secret(platform: Platform) -> None:
    deployed(platform)
    made = drains.add(platform, ADMIN, "shop", SECRET)
    assert [drain.token for drain in drains.of_app(platform, READER, "shop")] == [made.token]
    assert made.shown == "https://***@1.1.1.1/***"
    assert "s3cret" not in repr(made)
    with pytest.raises(Conflict, match="drains there already"):
        drains.add(platform, ADMIN, "shop", SECRET)
    drains.remove(platform, ADMIN, "shop", made.token)
    with pytest.raises(NotFound):
        drains.remove(platform, ADMIN, "shop", made.token)
    with platform.database.read() as connection:
        told = [event for event in events.recent(connection, events.EVERY, limit=10) if event.type.startswith("drain.")]
    assert {event.type for event in told} == {"drain.added", "drain.removed"}
    assert "s3cret" not in repr(told)


def test_a_drain_inwards_is_refused(platform: Platform) -> None:
    deployed(platform)
    for url in ("syslog+tcp://127.0.0.1:514", "https://10.0.0.1/", "syslog://[::1]:514", "https://169.254.169.254/latest"):
        with pytest.raises(Forbidden, match="WHERRY_DRAIN_INTERNAL=yes") as refused:
            drains.add(platform, ADMIN, "shop", url)
        assert refused.value.code == "address_refused"


def test_a_reader_may_look_and_nothing_else(platform: Platform) -> None:
    deployed(platform)
    with pytest.raises(Forbidden):
        drains.add(platform, READER, "shop", SECRET)
    with pytest.raises(Forbidden):
        drains.remove(platform, READER, "shop", "d.1")


def test_an_app_has_five_drains_at_most(platform: Platform) -> None:
    deployed(platform)
    for number in range(5):
        drains.add(platform, ADMIN, "shop", f"syslog+udp://1.1.1.1:{number + 1}")
    with pytest.raises(InvalidInput, match="as many as an app may have"):
        drains.add(platform, ADMIN, "shop", "syslog+udp://1.1.1.1:9")


@pytest.mark.parametrize(
    "url",
    [
        "", "logs.example.org", "ftp://logs.example.org", "syslog+tcp://", "https://", "syslog+tcp://a:0", "syslog+tcp://a:70000", "syslog+tcp://a:b",
        "syslog+tcp://user:x@a:1", "syslog+tcp://a:1/path", "https://a b/", "https://a/\n", "https://ä/", "https://a/" + "x" * 600, "file:///etc/passwd",
        "https://a_b!/",
    ],
)  # fmt: skip
def test_what_is_no_drain_is_refused_with_the_form(url: str) -> None:
    with pytest.raises(InvalidInput, match=r"give syslog\+tcp://"):
        check_url(url)


def test_herokus_spelling_is_known() -> None:
    assert check_url("syslog://logs.example.org:514") == "syslog+tcp://logs.example.org:514"
    assert check_url("SYSLOG+TLS://logs.example.org") == "syslog+tls://logs.example.org"


@pytest.mark.parametrize(
    "url", [SECRET, "https://s3cret@a/", "https://a/s3cret", "https://a?s3cret", "https://a?x/s3cret", "https://x:s3cret@y@a/"]
)
def test_no_secret_is_shown(url: str) -> None:
    assert "s3cret" not in shown(url)
