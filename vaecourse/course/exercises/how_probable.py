"""Checks: a rate by counting all pairs, and an efficiency by an integral."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import quad
from scipy.stats import norm

from .asking import Hint, ask, compare, number, stray

__all__ = ["CHECKS"]


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


CHECKS = {"kept-out": kept_out, "efficiency": efficiency}
