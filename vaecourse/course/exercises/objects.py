"""Checks: a flow is tried on a photograph, a bridge is cut out of a random walk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ...data import turntable
from ...views import warp
from .asking import Hint, array, ask, compare, number

__all__ = ["CHECKS"]


def flow(shift: float) -> str:
    """flow: the flow to the right that moves a picture of 64 pixels by 4 pixels to the right. A mug is moved."""
    value = number(shift, "a flow")
    mug = torch.from_numpy(turntable.render("mug", 0.0))
    field = torch.tensor([value, 0.0]).view(1, 2, 1, 1).expand(1, 2, 64, 64)
    moved = warp(mug, field)

    def off(pixels: int) -> float:
        return (moved - mug.roll(pixels, dims=2))[..., 16:48].abs().mean().item()

    if off(4) < 1e-3:
        return "The mug moves by 4 pixels: each pixel is fetched from 4 pixels further left."
    if off(-4) < 1e-3:
        raise Hint("the mug moves to the left. The flow says where each pixel is fetched from, not where it goes.")
    if off(2) < 1e-3 or off(-2) < 1e-3:
        raise Hint("the mug moves by 2 pixels. The picture reaches from -1 to 1, so it is 2 wide, not 1.")
    if abs(value) >= 2:
        raise Hint("the mug leaves the frame: a flow is in units in which the whole picture is 2 wide, not in pixels.")
    raise Hint(f"the mug moves by {-32 * value:.1f} pixels to the right. 64 pixels are 2 units.")


def bridge(function: Callable[..., Any]) -> str:
    """bridge: mean and standard deviation of P(z | x_left, x_right). A random walk is held at both ends."""
    for z_left, z_right, d_left, d_right, spread in ((1.0, 3.0, 0.25, 0.75, 1.0), (0.0, -2.0, 1.5, 0.5, 0.6)):
        case = f"codes {z_left:g} and {z_right:g}, {d_left:g} and {d_right:g} steps away"
        answer = ask(function, z_left, z_right, d_left, d_right, spread, case=case)
        mean, sd = array(answer, (2,), "a mean and a standard deviation")
        right_mean, right_sd = _conditioned(z_left, z_right, d_left, d_right, spread)
        share = d_left / (d_left + d_right)
        means = {
            "the weights are exchanged: the nearer neighbour counts more.": (1 - share) * z_right + share * z_left,
            "this is halfway between the codes, wherever the view lies.": (z_left + z_right) / 2,
            "the weights do not add up to 1. Divide by d_left + d_right.": d_right * z_left + d_left * z_right,
        }
        compare(mean, right_mean, means, f"{case}: the mean", within=1e-4)
        spreads = {
            "this is the variance. Take its square root.": right_sd**2,
            "this is the spread of a walk that is held at the left end only.": spread * np.sqrt(d_left),
            "the spread s is missing.": right_sd / spread,
            "it must be zero at both ends and widest in the middle. Is the product divided by the sum?": (
                spread * np.sqrt(d_left * d_right)
            ),
        }
        compare(sd, right_sd, spreads, f"{case}: the standard deviation", within=1e-4)
    return "It agrees with a random walk from the left code whose far end is then held at the right one."


def _conditioned(z_left: float, z_right: float, d_left: float, d_right: float, spread: float) -> tuple[float, float]:
    """A walk from z_left has covariance s^2 min(t, t') at times t, t'; its end at d_left + d_right becomes known."""
    times = np.array([d_left, d_left + d_right])
    covariance = spread**2 * np.minimum.outer(times, times)
    gain = covariance[0, 1] / covariance[1, 1]
    return z_left + gain * (z_right - z_left), np.sqrt(covariance[0, 0] - gain * covariance[1, 0])


CHECKS = {"flow": flow, "bridge": bridge}
