"""Checks: effective draws counted by hand, and a scale that SciPy's optimiser finds."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from scipy import stats
from scipy.optimize import minimize_scalar

from .asking import Hint, ask, compare, number, stray

__all__ = ["CHECKS"]


def ess(function: Callable[..., Any]) -> str:
    """ess: the effective sample size of log-weights (n,). Counted in fractions."""
    cases = {
        "weights 1, 2, 3": [1, 2, 3],
        "four equal weights": [1, 1, 1, 1],
        "one weight of four not zero": [0, 0, 5, 0],
    }
    for case, weights in cases.items():
        right = float(Fraction(sum(weights) ** 2, sum(w * w for w in weights)))
        for shift in (0.0, -2000.0):
            log_w = torch.tensor([math.log(w) if w else -math.inf for w in weights], dtype=torch.float64) + shift
            answer = ask(function, log_w, case=case)
            if shift and (bad := stray(answer)) is not None:
                raise Hint(
                    f"{case}, times e^-2000: {bad}. A common factor must not change the count: divide by the largest "
                    "weight before exp. torch.softmax does."
                )
            w = np.array(weights, float)
            wrong = {
                "this is one over it. Many effective draws are a large number.": 1 / right,
                "the weights are exp(log_w); these are the logarithms.": _ess(log_w.numpy()),
                "this counts the weights, as if all were alike.": len(weights),
                "this is the sum of the weights over the largest. Square the sum, and divide by the sum of squares.": (
                    w.sum() / w.max()
                ),
            }
            compare(number(answer, "a number of draws"), right, wrong, case, within=1e-6)
    return "Equal weights count fully, a single one counts as one, and a common factor changes nothing."


def laplace(function: Callable[..., Any]) -> str:
    """laplace: the b of Laplace's distribution under which pictures x, drawn as f, are the most probable."""
    rng = np.random.default_rng(3)
    f = rng.uniform(0.2, 0.8, (5, 8, 8))
    x = np.clip(f + 0.03 + 0.05 * rng.standard_t(2, f.shape), 0, 1)
    miss = x - f
    right = minimize_scalar(lambda b: -stats.laplace.logpdf(miss, scale=b).sum(), bounds=(0.001, 1), method="bounded").x
    case = "five made pictures"
    got = number(ask(function, torch.tensor(x), torch.tensor(f), case=case), "a length on the grey scale")
    wrong = {
        "this is the root mean squared error, the normal distribution's answer. Set this one's slope to zero.": (
            math.sqrt((miss**2).mean())
        ),
        "this is the mean squared error. The logarithm has |x - f| in it, not its square.": (miss**2).mean(),
        "this is the mean of x - f, in which misses to both sides cancel. Take |x - f|.": miss.mean(),
        "this is the sum of the absolute misses of a picture; b belongs to one pixel.": np.abs(miss).sum((1, 2)).mean(),
        "this is the median of the absolute misses. Set the slope in b to zero: it is their mean.": (
            np.median(np.abs(miss))
        ),
    }
    compare(got, right, wrong, case, within=5e-3)
    return "SciPy's optimiser, which knows no derivative, finds the same b."


def _ess(w: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        return w.sum() ** 2 / (w**2).sum()


CHECKS = {"ess": ess, "laplace": laplace}
