"""Scores the hold-out digits every CHECK_SECONDS (60) and crashes, for all to see, when the model has gone bad."""

import os
import signal
import sys
import time

from check import check
from model import ModelUnsound


def say(line: str) -> None:
    print(f"worker: {line}", flush=True)  # a pipe would hold lines back until it has 8 KB


def seconds() -> float:
    text = os.environ.get("CHECK_SECONDS", "60")
    try:
        if 0 < (value := float(text)) <= 86400:
            return value
    except ValueError:
        pass
    sys.exit(f"worker: CHECK_SECONDS={text}: give seconds, more than 0 and at most 86400, e.g. 60")


def watch(every: float) -> None:
    while True:
        try:
            say(f"model is sound: {check()}")
        except ModelUnsound as reason:
            sys.exit(f"worker: model is unsound: {reason}")
        time.sleep(every)


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM ends the sleep at once, as Ctrl-C does
    try:
        watch(seconds())
    except KeyboardInterrupt:
        say("stopping")


if __name__ == "__main__":
    main()
