"""Checks: divergences by torch, an integral by SciPy, and a world in which log P(x) is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.integrate import quad
from torch.distributions import Normal, kl_divergence

from .asking import Hint, array, ask, compare, guess
from .linear import Linear

__all__ = ["CHECKS"]


def wider(fall: float) -> str:
    """wider: nats by which the KL falls when both widths of a needle double."""
    needle, twice = (Normal(torch.zeros(2).double(), torch.full((2,), s).double()) for s in (0.01, 0.02))
    unit = Normal(torch.zeros(2).double(), torch.ones(2).double())
    right = (kl_divergence(needle, unit) - kl_divergence(twice, unit)).sum().item()
    wrong = {
        "that is one of the two latent numbers. Each has its width, and the KL is a sum over both.": right / 2,
        "that is bits, logarithms to base 2. The KL is in nats.": 2.0,
        "the size is right, but the sign is that of a rise. A wider guess is less far-fetched: the KL falls.": -right,
        "that is the factor by which the needle's area grows. The KL has its logarithm in it.": 4.0,
    }
    guess(fall, "a number of nats", right, wrong, within=0.03)
    return "log 2 for each of the two numbers. The terms with s² are too small to matter for a needle."


def bernoulli(area: float) -> str:
    """bernoulli: the integral of f^x (1 - f)^(1 - x) over grey levels x from 0 to 1, for f = 0.9."""
    right = quad(lambda x: 0.9**x * 0.1 ** (1 - x), 0, 1)[0]
    wrong = {
        "that is the sum over the two values 0 and 1. Grey levels take all the values between: integrate.": 1.0,
        "that is the value at x = 0.5, not the area under the curve.": math.sqrt(0.09),
        "that is the mean of the two ends. The curve hangs below the straight line between them.": 0.5,
        "that is log P, integrated; the density itself is asked for.": (math.log(0.9) + math.log(0.1)) / 2,
    }
    guess(area, "an area", right, wrong, within=0.01)
    return f"It is {right:.3f}, not 1: for grey pixels this is no density."


def iwae(function: Callable[..., Any]) -> str:
    """iwae: log of the mean of k weights, (N,), for pictures x. In a linear world log P(x) is known.

    There the encoder can be exact, and then every weight is P(x), whatever is drawn. Made three times too wide, its
    ELBO lies below log P(x) by a KL that is known, and the bound with many draws hardly at all.
    """
    exact, wide = Linear(), Linear(wide=3.0)
    x = exact.draw(4)
    right = exact.log_p_x(x)
    copies = x.repeat_interleave(200, 0)
    single = _bounds(function, exact, copies, 1).reshape(4, 200)
    if np.abs(single - right[:, None]).max() > 1e-3:
        log_q = -exact.encode(x).entropy().numpy()
        log_prior = log_q - kl_divergence(exact.encode(x), exact.prior).numpy()
        wrong = {
            "it looks as if the division by Q(z|x) were missing.": (right + log_q).mean(),
            "it looks as if you multiplied by Q(z|x). Divide: take its logarithm away.": (right + 2 * log_q).mean(),
            "it looks as if the prior P(z) were missing in the weight.": (right - log_prior).mean(),
        }
        compare(single.mean(), right.mean(), wrong, "k = 1, a perfect guide", within=0.06)
        raise Hint("k = 1, a perfect guide: each single weight should be P(x), and these scatter around it.")
    eight = {"it is too high by log k. A mean of k weights is divided by k: take log k away.": right + math.log(8)}
    eight["it is too low by log k. Is log k taken away twice?"] = right - math.log(8)
    compare(_bounds(function, exact, x, 8), right, eight, "k = 8, a perfect guide", within=1e-4)
    first, again = (_bounds(function, wide, x, 2000) for _ in range(2))
    if not np.array_equal(first, again):
        raise Hint(
            "the same generator gives two answers. Draw with torch.randn(…, generator=generator), not .sample()."
        )
    elbo = right - kl_divergence(wide.encode(x), exact.encode(x)).numpy()
    hint = "it does not rise with k: a mean of logarithms is the ELBO. Take the mean inside the logarithm: logsumexp."
    compare(first, right, {hint: elbo}, "k = 2,000, a guide three times too wide", within=0.06)
    return "In a world where log P(x) is known, it agrees: at once with a perfect guide, with many draws otherwise."


def _bounds(function: Callable[..., Any], model: Linear, x: torch.Tensor, k: int) -> np.ndarray:
    """What the learner's function says of pictures x (N, 2, 3), always from the same seed."""
    case = f"{len(x)} pictures, k = {k:,}"
    with torch.no_grad():
        answer = ask(function, model, x, k, torch.Generator().manual_seed(0), case=case)
    return array(answer, (len(x),), f"a bound in nats for each of {len(x)} pictures")


CHECKS = {"wider": wider, "bernoulli": bernoulli, "iwae": iwae}
