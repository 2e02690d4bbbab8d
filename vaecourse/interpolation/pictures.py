"""Ways from one picture to another that know of no latent space: the rivals that a path through codes has to beat."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from ..images import as_images, as_numbers
from ..model import as_count
from .curves import lerp

__all__ = ["crossfade", "morph"]

PLASTIC = 1.32471795724474602596  # the real root of x^3 = x + 1: its powers spread points evenly over a square
PARCELS = 500  # into which the ink of each picture is divided: fewer show as grains, more take long to match

Array = NDArray[np.float64]


def crossfade(x_a: Any, x_b: Any, steps: int) -> Tensor:
    """The baseline without a model: (1 - t) x_a + t x_b, pixel by pixel, for images (*image_shape) in [0, 1].

    Differentiable.

    Returns:
        (steps, *image_shape).

    Raises:
        ValueError: For images of two shapes, for what is no picture, and for fewer than 2 steps.
    """
    a, b = _pair(x_a, x_b)
    return lerp(a.flatten(), b.flatten(), steps).unflatten(-1, a.shape)


def morph(x_a: Any, x_b: Any, steps: int) -> Tensor:
    """Ink that is carried: each bit of a's goes straight to its place in b, and all of them together go as little as
    they can. For images (H, W) in [0, 1] with ink in them.

    Displacement interpolation (McCann, "A convexity principle for interacting gases", 1997) of 500 equal parcels, which
    are matched by the least sum of squared ways. What parcels lose of a and b, mostly hard edges, fades.

    Returns:
        (steps, H, W) float32, cut off at 0 and 1; x_a and x_b themselves at the ends.

    Raises:
        ValueError: As `crossfade` does, and for images that are not (H, W) or have no ink.

    Example:
        A spot goes from the left to the right; a cross-fade would have two pale ones.

        >>> spot = torch.zeros(2, 1, 5)
        >>> spot[0, 0, 0] = spot[1, 0, 4] = 1
        >>> morph(*spot, 3).flatten(1).argmax(1)
        tensor([0, 2, 4])
    """
    a, b = (x.detach().cpu().double().numpy() for x in _pair(x_a, x_b))
    steps = as_count(steps, "steps", 2)
    if a.ndim != 2 or not (a.sum() > 0 and b.sum() > 0):
        raise ValueError(f"x_a and x_b must be (H, W) and have some ink to carry; got {a.shape}.")
    start, end = _parcels(a), _parcels(b)
    pairs = linear_sum_assignment(((start[:, None] - end) ** 2).sum(-1))
    start, end = start[pairs[0]], end[pairs[1]]
    lost_a, lost_b = a - _inked(start, a), b - _inked(end, b)
    ts = np.linspace(0, 1, steps)
    ink = [(1 - t) * a.sum() + t * b.sum() for t in ts]
    carried = [_inked((1 - t) * start + t * end, a, some) for t, some in zip(ts, ink, strict=True)]
    whole = np.stack([x + (1 - t) * lost_a + t * lost_b for t, x in zip(ts, carried, strict=True)])
    return torch.as_tensor(whole.clip(0, 1), dtype=torch.float32)


def _pair(x_a: Any, x_b: Any) -> tuple[Tensor, Tensor]:
    """Two images of one shape, as tensors. Raises ValueError otherwise."""
    a, b = (as_numbers(x, name) for x, name in ((x_a, "x_a"), (x_b, "x_b")))
    a, b = (as_images(x, x.shape, name=name, leading=(0,)) for x, name in ((a, "x_a"), (b, "x_b")))
    if a.shape != b.shape:
        raise ValueError(f"both images must have one shape; got {tuple(a.shape)} and {tuple(b.shape)}.")
    return a, b


def _parcels(x: Array) -> Array:
    """Where the parcels of equal ink lie, (PARCELS, 2) rows and columns, in the order of reading.

    A pixel's parcels are strewn evenly over it, by an additive recurrence (M. Roberts's, of 2018, in two dimensions):
    ink that is stretched should thin out, and not show a grid.
    """
    read, k = x.cumsum() / x.sum(), np.arange(PARCELS)
    pixels = read.searchsorted((k + 0.5) / PARCELS)
    strewn = np.stack([k / PLASTIC, k / PLASTIC**2], axis=1) % 1 - 0.5
    return np.stack(np.unravel_index(pixels, x.shape), axis=1) + strewn


def _inked(places: Array, like: Array, ink: float | None = None) -> Array:
    """A picture (H, W) of parcels at places (N, 2) that share the ink of `like`, or `ink`: each among its four nearest
    pixels.
    """
    x, corner = np.zeros(like.shape), np.floor(places).astype(int)
    beyond = places - corner
    for down in (0, 1):
        for right in (0, 1):
            share = np.abs(1 - np.array([down, right]) - beyond).prod(1)
            rows, columns = np.clip(corner + np.array([down, right]), 0, np.array(like.shape) - 1).T
            np.add.at(x, (rows, columns), share)
    return x * ((like.sum() if ink is None else ink) / len(places))
