"""Checks: each holds an answer against something that is known from elsewhere, NumPy or SciPy here."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial.distance import cdist

from .asking import array, ask, compare, number

__all__ = ["CHECKS"]


def spread(function: Callable) -> str:
    """spread: how much the ink of pictures (N, H, W) varies, as a share of its mean. The first by hand."""
    rng = np.random.default_rng(0)
    two = np.zeros((2, 4, 4))
    two[0, 0, 0], two[1] = 0.5, 0.1  # ink 0.5 and 1.6: mean 1.05, standard deviation 0.55
    many = rng.random((400, 6, 6)) * rng.random((400, 1, 1))
    for case, images in {"two pictures": two, "many pictures": many}.items():
        got = number(ask(function, images, case=case), "one number")
        ink = images.sum((1, 2))
        wrong = {
            "this is the standard deviation. Divide it by the mean, or more ink always means more spread.": ink.std(),
            "this is the variance, divided by the mean. The standard deviation is its root.": ink.var() / ink.mean(),
            "this is how pixels vary. Add up the pixels of each picture first.": images.std() / images.mean(),
            "this is the mean, divided by the standard deviation. Turn it over.": ink.mean() / ink.std(),
        }
        compare(got, 0.55 / 1.05 if case == "two pictures" else ink.std() / ink.mean(), wrong, case, within=5e-3)
    return "Two pictures, reckoned by hand, and four hundred."


def nearest(function: Callable) -> str:
    """nearest: for pictures (N, H, W) the place, among averages (C, H, W), of the nearest one. SciPy's cdist."""
    rng = np.random.default_rng(1)
    case, averages, images = "ten averages of unlike ink", rng.random((10, 6, 6)), rng.random((50, 6, 6))
    averages *= np.linspace(0.2, 1, 10)[:, None, None]
    got = array(ask(function, images, averages, case=case), (50,), "one whole number for each of 50 pictures")
    apart = cdist(images.reshape(50, -1), averages.reshape(10, -1))
    products = images.reshape(50, -1) @ averages.reshape(10, -1).T
    wrong = {
        "these are the averages farthest away. The smallest distance wins.": apart.argmax(1),
        "an average with much ink has a large product with every picture. Compare distances.": products.argmax(1),
        "these are the distances themselves. Which average do they belong to? argmin tells.": apart.min(1),
    }
    compare(got, apart.argmin(1), wrong, case, within=1e-9)
    return "It agrees with SciPy's distances for fifty pictures."


CHECKS = {"spread": spread, "nearest": nearest}
