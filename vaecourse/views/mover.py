"""New views of turning objects: a decoder that moves pixels instead of painting them.

A conditional VAE (Sohn, Lee and Yan, "Learning structured output representation using deep conditional generative
models", 2015), P(x | x_left, x_right) = integral of P(x | z, x_left, x_right) P(z | x_left, x_right) dz. From z the
decoder makes two flow fields and a mask that warp and blend the two neighbouring photographs, as in "View synthesis by
appearance flow" (Zhou et al., 2016). d_left and d_right say how far the object has turned from one neighbour to x and
from x to the other, in steps between photographs:

    P(z | x_left, x_right)    = N((d_right z_left + d_left z_right) / (d_left + d_right), s^2 d_left d_right /
                                (d_left + d_right) I), a Brownian bridge between the neighbours' codes
    P(x | z, x_left, x_right) = N(mean, sigma^2 I)
    mean(u) = m(u) x_left(u + d_left v_left(u)) + (1 - m(u)) x_right(u + d_right v_right(u)), for each place u in
              [-1, 1]^2, with m = sigmoid(b + log(d_right / d_left)) and (v_left, v_right, b) = fields(z)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributions import Independent, Normal

from ..images import as_images, as_numbers
from ..model import as_count, as_positive, stored, verdict

__all__ = ["ViewVAE", "Warped", "as_places", "as_views", "warp"]

_SIDE = 32  # the encoder looks at photographs shrunk to this many pixels a side
_CELLS = 16  # flow fields and mask are made on a grid of so many cells a side, then interpolated


class Warped(NamedTuple):
    """What the decoder did, for B views of H x W pixels."""

    mean: Tensor  # (B, H, W): the new view
    left: Tensor  # (B, H, W): the left neighbour, its pixels moved; right: the same of the right one
    right: Tensor
    mask: Tensor  # (B, H, W): the share that is taken from the left
    fields: Tensor  # (B, 5, 16, 16): v_left (x, y), v_right (x, y), b on the coarse grid


def warp(x: Tensor, flow: Tensor) -> Tensor:
    """x(u + flow(u)): images (B, H, W) with each pixel fetched from elsewhere; black outside.

    flow is (B, 2, H, W), to the right and downwards, in units in which the picture reaches from -1 to 1. Between pixels
    the picture is a cubic convolution (Keys, 1981, with a = -0.75): bilinear interpolation would blur what it moves.

    Example:
        >>> x = torch.eye(3)[None]
        >>> flow = torch.zeros(1, 2, 3, 3)
        >>> flow[:, 0] = 2 / 3
        >>> warp(x, flow)[0].round().int()
        tensor([[0, 0, 0],
                [1, 0, 0],
                [0, 1, 0]], dtype=torch.int32)
    """
    down, right = ((torch.arange(n, device=x.device) + 0.5) * 2 / n - 1 for n in x.shape[-2:])
    places = torch.stack(torch.meshgrid(right, down, indexing="xy"), dim=-1)
    return F.grid_sample(x[:, None], places + flow.permute(0, 2, 3, 1), mode="bicubic", align_corners=False)[:, 0]


@stored
class ViewVAE(nn.Module):
    """P(x | x_left, x_right): a view of an object, given photographs from either side of it.

    Args:
        latent_dim: how many numbers stand for a view
        width: channels of the decoder's second layer, even; the other layers follow
        spread: s of the Brownian bridge: how far codes stray from the straight line over one step

    Raises:
        ValueError: For sizes that make no network.
    """

    meta: dict[str, Any]  # of a model that was loaded: how it was made, and what it scored

    def __init__(self, latent_dim: int = 32, width: int = 40, spread: float = 1.0):
        super().__init__()
        latent_dim, width = as_count(latent_dim, "latent_dim"), as_count(width, "width", 2)
        spread = as_positive(spread, "spread")
        if width % 2:
            raise ValueError(f"width must be even; got {width}. Try {width + 1}.")
        self.config = {"latent_dim": latent_dim, "width": width, "spread": spread}
        self.latent_dim, self.spread = latent_dim, spread
        thin, wide = width // 2, 2 * width
        self.encoder = nn.Sequential(  # 32 -> 16 -> 8 -> 4 pixels a side
            *(nn.Conv2d(1, thin, 4, 2, 1), nn.GELU(), nn.Conv2d(thin, width, 4, 2, 1), nn.GELU()),
            *(nn.Conv2d(width, width, 4, 2, 1), nn.GELU(), nn.Flatten(), nn.Linear(16 * width, 2 * latent_dim)),
        )
        self.fields = nn.Sequential(  # 4 -> 8 -> 16 cells a side
            *(nn.Linear(latent_dim, 16 * wide), nn.GELU(), nn.Unflatten(1, (wide, 4, 4))),
            *(nn.ConvTranspose2d(wide, width, 4, 2, 1), nn.GELU()),
            *(nn.ConvTranspose2d(width, thin, 4, 2, 1), nn.GELU()),
            nn.Conv2d(thin, 5, 3, 1, 1),
        )
        with torch.no_grad():  # start by moving little
            weight, bias = self.fields[-1].parameters()
            weight.mul_(0.1)
            bias.zero_()
        self.log_sigma = nn.Parameter(torch.tensor(math.log(0.1)))

    @property
    def sigma(self) -> float:
        """Standard deviation of a pixel around the warped photographs, in grey levels."""
        return self.log_sigma.exp().item()

    def encode(self, x: Tensor) -> Independent[Normal]:
        """Q(z|x) for views (B, H, W): batch shape (B,), event shape (latent_dim,).

        Raises:
            ValueError: For another shape, dtype or range. (While training, only the shape is looked at.)
        """
        x = as_images(x, like=self.log_sigma, values=not self.training)
        mean, raw = self.encoder(F.adaptive_avg_pool2d(x[:, None], _SIDE)).chunk(2, dim=-1)
        return Independent(Normal(mean, F.softplus(raw) + 1e-4, validate_args=False), 1, validate_args=False)

    def bridge(
        self,
        z_left: Tensor,
        z_right: Tensor,
        d_left: Tensor,
        d_right: Tensor,
    ) -> Independent[Normal]:
        """P(z | x_left, x_right) for the neighbours' codes (B, latent_dim) and
        the steps to them (B,).
        """
        share = (d_left / (d_left + d_right))[:, None]
        variance = d_left * d_right / (d_left + d_right)
        scale = self.spread * variance.sqrt()[:, None]
        mean = (1 - share) * z_left + share * z_right
        normals = Normal(mean, scale.expand_as(mean), validate_args=False)
        return Independent(normals, 1, validate_args=False)

    def move(
        self,
        z: Tensor,
        x_left: Tensor,
        x_right: Tensor,
        d_left: Tensor,
        d_right: Tensor,
    ) -> Warped:
        """The view at codes z (B, latent_dim) from the neighbours (B, H, W) at
        positive steps d_left, d_right (B,).
        """
        coarse = self.fields(z)
        size = x_left.shape[-2:]
        fine = F.interpolate(coarse, size, mode="bilinear", align_corners=False)
        left = warp(x_left, d_left[:, None, None, None] * fine[:, :2])
        right = warp(x_right, d_right[:, None, None, None] * fine[:, 2:4])
        nearer = torch.log(d_right / d_left)[:, None, None]
        mask = torch.sigmoid(fine[:, 4] + nearer)
        return Warped(mask * left + (1 - mask) * right, left, right, mask, coarse)

    def decode(
        self, z: Tensor, x_left: Tensor, x_right: Tensor, d_left: Tensor, d_right: Tensor
    ) -> Independent[Normal]:
        """P(x | z, x_left, x_right): batch shape (B,), event shape (H, W)."""
        return self.around(self.move(z, x_left, x_right, d_left, d_right).mean)

    def around(self, mean: Tensor) -> Independent[Normal]:
        """N(mean, sigma^2 I) for means (B, H, W)."""
        return Independent(Normal(mean, self.log_sigma.exp(), validate_args=False), 2, validate_args=False)

    @verdict
    def between(self, known: Any, fractions: Sequence[float]) -> Tensor:
        """New views between known ones, at the bridge's mean: the interpolated code.

        Args:
            known: (O, N, H, W), N views of each of O objects, evenly spaced around the circle
            fractions: F numbers between 0 and 1, how far from each view to the next

        Returns:
            (O, N, F, H, W).

        Raises:
            ValueError: For views or fractions that make no sense.
        """
        known = as_views(known, self.log_sigma)
        x_left, x_right = (x.flatten(0, 1) for x in (known, known.roll(-1, dims=1)))
        z_left, z_right = (self.encode(x).mean for x in (x_left, x_right))
        new = []
        for t in as_places(fractions):
            d_left = torch.full((len(x_left),), t, device=known.device)
            z = self.bridge(z_left, z_right, d_left, 1 - d_left).mean
            new.append(self.move(z, x_left, x_right, d_left, 1 - d_left).mean.clamp(0, 1))  # cubics overshoot a little
        return torch.stack(new, dim=1).unflatten(0, known.shape[:2])


def as_views(known: Any, like: Tensor | None = None) -> Tensor:
    """Views (O, N, H, W) of O objects as `as_images` takes them, in the precision and on the device of `like`.

    Raises:
        ValueError: Saying what to do, unless each object has N >= 3 views of at least 16 x 16 pixels.
    """
    x = as_images(known, like=like, leading=(2,), name="views")
    if x.shape[1] < 3 or min(x.shape[2:]) < 16:
        raise ValueError(f"each object needs at least 3 views of at least 16 x 16 pixels; got {tuple(x.shape)}.")
    return x


def as_places(fractions: Any) -> list[float]:
    """Where new views lie between two known ones, each between 0 and 1. Raises ValueError for others, and for none."""
    places: list[float] = as_numbers(fractions, "fractions").double().flatten().tolist()
    if not places or not all(0 < t < 1 for t in places):
        raise ValueError(f"fractions must lie between 0 and 1, without the ends; got {places}. Try [0.5].")
    return places
