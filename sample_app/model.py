"""The model: reads model.json, refuses it when a weight has changed, and says which digit 64 pixels show.

Standard library only, so that a process boots at once and stays small.
"""

import hashlib
import json
import math
from dataclasses import dataclass
from operator import mul
from pathlib import Path

from digits import FOLDER, INK

MODEL_FILE = FOLDER / "model.json"


class ModelUnsound(Exception):
    """The model is missing, damaged, or worse than it was when it was trained. The text says which."""


@dataclass(frozen=True)
class Layer:
    """`weights` has one row for each output, `bias` one number."""

    weights: list[list[float]]
    bias: list[float]

    def forward(self, inputs: list[float]) -> list[float]:
        # fsum rounds once, at the end: the same bits on every version of Python (sum() changed in 3.12)
        return [math.fsum(map(mul, row, inputs)) + bias for row, bias in zip(self.weights, self.bias, strict=True)]


@dataclass(frozen=True)
class Model:
    """Two layers, and `about`: what they are and how they were made, as `GET /model` shows it.

    `right` is how many of the hold-out digits it read right on the day it was trained.
    """

    about: dict
    hidden: Layer
    output: Layer
    right: int

    def probabilities(self, pixels: list[int]) -> list[float]:
        """How likely the pixels show 0, 1, ... 9: ten numbers that add up to 1."""
        inputs = [pixel / INK for pixel in pixels]
        return softmax(self.output.forward(relu(self.hidden.forward(inputs))))


def relu(values: list[float]) -> list[float]:
    return [value if value > 0 else 0.0 for value in values]


def softmax(values: list[float]) -> list[float]:
    top = max(values)  # subtracted, because exp of a large number overflows
    powers = [math.exp(value - top) for value in values]
    total = math.fsum(powers)
    return [power / total for power in powers]


def likeliest(probabilities: list[float]) -> int:
    return probabilities.index(max(probabilities))


def fingerprint(layers: list[dict]) -> str:
    """SHA-256 of the weights alone, so that training again on another day gives the same one."""
    return hashlib.sha256(json.dumps(layers).encode()).hexdigest()


def load(path: Path = MODEL_FILE) -> Model:
    """Raises ModelUnsound rather than return weights other than those that were trained."""
    document = _read(path)
    try:
        layers = document.pop("layers")
        stated, right = document["sha256"], int(document["holdout"]["right"])
        hidden, output = (Layer(layer["weights"], layer["bias"]) for layer in layers)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelUnsound(f"{path.name} is not a model of two layers ({error!r})") from error
    if (found := fingerprint(layers)) != stated:
        raise ModelUnsound(f"{path.name} is damaged: its weights hash to {found[:12]}, not {stated:.12}")
    return Model(document, hidden, output, right)


def _read(path: Path) -> dict:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise ModelUnsound(f"{path.name} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ModelUnsound(f"{path.name} is not JSON: {error}") from error
