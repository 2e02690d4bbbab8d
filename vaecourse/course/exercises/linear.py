"""A VAE whose log P(x) is known in closed form, for checks: a linear decoder, f(z) = W z + b."""

from __future__ import annotations

import numpy as np
import torch
from scipy.stats import multivariate_normal
from torch import Tensor
from torch.distributions import Independent, Normal

__all__ = ["Linear"]

_SHAPE = (2, 3)  # of its pictures


class Linear:
    """Two latent numbers, pictures (2, 3). The encoder has the exact posterior, its widths times `wide`.

    P(x) = N(b, W W^T + sigma^2 I) (Tipping and Bishop, "Probabilistic principal component analysis", 1999). The columns
    of W are at right angles, so the posterior's axes are those of z, and Q(z|x) can be exact.
    """

    latent_dim, image_shape, sigma = 2, _SHAPE, 0.3

    def __init__(self, wide: float = 1.0):
        self.wide = wide
        self.W = torch.tensor([[1.0, 1], [1, -1], [0.5, 0.5], [-0.5, 0.5], [0.2, 0.2], [0.2, -0.2]]).double()
        self.b = torch.linspace(-0.5, 0.5, 6).double()
        self.prior = Independent(Normal(torch.zeros(2).double(), torch.ones(2).double()), 1)

    def decode(self, z: Tensor) -> Independent[Normal]:
        mean = (z.double() @ self.W.T + self.b).unflatten(-1, _SHAPE)
        return Independent(Normal(mean, torch.full_like(mean, self.sigma)), 2)

    def encode(self, x: Tensor) -> Independent[Normal]:
        variance = 1 / (1 + self.W.square().sum(0) / self.sigma**2)
        mean = variance * ((x.flatten(-2).double() - self.b) @ self.W) / self.sigma**2
        return Independent(Normal(mean, self.wide * variance.sqrt().expand_as(mean)), 1)

    def draw(self, n: int) -> Tensor:
        """n pictures (n, 2, 3) of this world, always the same."""
        g = torch.Generator().manual_seed(0)
        z, noise = torch.randn(n, 2, generator=g).double(), torch.randn(n, *_SHAPE, generator=g).double()
        return self.decode(z).mean + self.sigma * noise

    def log_p_x(self, x: Tensor) -> np.ndarray:
        """log P(x), (N,), by SciPy."""
        covariance = (self.W @ self.W.T).numpy() + self.sigma**2 * np.eye(6)
        return multivariate_normal(self.b.numpy(), covariance).logpdf(x.flatten(-2).numpy())
