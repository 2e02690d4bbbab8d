"""Checks: a rate by counting all pairs, and the scores of snow by what is known of sums of squares."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2

from .asking import array, ask, compare, number

__all__ = ["CHECKS"]


def snow(function: Callable[..., Any]) -> str:
    """snow: mean and standard deviation of log P(x|z) over samples x of P(x|z). By SciPy's chi-squared."""
    for sigma, pixels in ((1.0, 1), (0.2, 784), (0.05, 3)):
        case = f"sigma = {sigma}, {pixels} pixel{'s' * (pixels > 1)}"
        top = -pixels * math.log(sigma * math.sqrt(2 * math.pi))
        squares = chi2(pixels)  # of the snow, in units of sigma
        right = np.array([top - squares.mean() / 2, squares.std() / 2])
        wrong: dict[str, ArrayLike] = {
            "this is the score of f(z) itself. What does the snow take, for each pixel?": [top, right[1]],
            "the mean square of the snow is sigma², and it is divided by 2 sigma²: half a nat for each pixel.": [
                top - pixels,
                right[1],
            ],
            "this is the variance; the standard deviation is its root.": [right[0], right[1] ** 2],
            "the squares of the snow are halved, and so is their spread.": [right[0], 2 * right[1]],
            "one pixel's spread. Variances of independent pixels add up.": [right[0], math.sqrt(0.5)],
            "two numbers in the other order: the mean first.": right[::-1],
            "σ is missing: a density is the higher, the thinner it is.": [
                right[0] + pixels * math.log(sigma),
                right[1],
            ],
        }
        got = array(ask(function, sigma, pixels, case=case), (2,), "a mean and a standard deviation")
        compare(got, right, wrong, case, within=1e-6)
    return "The spread of a sum of squares, from SciPy, agrees."


def kept_out(function: Callable[..., Any]) -> str:
    """kept-out: how often a real score exceeds an intruder's. All pairs are counted, ties as half."""
    rng = np.random.default_rng(9)
    cases = {
        "three real scores, three intruders": (np.array([3.0, 5.0, 1.0]), np.array([2.0, 4.0, 0.0])),
        "equal scores": (np.array([1.0, 1.0, 2.0, 2.0]), np.array([1.0, 1.0, 1.0])),
        "unlike numbers of scores": (rng.normal(300, 40, 50), rng.normal(270, 60, 30)),
    }
    for case, (real, intruder) in cases.items():
        above, same = (sum(op(r, i) for r in real for i in intruder) for op in (np.greater, np.equal))
        pairs = len(real) * len(intruder)
        right = (above + same / 2) / pairs
        wrong = {
            "this is how often the intruder wins. The doorman lets in whoever scores higher.": 1 - right,
            "equal scores count as half: the doorman tosses a coin.": above / pairs,
            "equal scores count as half; you count them as won.": (above + same) / pairs,
            "this is a percentage; a share from 0 to 1 is wanted.": 100 * right,
            "this is the number of pairs won. Divide by all pairs.": above + same / 2,
        }
        if len(real) == len(intruder):
            wrong["you compare scores row by row. Compare each real one with each intruder."] = np.mean(real > intruder)
        compare(number(ask(function, real, intruder, case=case), "a share"), right, wrong, case, within=1e-6)
    return "All pairs, counted one by one, give the same."


CHECKS = {"snow": snow, "kept-out": kept_out}
