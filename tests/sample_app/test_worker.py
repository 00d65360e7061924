"""The worker checks now and again, stops when told to, and crashes when the model goes bad under it."""

import os
import signal
import time

SOUND = "worker: model is sound: 344 of 360 hold-out digits right"


def worker(app, every: str):
    return app.start("worker.py", {**os.environ, "CHECK_SECONDS": every})


def test_it_checks_the_model_again_and_again(app):
    process = worker(app, "0.01")
    assert [process.stdout.readline().startswith(SOUND) for _ in range(3)] == [True] * 3


def test_it_stops_at_once_when_told_to_in_the_middle_of_a_wait(app):
    process = worker(app, "60")
    process.stdout.readline()
    told = time.monotonic()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=50)
    assert (process.returncode, out, err) == (0, "worker: stopping\n", "")
    assert time.monotonic() - told < 30, "a minute is how long it would have waited"


def test_it_crashes_with_a_line_when_the_model_goes_bad(app):
    process = worker(app, "0.01")
    process.stdout.readline()
    (app.folder / "model.json").write_text("{}")
    _, err = process.communicate(timeout=10)
    assert process.returncode == 1
    assert err.startswith("worker: model is unsound: model.json is not a model of two layers")


def test_it_refuses_an_interval_that_is_not_one(app):
    for text in ("soon", "", "0", "-5", "nan", "inf", "86401"):
        process = worker(app, text)
        _, err = process.communicate(timeout=10)
        assert process.returncode == 1
        assert err == f"worker: CHECK_SECONDS={text}: give seconds, more than 0 and at most 86400, e.g. 60\n"
