"""Checks: quantiles against the distribution function, and an overlap against a sum over a fine grid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import ndtr
from scipy.stats import multivariate_normal

from .asking import Hint, array, ask, compare, number, stray

__all__ = ["CHECKS"]


def quantiles(line: object) -> str:
    """quantiles: codes that cut the prior into equal shares. P(z < code) must rise evenly."""
    if stray(line) is not None:
        raise Hint("there is infinity in it: the prior never ends, so its 0 % and 100 % lie nowhere. Stay inside.")
    codes = array(line, (None,), "a row of codes")
    if len(codes) < 5:
        raise Hint(f"{len(codes)} codes are too few for a sheet. Take 23, as in the grid above.")
    if (np.diff(codes) <= 0).any():
        raise Hint("the codes must rise from the left of the sheet to the right.")
    steps = np.diff(ndtr(codes))
    if np.ptp(steps) <= 0.01 * steps.mean():
        return f"Between each two neighbours lies the same share of the prior, {steps.mean():.1%}."
    if np.ptp(np.diff(codes)) < 1e-3 * np.diff(codes).mean():
        if codes[0] >= 0 and codes[-1] <= 1:
            raise Hint("these are the probabilities. norm.ppf turns them into codes.")
        raise Hint("the codes are evenly spaced. Space the probabilities evenly, and ask norm.ppf for their codes.")
    if codes[0] > 0 and codes[-1] < 1:
        raise Hint("these lie between 0 and 1: norm.cdf goes from codes to probabilities. Its inverse is norm.ppf.")
    raise Hint(f"between neighbours lie {steps.min():.1%} to {steps.max():.1%} of the prior; it should be one share.")


def bhattacharyya(function: Callable[..., Any]) -> str:
    """bhattacharyya: the integral of sqrt(p q) of normals fitted to points (N, 2). Summed up on a grid."""
    rng = np.random.default_rng(6)
    shapes = [np.array([[1.0, 0.3], [0.0, 0.5]]), np.array([[0.4, 0.0], [0.5, 1.2]])]
    a, near, far = (
        rng.standard_normal((500, 2)) @ s + at for s, at in zip(shapes + shapes[:1], (0, 0.4, 1.5), strict=True)
    )
    for case, b in (("two clouds of points", near), ("one cloud, twice", a), ("two clouds farther apart", far)):
        got = number(ask(function, a, b, case=case), "a number from 0 to 1")
        right = _overlap(a, b)
        distance, shift, mixed = -np.log(right), *_parts(a, b)
        wrong = {
            "this is the distance, -log of the coefficient. Take exp(-distance).": distance,
            "only the middles are compared. Two regions of different shape overlap less: the determinants.": np.exp(
                -shift
            ),
            "the sign of the distance is wrong: it grows as the clouds part, and the coefficient falls.": np.exp(
                distance
            ),
            "only the shapes are compared. Where are the middles?": np.exp(-mixed),
            "this is the integral of p q. Each takes its square root.": _overlap(a, b, power=1.0),
        }
        compare(got, right, wrong, case, within=5e-3)
    return "It agrees with a sum of sqrt(p q) over a fine grid, for three pairs of clouds."


def _overlap(a: np.ndarray, b: np.ndarray, power: float = 0.5) -> float:
    """The sum of (p q)^power times the area of a cell, over a grid that reaches six widths beyond both clouds."""
    line = np.linspace(-10, 12, 441)
    grid = np.stack(np.meshgrid(line, line), axis=-1)
    p, q = (multivariate_normal(x.mean(0), np.cov(x.T)).pdf(grid) for x in (a, b))
    return float(((p * q) ** power).sum() * (line[1] - line[0]) ** 2)


def _parts(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """What the middles and what the shapes add to the distance."""
    covariances = [np.cov(x.T) for x in (a, b)]
    mean, off = sum(covariances) / 2, a.mean(0) - b.mean(0)
    logs = [np.linalg.slogdet(c)[1] for c in (mean, *covariances)]
    return off @ np.linalg.solve(mean, off) / 8, 0.5 * (logs[0] - (logs[1] + logs[2]) / 2)


CHECKS = {"quantiles": quantiles, "bhattacharyya": bhattacharyya}
