"""Reads BuildKit's progress: the `StatusResponse` protobuf that arrives in base64 as `moby.buildkit.trace`.

Source of the field numbers: moby/buildkit, api/services/control/control.proto; they have not changed since 2018.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One step as it is now. `name` is the builder's own, such as `[deps 3/4] RUN …`."""

    digest: str
    name: str
    cached: bool
    started: bool
    completed: bool
    error: str


@dataclass(frozen=True)
class Output:
    """Bytes that a step wrote, not cut at lines."""

    digest: str
    data: bytes


def decode(message: bytes) -> list[Step | Output]:
    """Steps first, then outputs. Unknown fields are passed over; a cut message gives what was readable."""
    steps: list[Step | Output] = []
    outputs: list[Step | Output] = []
    for number, value in _fields(message):
        if number == 1 and isinstance(value, bytes):
            steps.append(_step(value))
        elif number == 3 and isinstance(value, bytes):
            outputs.append(_output(value))
    return steps + outputs


def _step(message: bytes) -> Step:
    found = dict(_fields(message))
    return Step(_text(found.get(1)), _text(found.get(3)), bool(found.get(4)), 5 in found, 6 in found, _text(found.get(7)))


def _output(message: bytes) -> Output:
    found = dict(_fields(message))
    data = found.get(4, b"")
    return Output(_text(found.get(1)), data if isinstance(data, bytes) else b"")


def _text(value: int | bytes | None) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field number and value: an int for varints, bytes for everything else."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        size, at = _varint(message, at) if kind == 2 else ({1: 8, 5: 4}.get(kind, len(message)), at)
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    number, shift = 0, 0
    while at < len(message):
        byte = message[at]
        number, shift, at = number | (byte & 127) << shift, shift + 7, at + 1
        if not byte & 128 or shift > 63:
            break
    return number, at
