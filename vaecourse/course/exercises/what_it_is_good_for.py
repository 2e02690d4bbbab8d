"""Checks: what a rounded code costs, by SciPy's normal, and an average precision, by counting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.stats import norm

from .asking import array, ask, compare, number

__all__ = ["CHECKS"]


def code_length(function: Callable[..., Any]) -> str:
    """code-length: bits (N,) of codes (N, d), rounded to multiples of a size, under a standard normal."""
    rng = np.random.default_rng(11)
    for size, d in ((1.0, 1), (0.25, 2), (0.1, 5)):
        z = rng.normal(size=(6, d)).round(3) + 0.0004  # never on the edge of a step
        case = f"six codes of {d} number{'s' * (d > 1)}, steps of {size}"
        middle = np.round(z / size) * size
        share = norm.cdf(middle + size / 2) - norm.cdf(middle - size / 2)
        right = -np.log2(share).sum(1)
        got = array(ask(function, torch.from_numpy(z), size, case=case), (6,), "the bits of each of 6 codes")
        wrong = {
            "these are nats. A bit is log 2 of them: take the logarithm to the base 2.": -np.log(share).sum(1),
            "the sign: a probability below 1 has a negative logarithm.": -right,
            "these are the bits of each number on average. A code needs those of all its numbers.": right / d,
            "the density is no probability: multiply by the size, or take the difference of the cdf.": -np.log2(
                norm.pdf(middle)
            ).sum(1),
            "the step reaches half a size to both sides of its middle; yours begins at it.": -np.log2(
                norm.cdf(middle + size) - norm.cdf(middle)
            ).sum(1),
        }
        compare(got, right, wrong, case, within=1e-4)
    return "SciPy's normal agrees, for steps of three sizes."


def average_precision(function: Callable[..., Any]) -> str:
    """average-precision: the mean precision where a wrong one is found. Of the first case (1/1 + 2/3) / 2."""
    rng = np.random.default_rng(12)
    cases = {
        "five suspects, the first and the third wrong": (
            np.array([0.9, 0.1, 0.8, 0.5, 0.3]),
            np.array([True, False, False, True, False]),
        ),
        "two hundred suspects": (rng.permutation(200) / 200, rng.random(200) < 0.1),
    }
    for case, (suspicion, wrong_ones) in cases.items():
        order = np.argsort(-suspicion)
        right = _by_counting(wrong_ones[order])
        total, found = wrong_ones.sum(), wrong_ones[order].cumsum()
        precision = found / np.arange(1, len(found) + 1)
        wrong = {
            "the least suspect comes first in your order. Sort it the other way.": _by_counting(
                wrong_ones[order][::-1]
            ),
            "this averages the precision over all k. Only those count at which a wrong one is found.": precision.mean(),
            "this is the precision among as many as there are wrong ones, a single k.": precision[total - 1],
            "this averages the recall. Divide what is found by k, not by all wrong ones.": (found / total).mean(),
        }
        got = number(ask(function, suspicion, wrong_ones, case=case), "one number")
        compare(got, right, wrong, case, within=1e-6)
    return "Five suspects and two hundred, counted one by one."


def _by_counting(hits: np.ndarray) -> float:
    """Average precision of hits (N,) of bool, the most suspect first."""
    found, total = 0, 0.0
    for k, hit in enumerate(hits, start=1):
        if hit:
            found += 1
            total += found / k
    return total / found


CHECKS = {"code-length": code_length, "average-precision": average_precision}
