"""Checks: in a world of three pixels sums over fine grids, and closed forms, know the truth."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.special import logsumexp
from scipy.stats import norm

from ...data import bars
from .asking import Hint, array, ask, compare, guess

__all__ = ["CHECKS"]


def two_pixels(share: float) -> str:
    """two-pixels: how much of a normal distribution in the plane lies within one sigma. The closed form is known."""
    wrong = {
        "that is the share for one number. The second has to be near as well.": math.erf(math.sqrt(0.5)),
        "that is the share of a square, 0.68 times 0.68. One σ away is a circle.": math.erf(math.sqrt(0.5)) ** 2,
        "that is the share outside of the circle.": math.exp(-0.5),
        "that is the share for three pixels.": 0.19875,
        "wanted a share between 0 and 1; this looks like a percentage.": 100 * (1 - math.exp(-0.5)),
    }
    guess(share, "a share between 0 and 1", 1 - math.exp(-0.5), wrong, within=0.02)
    return "It is 1 - exp(-1/2): 39 %, between the 68 % of one pixel and the 20 % of three."


def best_sigma(function: Callable[..., Any]) -> str:
    """best-sigma: the sigma under which photographs score best. A search over many finds it, too."""
    world = bars.World("ink", sigma=0.05)
    z, seen = world.sample(40, torch.Generator().manual_seed(0))
    x, f = seen.flatten(1), world.decode(z).mean.flatten(1)
    off = (x - f).double()
    got = array(ask(function, x, f, case="40 photographs"), (), "one number, the best σ")
    squares = off.square()
    wrong = {
        "that is σ². Take the root.": squares.mean(),
        "that is the mistake of a whole photograph, √3 times that of a cell.": squares.sum(1).mean().sqrt(),
        "that is the mean size of a mistake. The normal distribution squares them first.": off.abs().mean(),
        "mistakes cancel in their mean. Square them first.": off.mean(),
    }
    compare(got, squares.mean().sqrt(), wrong, "40 photographs")
    return "No other σ gives these 40 photographs a higher density."


def loop(function: Callable[..., Any]) -> str:
    """loop: log P(x) where the bar has a position and nothing else. A finer sum knows it."""
    world = bars.World()
    x = torch.cat([bars.draw([0.0, 0.7, -1.2, 9.0]).flatten(1), torch.tensor([[0.15, 0.2, 0.1], [0.5, 0.5, 0.5]])])
    got = array(ask(function, x, case="six pictures"), (6,), "log P(x) of six pictures")
    z = torch.linspace(-8, 8, 4001, dtype=torch.float64)[:, None]
    squares = (x.double()[:, None] - world.decode(z).mean.flatten(1)).square().sum(2)
    constant = 3 * math.log(world.sigma * math.sqrt(2 * math.pi))
    fit = (-squares / (2 * world.sigma**2) - constant).numpy()
    prior, cell = norm.logpdf(z[:, 0].numpy()), math.log(16 / 4000)
    right = logsumexp(fit + prior, axis=1) + cell
    wrong = {
        "these are no logarithms, and pictures are hundreds of nats apart.": np.exp(right),
        "P(z) is missing: unusual decisions count as much as usual ones.": logsumexp(fit, axis=1) + cell,
        "the constant of the normal distribution is missing, 3 log(σ √2π).": right + constant,
        "that is the best z alone. Add up over all.": (fit + prior).max(1),
    }
    off = got - right
    if np.ptp(off) < 0.01 < abs(off[0]) and abs(off[0] - constant) > 0.01:
        raise Hint(f"all six are off by {off[0]:+.2f} nats. Did you multiply the sum by the size of a cell?")
    compare(got, right, wrong, "six pictures", within=1e-4)
    return "A sum over 4,001 values of z says the same."


CHECKS = {"two-pixels": two_pixels, "best-sigma": best_sigma, "loop": loop}
