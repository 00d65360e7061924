"""The release check lets a sound model through and stops any other, with a line that says why."""

import json


def test_a_sound_model_may_serve(app):
    done = app.run("release.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("model is sound: 344 of 360 hold-out digits right (95.6 %), sha256 ")


def test_one_changed_weight_stops_the_release(app):
    first = json.loads((app.folder / "model.json").read_text())["layers"][0]["weights"][0][0]
    app.change("model.json", f"[{first},", f"[{first + 0.0001:.4f},")
    refused(app, "model.json is damaged: its weights hash to ")


def test_a_file_cut_short_stops_the_release(app):
    model = app.folder / "model.json"
    model.write_bytes(model.read_bytes()[:5000])
    refused(app, "model.json is not JSON: ")


def test_a_missing_file_stops_the_release(app):
    (app.folder / "model.json").unlink()
    refused(app, "model.json cannot be read: No such file or directory")


def test_json_that_is_not_a_model_stops_the_release(app):
    for text in ("[]", "null", "{}", '{"layers": [], "sha256": "", "holdout": {"right": 1}}'):
        (app.folder / "model.json").write_text(text)
        refused(app, "model.json is not a model of two layers (")


def test_bytes_that_are_not_text_stop_the_release(app):
    (app.folder / "model.json").write_bytes(b"\xff\xfe\x00{")
    refused(app, "model.json is not JSON: ")


def test_a_model_that_reads_worse_than_when_it_was_trained_stops_the_release(app):
    app.change("model.json", '"right": 344', '"right": 345')
    refused(app, "it reads 344 of 360 hold-out digits right; when trained, 345")


def refused(app, reason: str) -> None:
    done = app.run("release.py")
    said, way_out = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert said.startswith(f"model is unsound: {reason}")
    assert way_out == "Train it again: python train.py"
