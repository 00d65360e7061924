"""Runs once for each release, before traffic: an unsound model stops the deploy, so the last release keeps serving."""

import sys

from check import check
from model import ModelUnsound


def main() -> int:
    try:
        print(f"model is sound: {check()}")
    except ModelUnsound as reason:
        print(f"model is unsound: {reason}", "Train it again: python train.py", sep="\n", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
