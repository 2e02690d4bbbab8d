"""Are digits that lie among each other on the plane told apart by their colours, by colour-blind readers, too?"""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from vaecourse import load_dataset, load_pretrained, measures, plots

COLORS_JS = Path(__file__).resolve().parents[1] / "web/src/colors.js"

# What is seen of red, green and blue light without each of the three kinds of cones (Machado, Oliveira and Fernandes,
# "A physiologically-based model for simulation of color vision deficiency", 2009, severity 1).
SIGHT = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
FAR, MIX = 13, 0.02  # a distance that is seen at once in small dots, and how much of another class makes a pair a mix


def oklab(color: str, sight: str = "usual") -> np.ndarray:
    """A colour as lightness from 0 to 100, and how green to red and blue to yellow it is (Ottosson, "Oklab", 2020)."""
    rgb = np.array(to_rgb(color))
    light = np.where(rgb < 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(SIGHT[sight] @ light, 0, 1)
    cones = [
        [0.41222147, 0.53633254, 0.05144599],
        [0.2119035, 0.6806995, 0.10739696],
        [0.08830246, 0.28171884, 0.6299787],
    ]
    lab = [
        [0.21045426, 0.79361779, -0.00407205],
        [1.9779985, -2.4285922, 0.45059371],
        [0.02590404, 0.78277177, -0.80867577],
    ]
    return 100 * (lab @ np.cbrt(cones @ seen))


def far(colors, i: int, j: int) -> float:
    """How far two colours are apart for the reader to whom they are most alike; 100 is from black to white."""
    return min(np.linalg.norm(oklab(colors[i], sight) - oklab(colors[j], sight)) for sight in SIGHT)


def test_the_ruler():
    assert oklab("white") == pytest.approx([100, 0, 0], abs=0.01)
    assert oklab("red") == pytest.approx([62.8, 22.5, 12.6], abs=0.1)  # as Ottosson prints it
    assert far(("red", "green"), 0, 1) < np.linalg.norm(oklab("red") - oklab("green")) / 2
    assert far(plots.CURVE_COLORS, 5, 8) < FAR, "in their own order the colours of 5 and 8 would be near"


@pytest.mark.parametrize("name", ["mnist", "strokes"])
def test_digits_that_mix_are_far_apart_in_colour(name, request):
    if name == "mnist":
        request.getfixturevalue("real_data")
    data = {split: load_dataset(name, split=split) for split in ("train", "test")}
    known, new = data["train"], data["test"]
    for model in (load_pretrained(f"{name}-2d"), load_pretrained(f"{name}-2d-page")):
        z_known, z_new = measures.codes(model, known.images), measures.codes(model, new.images)
        overlap = measures.overlap_matrix(z_known, known.labels, z_new, new.labels)
        share = (overlap + overlap.T) / 2
        mixing = [pair for pair in itertools.combinations(range(10), 2) if share[pair] > MIX]
        assert (4, 9) in mixing and (3, 5) in mixing
        near = {pair: far(plots.CLASS_COLORS, *pair) for pair in mixing}
        assert min(near.values()) > FAR, near


def test_few_classes_and_a_page_have_the_same_colours():
    assert sorted(plots.CLASS_COLORS) == sorted(plots.CURVE_COLORS)
    assert min(far(plots.CLASS_COLORS, *pair) for pair in itertools.combinations(range(4), 2)) > 18
    block = COLORS_JS.read_text().split("const CLASSES = [")[1].split("]")[0]
    assert tuple(re.findall(r"#[0-9a-f]{6}", block)) == plots.CLASS_COLORS
