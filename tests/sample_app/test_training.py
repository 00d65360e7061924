"""Training gives the same weights from the same seed, and never looks at the digits that it is tested with."""

import json


def trained(app, name: str, seed: int) -> dict:
    done = app.run("train.py", "--epochs", "1", "--seed", str(seed), "--out", name)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads((app.folder / name).read_text())


def test_the_same_seed_gives_the_same_weights_and_another_gives_others_and_three_in_four_digits_are_read_already(app):
    once, again, other = trained(app, "once", 1), trained(app, "again", 1), trained(app, "other", 2)
    assert once["layers"] == again["layers"]
    assert once["sha256"] == again["sha256"] != other["sha256"]
    assert once["accuracy"] > 0.75


def test_a_model_fresh_from_training_passes_the_release_check(app):
    trained(app, "model.json", 3)
    assert app.run("release.py").returncode == 0


def test_training_looks_at_every_row_but_the_hold_out(app):
    code = "from digits import *; print(training() + holdout() == rows(), len(training()), len(holdout()))"
    assert app.run("-c", code).stdout == "True 1437 360\n"
