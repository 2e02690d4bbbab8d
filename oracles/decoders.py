"""Decoders whose log P(x) is known without our help, and a sum over the plane that shares nothing with the library.

What tests and benchmarks both hold the library against stands in this folder.
"""

import math

import numpy as np
import torch
from scipy import stats
from torch.distributions import (
    Categorical,
    Independent,
    Laplace,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    StudentT,
)


def _mixture(means, spread):
    means = torch.tensor(means)
    return MixtureSameFamily(Categorical(torch.ones(len(means))), Independent(Normal(means, spread), 1))


PRIORS = {  # of two numbers, none of them a product of normals
    "correlated": MultivariateNormal(torch.tensor([0.2, -0.1]), torch.tensor([[1.0, 0.8], [0.8, 1.0]])),
    "mixture": _mixture([[1.5, 0.0], [-1.0, 1.0], [0.0, -1.5]], 0.5),
    "Laplace": Independent(Laplace(torch.zeros(2), torch.ones(2)), 1),
    "StudentT": Independent(StudentT(6 * torch.ones(2)), 1),
    "needles": _mixture([[1.513, 0.017], [-1.0, 1.013]], 0.002),
}


def summed(model, x, radius=8.0, step=0.02):
    """log P(x) in two dimensions, by the sum over a plain fine grid whose points keep off the axes."""
    line = torch.arange(-radius + step / 2, radius, step)
    totals = []
    for row in line:
        z = torch.stack([row.expand_as(line), line], -1)
        log_p = Normal(model.f(z).double(), model.sigma).log_prob(x[:, None].double()).sum(-1)
        inside = model.prior.support.check(z)
        log_prior = model.prior.log_prob(z.where(inside[:, None], torch.zeros(()))).masked_fill(~inside, -math.inf)
        totals.append((log_p + log_prior.double()).logsumexp(1))
    return torch.stack(totals).logsumexp(0) + 2 * math.log(step)


class Decoder:
    """What the estimators ask of a model, with f(z) given as a function; pixels stand in a row."""

    def __init__(self, f, latent_dim, sigma):
        self.f, self.latent_dim, self.sigma = f, latent_dim, sigma
        self.prior = Independent(Normal(torch.zeros(latent_dim), torch.ones(latent_dim)), 1)

    def decode(self, z):
        mean = self.f(z)
        return Independent(Normal(mean, torch.full_like(mean, self.sigma)), 1)


class Linear(Decoder):
    """f(z) = W z + b: P(x) = N(b, W W^T + sigma^2 I), and the posterior is normal, too."""

    def __init__(self, latent_dim, pixels=12, sigma=0.3, scale=1.0, seed=0):
        g = torch.Generator().manual_seed(seed)
        self.W = scale * torch.randn(pixels, latent_dim, generator=g) / math.sqrt(latent_dim)
        self.b = torch.randn(pixels, generator=g)
        super().__init__(lambda z: z @ self.W.T + self.b, latent_dim, sigma)
        precision = torch.eye(latent_dim) + self.W.T @ self.W / sigma**2
        self.posterior_covariance = torch.linalg.inv(precision.double())

    def draw(self, n, seed=1):
        g = torch.Generator().manual_seed(seed)
        z = torch.randn(n, self.latent_dim, generator=g)
        return self.f(z) + self.sigma * torch.randn(n, len(self.b), generator=g)

    def log_p_x(self, x):
        W = self.W.double().numpy()
        covariance = W @ W.T + self.sigma**2 * np.eye(len(W))
        return torch.tensor(stats.multivariate_normal(self.b.double().numpy(), covariance).logpdf(x.double().numpy()))

    def posterior(self, x):
        mean = (x - self.b).double() @ self.W.double() @ self.posterior_covariance.T / self.sigma**2
        return MultivariateNormal(mean, self.posterior_covariance)

    def encode(self, x):
        """The best guess that a diagonal normal, a little wider than the truth, can make."""
        mean = self.posterior(x).mean.float()
        spread = 1.3 * self.posterior_covariance.diagonal().sqrt().float()
        return Independent(Normal(mean, spread.expand_as(mean)), 1)


def log_joint(model, image, z):
    """log P(x|z) P(z) in double precision, (M,)."""
    pixels = Normal(model.decode(z).mean.double(), model.sigma)
    return pixels.log_prob(image.double()).sum((1, 2)) + Normal(0.0, 1.0).log_prob(z.double()).sum(1)


def brute_force(model, images, radius=12.0, coarse=0.05):
    """log P(x) by cutting up the plane: the best cells of a coarse grid in 25, those that matter in 25 again.

    Shares neither table, climb nor lattice with the code under test.
    """
    line = torch.arange(-radius, radius + coarse / 2, coarse)
    flat = images.flatten(1)
    fifths = torch.cartesian_prod(*2 * [torch.arange(-2, 3) / 5.0])
    with torch.no_grad():
        scores = []
        for row in line:
            z = torch.stack([row.expand_as(line), line], -1)
            f = model.decode(z).mean.flatten(1)
            squares = flat.square().sum(1)[:, None] - 2 * flat @ f.T + f.square().sum(1)
            scores.append(-squares / (2 * model.sigma**2) - z.square().sum(1) / 2)
        scores, grid = torch.cat(scores, dim=1), torch.cartesian_prod(line, line)
        totals = []
        for image, score in zip(images, scores, strict=True):
            # A needle may stand between the points, so take many; a broad posterior covers many, so take all of it.
            cells, width = grid[score.topk(max(600, int((score > score.max() - 30).sum()))).indices], coarse
            for level in range(2):
                cells, width = (cells[:, None] + width * fifths).reshape(-1, 2), width / 5
                height = torch.cat([log_joint(model, image, c) for c in cells.split(5000)])
                if level == 0:
                    cells = cells[height > height.max() - 25]
            totals.append(height.logsumexp(0) + 2 * math.log(width))
    return torch.stack(totals)
