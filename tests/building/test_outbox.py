"""What a session sends when its peer gives leave for so much and no more (RFC 9113, section 5.2)."""

from __future__ import annotations

import random

from wherry.building.session import CHUNK, DATA, WINDOW, Outbox


class Peer:
    """The other end: keeps what came on each call, and how much leave it gave."""

    def __init__(self) -> None:
        self.got: dict[int, bytes] = {}
        self.ended: list[int] = []
        self.outbox = Outbox(self._take)

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind != DATA:
            self.ended.append(stream)
        else:
            assert 0 < len(payload) <= CHUNK
            self.got[stream] = self.got.get(stream, b"") + payload


def test_an_answer_waits_for_leave_on_its_call_and_on_all_together() -> None:
    peer = Peer()
    body = random.Random(1).randbytes(100_000)
    peer.outbox.put(1, body, b"end")
    assert (len(peer.got[1]), peer.ended) == (WINDOW, [])
    peer.outbox.allow(1, 50_000)
    assert len(peer.got[1]) == WINDOW
    peer.outbox.allow(0, 10_000)
    assert len(peer.got[1]) == WINDOW + 10_000
    peer.outbox.allow(0, 50_000)
    assert (peer.got[1], peer.ended) == (body, [1])


def test_an_answer_without_a_body_needs_no_leave() -> None:
    peer = Peer()
    peer.outbox.put(1, b"x" * WINDOW, b"end")
    peer.outbox.put(3, b"", b"end")
    assert peer.ended == [1, 3]


def test_a_call_that_was_taken_back_is_sent_no_more() -> None:
    peer = Peer()
    peer.outbox.put(1, b"x" * 2 * WINDOW, b"end")
    peer.outbox.drop(1)
    peer.outbox.allow(0, 10 * WINDOW)
    assert (len(peer.got[1]), peer.ended) == (WINDOW, [])


def test_the_peers_settings_change_what_each_call_begins_with() -> None:
    peer = Peer()
    peer.outbox.allow(0, 10 * WINDOW)
    peer.outbox.resize(bytes.fromhex("000300000064") + (4).to_bytes(2, "big") + (1000).to_bytes(4, "big"))
    peer.outbox.put(1, b"x" * 5000, b"end")
    assert len(peer.got[1]) == 1000
    peer.outbox.resize((4).to_bytes(2, "big") + (3000).to_bytes(4, "big"))
    assert len(peer.got[1]) == 3000
    peer.outbox.resize((4).to_bytes(2, "big") + (1000).to_bytes(4, "big"))
    peer.outbox.allow(1, 2000)
    assert len(peer.got[1]) == 3000
    peer.outbox.allow(1, 2000)
    assert (len(peer.got[1]), peer.ended) == (5000, [1])
