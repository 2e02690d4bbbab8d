"""Checks: a needle by SciPy's densities, and an efficiency by an integral."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

from .asking import Hint, ask, compare, number, stray

__all__ = ["CHECKS"]


def needle(function: Callable[..., Any]) -> str:
    """needle: the log of a normal peak's integral, from its height and its curvature (d, d). SciPy knows it."""
    cases = {
        "height 0, curvature 1": (0.0, np.eye(1)),
        "height 3.5, two equal axes": (3.5, 400.0 * np.eye(2)),
        "a slanted needle of two axes": (-20.0, np.array([[900.0, 500.0], [500.0, 400.0]])),
        "ten axes": (7.0, np.diag(np.arange(1.0, 11.0))),
    }
    for case, (height, curvature) in cases.items():
        d, log_det = len(curvature), np.linalg.slogdet(curvature)[1]
        # A density integrates to 1, so a peak of this height holds as much as it is higher than the density's top.
        right = height - multivariate_normal(np.zeros(d), np.linalg.inv(curvature)).logpdf(np.zeros(d))
        wrong = {
            "the determinant has the wrong sign: the more curved, the thinner the needle, and the less it holds.": (
                right + log_det
            ),
            "half the logarithm of the determinant: a width is the root of a variance.": right - log_det / 2,
            "2π stands there once for each axis, to the power d/2.": right - (d - 1) / 2 * math.log(2 * math.pi),
            "where is the 2π of the normal distribution? Its power is d/2.": right - d / 2 * math.log(2 * math.pi),
            "the height belongs to it: it is the logarithm of what stands at the top.": right - height,
            "this is the integral; its logarithm is wanted.": math.exp(right),
        }
        compare(number(ask(function, height, curvature, case=case), "a log-integral"), right, wrong, case, within=1e-6)
    return "SciPy's normal densities hold as much."


def efficiency(function: Callable[..., Any]) -> str:
    """efficiency: E[w]^2 / E[w^2], the share of effective draws, from N(0, s^2) for N(0, 1) in d dimensions."""
    for s, d in ((1.0, 7), (1.2, 1), (1.2, 10), (2.0, 3), (0.8, 2)):
        case = f"s = {s}, {d} dimensions"
        square = quad(lambda z, s=s: np.exp(2 * norm.logpdf(z) - norm.logpdf(z, 0, s)), -40, 40, limit=200)[0]
        wrong = {
            "this is the number of draws that one effective draw costs. The share is one over it.": square**d,
            "dimensions multiply: raise one dimension's share to the power d.": 1 / square,
            "a loss that adds up from dimension to dimension? Percentages multiply.": 1 - d * (1 - 1 / square),
            "a product of d equal factors is a power, not d times a factor.": d / square,
        }
        compare(number(ask(function, s, d, case=case), "a share"), square**-d, wrong, case, within=1e-4)
    case = "s = 0.7, 2 dimensions (E[w²] is infinite for s up to 1/√2, and no draw counts: return 0)"
    narrow = ask(function, 0.7, 2, case=case)
    if stray(narrow) is not None or number(narrow, "a share") != 0:
        raise Hint(f"{case}: got {stray(narrow) or number(narrow, 'a share'):.3g}.")
    return "SciPy's integrals agree, and where they diverge nothing is left."


CHECKS = {"needle": needle, "efficiency": efficiency}
