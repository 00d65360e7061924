"""Decides whether the model may serve: it reads the digits it has never seen as well as on the day it was trained."""

import time

import digits
from model import Model, ModelUnsound, likeliest, load


def right_of(model: Model, rows: list[digits.Row]) -> int:
    """How many of `rows` the model reads right."""
    return sum(likeliest(model.probabilities(pixels)) == digit for digit, pixels in rows)


def check() -> str:
    """A sentence with the evidence. Raises ModelUnsound."""
    started = time.perf_counter()
    model, rows = load(), digits.holdout()
    right = right_of(model, rows)
    if right < model.right:
        raise ModelUnsound(f"it reads {right} of {len(rows)} hold-out digits right; when trained, {model.right}")
    score = f"{right} of {len(rows)} hold-out digits right ({right / len(rows) * 100:.1f} %)"
    elapsed = round((time.perf_counter() - started) * 1000)
    return f"{score}, sha256 {model.about['sha256'][:12]}, in {elapsed} ms"
