"""Checks: slopes by autograd say which sigma a loss means; SciPy's densities are mixed with care."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.stats import multivariate_normal
from torch.distributions import Normal

from .asking import Hint, array, ask, compare, guess, stray

__all__ = ["CHECKS"]

_PIXELS, _BETA = 784, 0.00025


def sigma(answer: float) -> str:
    """sigma: the sigma that a mean over 784 pixels and a weight of 0.00025 on the KL amount to.

    The slopes of both losses point the same way where log P(x|z) has the same slope as the squared error over beta.
    """
    f = torch.linspace(0.1, 0.9, _PIXELS, dtype=torch.float64, requires_grad=True)
    x = f.detach().flip(0)
    (theirs,) = torch.autograd.grad((x - f).square().mean() / _BETA, f)
    (plain,) = torch.autograd.grad(-Normal(f, 1.0).log_prob(x).sum(), f)
    right = (plain / theirs).mean().sqrt().item()
    wrong = {
        "this is sigma squared. Take its square root.": right**2,
        "the squared error stands over 2 sigma^2. Where has the 2 gone?": right * np.sqrt(2),
        "the mean divides the squared error by 784, and there are 784 pixels to a picture.": right / np.sqrt(_PIXELS),
        "pixels are 28 by 28: the mean divides by 784, not by 28.": right / np.sqrt(28),
        "beta is on the wrong side of the fraction: divide the loss by it, until the KL stands alone.": right / _BETA,
        "this is the sigma of the plain mean, far too large. What does the weight do to it?": np.sqrt(_PIXELS / 2),
    }
    guess(answer, "a standard deviation, in grey levels", right, wrong, within=0.02)
    return f"With it the plain loss has the slopes of theirs: sigma = {right:.3f}, and there is no beta left."


def log_mix(function: Callable[..., Any]) -> str:
    """mix: log Q(z) (M,) of the mix of N needles. Held against SciPy, near the needles and far from them."""
    for case, z, means, sds in _cases():
        answer = ask(function, *(torch.tensor(a, dtype=torch.float32) for a in (z, means, sds)), case=case)
        if stray(answer) is not None:
            raise Hint(f"{case}: {stray(answer)}. So small a density is 0 for a float. Stay in logarithms: logsumexp.")
        got = array(answer, (len(z),), f"{case}: a logarithm for each place")
        each = _log_densities(z, means, sds)
        right = _log_sum(each) - np.log(len(means))
        wrong = {
            "Q(z) is a mean of N densities, and this is their sum: too high by log N.": _log_sum(each),
            "this is a mean of logarithms. The mean of the densities comes first, then its logarithm.": each.mean(1),
            "this is the nearest needle alone. All of them count.": each.max(1),
            "the widths were taken for variances.": _mixed(z, means, np.sqrt(sds)),
            "the widths were squared on their way in: they are standard deviations, as Normal wants them.": _mixed(
                z, means, sds**2
            ),
            "each number was mixed by itself. A needle has all its numbers at once: sum over them first.": sum(
                _mixed(z[:, [i]], means[:, [i]], sds[:, [i]]) for i in range(z.shape[1])
            ),
        }
        compare(got, right, wrong, case, within=1e-3)
    return "It agrees with SciPy's densities, near the needles and so far away that a float holds no density at all."


def _cases() -> list[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Of each case what it is called, places (M, d), and the needles' means and widths (N, d)."""
    rng = np.random.default_rng(11)
    near = (
        "five needles of two numbers",
        rng.normal(size=(7, 2)),
        rng.normal(size=(5, 2)),
        rng.uniform(0.3, 0.9, (5, 2)),
    )
    means, sds = rng.normal(size=(6, 32)), rng.uniform(0.05, 0.3, (6, 32))
    far = "places far from every needle, in 32 dimensions", 3 * rng.normal(size=(4, 32)), means, sds
    return [near, far]


def _log_densities(z: np.ndarray, means: np.ndarray, sds: np.ndarray) -> np.ndarray:
    """log Q(z | x_n) at each place for each needle, (M, N)."""
    return np.stack([multivariate_normal(m, np.diag(s**2)).logpdf(z) for m, s in zip(means, sds, strict=True)], axis=1)


def _log_sum(each: np.ndarray) -> np.ndarray:
    return np.logaddexp.reduce(each, axis=1)


def _mixed(z: np.ndarray, means: np.ndarray, sds: np.ndarray) -> np.ndarray:
    return _log_sum(_log_densities(z, means, sds)) - np.log(len(means))


CHECKS = {"sigma": sigma, "mix": log_mix}
