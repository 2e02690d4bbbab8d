"""Bars that pass three light cells: pictures of three pixels, whose space is a cube that one can look into.

The cells stand in a row, at -1, 0 and 1, one cell width apart. A soft bar lies over them: its ink on a cell falls with
the distance d from its middle like exp(-d²/2 width²). The camera has a dark current and sees a black bar as less than
black, so that its noise almost never has to be cut off at 0 or 1. As everywhere here 0 is paper and 1 is ink.

What the bar does makes a shape in the cube. Its position alone draws a curve, which leaves the picture of an empty page
at one end and comes back to it at the other: two ends that are the same picture, for bars far to the left and far to
the right. Position and width make a folded sheet; position and ink a cone whose tip is the empty page.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributions import Independent, Normal

from ..images import as_generator, as_numbers
from .made import check_draws

__all__ = ["KINDS", "World", "draw", "sample"]

CELLS = (-1.0, 0.0, 1.0)  # cell widths
DARK, RANGE = 0.1, 0.8  # what the camera says of no ink, and how much more of a black bar
REACH = 1.5  # cell widths that a bar moves for a step of 1 in z: most of them lie over the cells
INK_SLOPE = 1.7  # sigmoid(1.7 z) is nearly the share of the prior below z: each amount of ink is as frequent
NARROW, WIDE = 0.35, 0.95  # widths between which the second number chooses, if it chooses the width
SIGMA = 0.03  # the camera's noise, in grey levels
KINDS = {"narrow": 0.45, "wide": 0.9}  # the two classes of the data set, and the widths of their bars


def draw(position: Any, width: Any = 0.6, ink: Any = 1.0) -> Tensor:
    """What the camera sees of bars, without its noise. The arguments are numbers or arrays, broadcast together.

    Args:
        position: of the bar's middle, in cell widths: the cells stand at -1, 0 and 1
        width: one standard deviation of the bar's profile, in cell widths
        ink: of the bar's middle, from 0, no bar, to 1, black

    Returns:
        (..., 1, 3) from 0.1, no ink, to 0.9; float32, or in the precision of a tensor `position`.

    Raises:
        ValueError: For what is no number, no width above 0, and no ink from 0 to 1.

    Example:
        >>> draw([-1, 9])
        tensor([[[0.9000, 0.2995, 0.1031]],
        <BLANKLINE>
                [[0.1000, 0.1000, 0.1000]]])
    """
    dtype = position.dtype if isinstance(position, Tensor) and position.is_floating_point() else torch.float32
    given = {"position": position, "width": width, "ink": ink}
    numbers = {name: as_numbers(value, name).to(dtype) for name, value in given.items()}
    for name, value in numbers.items():
        if not value.isfinite().all():
            raise ValueError(f"{name} must be finite; got NaN or infinity. Leave such bars out.")
    if (numbers["width"] <= 0).any():
        raise ValueError(f"width must be above 0 cell widths; got {numbers['width'].min().item():g}. Try 0.6.")
    if ((numbers["ink"] < 0) | (numbers["ink"] > 1)).any():
        raise ValueError("ink must be from 0, no bar, to 1, black. Divide by the largest value that it can have.")
    return _seen(**numbers)


def _seen(position: Tensor, width: Tensor, ink: Tensor) -> Tensor:
    """`draw` without a look at the values, which functions of PyTorch that follow many codes at once do not allow."""
    away = position[..., None] - position.new_tensor(CELLS)
    pixels = DARK + RANGE * ink[..., None] * (-(away**2) / (2 * width[..., None] ** 2)).exp()
    return pixels[..., None, :]


class World:
    """The process that makes the pictures: what a model can only learn is known here, and is computed.

    It has what `evidence.Model` asks of a model: z ~ N(0, I), and a picture x ~ N(f(z), sigma²) of shape (1, 3).

    Args:
        second: what the second latent number decides: None (there is only one number), "ink" or "width"
        width: of all bars, in cell widths, unless the second number decides it
        sigma: the camera's noise, one standard deviation in grey levels

    Raises:
        ValueError: For another `second`, and a width or sigma that is not above 0.

    Example:
        >>> world = World("ink")
        >>> z, x = world.sample(1000, torch.Generator().manual_seed(0))
        >>> z.shape, x.shape
        (torch.Size([1000, 2]), torch.Size([1000, 1, 3]))
    """

    def __init__(self, second: str | None = None, width: float = 0.6, sigma: float = SIGMA) -> None:
        if second not in (None, "ink", "width"):
            raise ValueError(f'second must be "ink", "width", or None for one latent number; got {second!r}.')
        for name, value in {"width": width, "sigma": sigma}.items():
            if not 0 < value < np.inf:
                raise ValueError(f"{name} must be above 0; got {value!r}.")
        self.second, self.width, self.sigma = second, float(width), float(sigma)
        self.latent_dim = 1 if second is None else 2
        zero = torch.zeros(self.latent_dim)
        self.prior = Independent(Normal(zero, torch.ones_like(zero)), 1)

    def factors(self, z: Tensor) -> dict[str, Tensor]:
        """The position, width and ink, each (N,), of the bars that codes z (N, latent_dim) stand for."""
        position = REACH * z[..., 0]
        width, ink = torch.full_like(position, self.width), torch.ones_like(position)
        if self.second is not None:
            share = (INK_SLOPE * z[..., 1]).sigmoid()
            if self.second == "ink":
                ink = share
            else:
                width = NARROW + (WIDE - NARROW) * share
        return {"position": position, "width": width, "ink": ink}

    def decode(self, z: Tensor) -> Independent[Normal]:
        """P(x|z) for codes z (N, latent_dim): batch shape (N,), event shape (1, 3); its mean is f(z)."""
        return Independent(Normal(_seen(**self.factors(z)), self.sigma, validate_args=False), 2, validate_args=False)

    def sample(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draws pictures: codes (count, latent_dim), and the pictures (count, 1, 3), cut off at 0 and 1.

        The same seed gives the same pictures.
        """
        generator = as_generator(generator, self.prior.mean.device)
        z = torch.randn(count, self.latent_dim, generator=generator)
        f = self.decode(z).mean
        return z, (f + self.sigma * torch.randn(f.shape, generator=generator)).clamp(0, 1)


def sample(
    n: int, generator: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    """Pictures of bars of two `KINDS`, narrow and wide, at any place and of any ink: the data set "bars".

    Two sheets in the cube, which come close where there is little ink. Each kind is as frequent; position and ink are
    drawn as `World("ink")` draws them, and the camera has its noise. The same seed gives the same pictures.

    Returns:
        Images (n, 1, 3) float32 in [0, 1], labels (n,) int64, 0 = narrow and 1 = wide, and factors, a dict of (n,)
        arrays with the keys position, width, ink.

    Raises:
        TypeError: If generator is no numpy Generator.
        ValueError: If n is no positive whole number.
    """
    # NumPy's draws and float64, rounded to float32 at the end, are the same on every processor; PyTorch's are not.
    check_draws(n, generator)
    labels = generator.integers(2, size=n)
    widths = np.array(list(KINDS.values()))[labels]
    z = torch.from_numpy(generator.standard_normal((n, 2)))
    factors = World("ink").factors(z) | {"width": torch.from_numpy(widths)}
    noise = SIGMA * generator.standard_normal((n, 1, 3))
    images = np.clip(_seen(**factors).numpy() + noise, 0, 1).astype(np.float32)
    return images, labels, {name: values.numpy() for name, values in factors.items()}
