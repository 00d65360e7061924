"""What the model answers, and what it says about itself."""

import json

ASK = """
import json, sys
from model import likeliest, load
chances = load().probabilities(json.loads(sys.argv[1]))
print(json.dumps([likeliest(chances), chances]))
"""


def ask(app, pixels: list[int]) -> tuple[int, list[float]]:
    return tuple(json.loads(app.run("-c", ASK, json.dumps(pixels)).stdout))


def test_it_reads_the_three_of_the_readme(app):
    digit, chances = ask(app, json.loads((app.folder / "three.json").read_text())["pixels"])
    assert digit == 3
    assert chances[3] > 0.99


def test_its_ten_probabilities_add_up_to_one_whatever_is_drawn(app):
    for pixels in ([0] * 64, [16] * 64, [0, 16] * 32):
        _, chances = ask(app, pixels)
        assert len(chances) == 10
        assert abs(sum(chances) - 1) < 1e-9
        assert min(chances) >= 0


def test_it_says_what_it_is_and_the_accuracy_is_the_one_measured(app):
    about = json.loads((app.folder / "model.json").read_text())
    weights = [len(layer["weights"]) * (len(layer["weights"][0]) + 1) for layer in about["layers"]]
    assert about["classes"] == "0123456789"
    assert about["parameters"] == sum(weights)
    assert about["accuracy"] == round(about["holdout"]["right"] / about["holdout"]["rows"], 4)
    assert {"on", "by", "from"} <= about["trained"].keys()
