"""The data: handwritten digits as 64 pixels each, and which of them training must never see."""

import csv
from pathlib import Path

FOLDER = Path(__file__).parent
DIGITS_FILE = FOLDER / "digits.csv"

SIDE = 8
PIXELS = SIDE * SIDE
INK = 16  # a pixel is 0 (paper) to 16 (ink): how many of the 4 x 4 dots under it are inked
HOLDOUT_ROWS = 360

Row = tuple[int, list[int]]  # the digit, its 64 pixels from the top left


def rows(path: Path = DIGITS_FILE) -> list[Row]:
    with path.open(newline="") as file:
        lines = csv.reader(file)
        next(lines)  # the header
        return [(int(digit), [int(pixel) for pixel in pixels]) for digit, *pixels in lines]


def training() -> list[Row]:
    return rows()[:-HOLDOUT_ROWS]


def holdout() -> list[Row]:
    """The last rows, not a shuffled fifth, for one hand's digits lie together: tested on hands that it has practised
    with, the model would score 98 % and promise too much."""
    return rows()[-HOLDOUT_ROWS:]
