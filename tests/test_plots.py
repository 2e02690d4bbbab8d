"""Can the names of the classes be read on a plane where many of them crowd in the middle?"""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest

from vaecourse import plots


def test_places_are_moved_apart_and_no_more_than_needed():
    rng = np.random.default_rng(0)
    crowd = np.concatenate([rng.normal(0, 0.3, (9, 2)), np.zeros((2, 2)), [[9.0, 9.0]]])
    moved = plots.apart(crowd, 0.5)
    near = min(np.linalg.norm(a - b) for a, b in itertools.combinations(moved, 2))
    assert near > 0.5 * 0.97
    assert moved[-1] == pytest.approx(crowd[-1], abs=1e-5), "who is alone stays"
    assert np.linalg.norm(moved - crowd, axis=1).max() < 1.2
    assert moved.mean(0) == pytest.approx(crowd.mean(0), abs=1e-5), "a push is mutual"


def test_names_of_crowded_classes_stand_side_by_side():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(10), 30)
    codes = rng.normal(0, 0.4, (10, 2))[labels] + rng.normal(0, 0.2, (300, 2))
    with plt.rc_context():
        plots.use_style()
        fig, axes = plt.subplots(1, 2, figsize=(8.4, 4.4))
        plots.scatter_codes(axes[1], codes, labels, tuple("0123456789"))
        fig.canvas.draw()
        boxes = [text.get_bbox_patch().get_window_extent() for text in axes[1].texts]
        plt.close(fig)
    centres = [np.array([(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2]) for box in boxes]
    for (a, one), (b, other) in itertools.combinations(zip(centres, boxes, strict=True), 2):
        assert np.linalg.norm(a - b) > 0.9 * (one.width + other.width) / 2
