"""Frames arrive as they were sent, however the bytes were cut on the way; nonsense is told from frames."""

import pytest

from wherry.model import wire
from wherry.running.conversation import HEADER, STDERR, STDOUT, Demultiplexer


@pytest.mark.parametrize("piece", [1, 2, 5, 7, 1000, 100_000])
def test_frames_are_whole_however_they_were_cut(piece: int) -> None:
    data = wire.frame(wire.TICKET, b"abc") + wire.frames(wire.OUT, bytes(150_000)) + wire.frame(wire.END) + wire.size_frame(24, 80)
    reader = wire.Frames()
    found = [frame for at in range(0, len(data), piece) for frame in reader.feed(data[at : at + piece])]
    assert [frame.kind for frame in found] == [b"T", b"1", b"1", b"1", b"E", b"W"]
    assert b"".join(frame.payload for frame in found if frame.kind == b"1") == bytes(150_000)
    assert wire.read_size(found[-1].payload) == (24, 80)


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1", b"T\x00\x01\x00\x01", b"\x00" * 5], ids=repr)
def test_what_is_no_frame_is_refused_before_it_is_kept(data: bytes) -> None:
    with pytest.raises(wire.BrokenWire):
        wire.Frames().feed(data)


@pytest.mark.parametrize("piece", [1, 3, 9, 4096])
def test_outputs_are_told_apart_however_docker_sends_them(piece: int) -> None:
    data = HEADER.pack(STDOUT, 5) + b"hello" + HEADER.pack(STDERR, 3) + b"bad" + HEADER.pack(STDOUT, 0) + HEADER.pack(STDOUT, 1) + b"!"
    reader = Demultiplexer()
    found = [part for at in range(0, len(data), piece) for part in reader.feed(data[at : at + piece])]
    assert b"".join(text for stream, text in found if stream == STDOUT) == b"hello!"
    assert b"".join(text for stream, text in found if stream == STDERR) == b"bad"
