"""Trains model.json from digits.csv: the same seed gives the same weights, with nothing but the standard library.

    python train.py [--seed 1] [--epochs 100] [--out model.json]        (about half a minute)

A network of 64 inputs, 48 hidden units (ReLU) and 10 outputs (softmax), by stochastic gradient descent on the
cross-entropy, one digit at a time. Each time a digit is shown, it is bent a little, so that the network learns the
shape and not the place: people do not draw in the middle of the pad.
"""

import argparse
import datetime
import json
import math
import platform
import random
from operator import mul
from pathlib import Path

import digits
from check import right_of
from model import MODEL_FILE, Layer, Model, fingerprint, relu, softmax

HIDDEN = 48
RATE = 0.05  # falls to 0 over the run, in a straight line
DATA = "digits.csv (Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI 1998, CC BY 4.0)"
DECIMALS = 4  # of a weight in the file; more would not move the accuracy


def main() -> None:
    options = arguments()
    hidden, output = train(digits.training(), options.seed, options.epochs)
    layers = [rounded(hidden), rounded(output)]
    # scored as it will be read back: rounded
    right = right_of(Model({}, Layer(**layers[0]), Layer(**layers[1]), right=0), digits.holdout())
    options.out.write_text(written(about(options, right, fingerprint(layers)), layers))
    share = right / digits.HOLDOUT_ROWS * 100
    print(f"{right} of {digits.HOLDOUT_ROWS} hold-out digits right ({share:.1f} %), sha256 {fingerprint(layers)[:12]}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train model.json from digits.csv.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=100, help="how often each digit is shown (100)")
    parser.add_argument("--out", type=Path, default=MODEL_FILE)
    return parser.parse_args()


def train(rows: list[digits.Row], seed: int, epochs: int) -> tuple[Layer, Layer]:
    chance = random.Random(seed)
    hidden, output = fresh(digits.PIXELS, HIDDEN, chance), fresh(HIDDEN, 10, chance)
    rows = list(rows)
    for epoch in range(epochs):
        chance.shuffle(rows)
        loss = 0.0
        for seen, (digit, pixels) in enumerate(rows):
            rate = RATE * (1 - (epoch + seen / len(rows)) / epochs)
            loss += step(hidden, output, bent(pixels, chance), digit, rate)
        if epoch == 0 or (epoch + 1) % 10 == 0:
            print(f"epoch {epoch + 1} of {epochs}: loss {loss / len(rows):.4f}", flush=True)
    return hidden, output


def fresh(inputs: int, outputs: int, chance: random.Random) -> Layer:
    spread = math.sqrt(2 / inputs)  # He et al. 2015: keeps the signal's size through a ReLU
    return Layer([[chance.gauss(0, spread) for _ in range(inputs)] for _ in range(outputs)], [0.0] * outputs)


def step(hidden: Layer, output: Layer, inputs: list[float], digit: int, rate: float) -> float:
    """Shows one digit, moves both layers downhill in place, and returns the loss before the move."""
    between = relu(hidden.forward(inputs))
    slopes = softmax(output.forward(between))
    loss = -math.log(max(slopes[digit], 1e-12))
    slopes[digit] -= 1  # what softmax and cross-entropy together leave of the derivative
    back = [math.fsum(map(mul, slopes, column)) for column in zip(*output.weights, strict=True)]
    descend(output, between, slopes, rate)
    descend(hidden, inputs, [slope if unit > 0 else 0.0 for slope, unit in zip(back, between, strict=True)], rate)
    return loss


def descend(layer: Layer, inputs: list[float], slopes: list[float], rate: float) -> None:
    for unit, slope in enumerate(slopes):
        if slope:
            move = rate * slope
            layer.weights[unit] = [weight - move * value for weight, value in zip(layer.weights[unit], inputs, strict=True)]
            layer.bias[unit] -= move


def bent(pixels: list[int], chance: random.Random) -> list[float]:
    """The digit turned, slanted, stretched and shifted a little, as inputs from 0 to 1."""
    turn, slant = chance.uniform(-0.15, 0.15), chance.uniform(-0.2, 0.2)
    wide, high = chance.uniform(0.8, 1.4), chance.uniform(0.95, 1.1)
    right, down = chance.uniform(-0.6, 0.6), chance.uniform(-0.4, 0.4)
    cos, sin, middle = math.cos(turn), math.sin(turn), (digits.SIDE - 1) / 2
    places = ((x - middle, y - middle) for y in range(digits.SIDE) for x in range(digits.SIDE))
    return [
        ink_at(
            pixels,
            cos * wide * x + (slant - sin * wide) * y + middle + right,
            sin * high * x + cos * high * y + middle + down,
        )
        for x, y in places
    ]


def ink_at(pixels: list[int], x: float, y: float) -> float:
    """The ink between pixels, in proportion to how near each of the four around is (bilinear), 0 to 1."""
    left, top = math.floor(x), math.floor(y)
    ink = 0.0
    for row, near_y in ((top, top + 1 - y), (top + 1, y - top)):
        if 0 <= row < digits.SIDE:
            start = row * digits.SIDE
            if 0 <= left < digits.SIDE:
                ink += pixels[start + left] * near_y * (left + 1 - x)
            if 0 <= left + 1 < digits.SIDE:
                ink += pixels[start + left + 1] * near_y * (x - left)
    return ink / digits.INK


def rounded(layer: Layer) -> dict:
    return {
        "weights": [[round(weight, DECIMALS) for weight in row] for row in layer.weights],
        "bias": [round(bias, DECIMALS) for bias in layer.bias],
    }


def about(options: argparse.Namespace, right: int, sha256: str) -> dict:
    return {
        "name": "digits",
        "kind": f"multilayer perceptron, {digits.PIXELS}-{HIDDEN}-10, ReLU and softmax",
        "classes": "0123456789",
        "input": f"{digits.PIXELS} whole numbers from 0 (paper) to {digits.INK} (ink), 8 rows of 8 from the top left",
        "parameters": (digits.PIXELS + 1) * HIDDEN + (HIDDEN + 1) * 10,
        "accuracy": round(right / digits.HOLDOUT_ROWS, 4),
        "holdout": {"rows": digits.HOLDOUT_ROWS, "right": right},
        "trained": {
            "on": datetime.date.today().isoformat(),
            "by": f"train.py --seed {options.seed} --epochs {options.epochs}, Python {platform.python_version()}",
            "from": f"{DATA}, all but the last {digits.HOLDOUT_ROWS} rows",
        },
        "sha256": sha256,
    }


def written(about: dict, layers: list[dict]) -> str:
    """One line for each unit's weights: a diff after training shows which units moved."""
    head = json.dumps(about, indent=2).removesuffix("\n}")
    return f'{head},\n  "layers": [{", ".join(block(layer) for layer in layers)}]\n}}\n'


def block(layer: dict) -> str:
    weights = ",\n".join(json.dumps(row) for row in layer["weights"])
    return f'{{"weights": [\n{weights}\n],\n"bias": {json.dumps(layer["bias"])}}}'


if __name__ == "__main__":
    main()
