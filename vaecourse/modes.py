"""The integrand P(x|z) P(z) as a landscape over z: its height, and the peaks that hold its mass.

Whoever hands in a model hands in anything with

    .decode(z)     P(x|z) for codes z (M, d): Independent(Normal) or Independent(Bernoulli) over the pixels
    .prior         P(z): normal, its coordinates independent; event shape (d,)
    .latent_dim    d
    .encode(x)     Q(z|x): only where a function says so

Decoders run in the model's own precision; what follows (784 terms that nearly cancel) is summed in float64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal

from .vae import VAE, check_images

__all__ = ["Peaks", "Table", "check_x", "find_peaks", "log_integrand", "log_prior"]

BLOCK = 4096  # codes decoded at once: 25 MB for 28 x 28 pixels in float64
HOPELESS = 50.0  # nats: a climb that promises to end this far below the best one is given up
MEET = 2.0  # standard deviations: a climb this close to a higher one is left to it
MERGE = 6.0  # standard deviations: tops this close count as one peak
MOST = 5  # peaks an image is granted
PATIENCE = 150  # decodes an image may spend before its climbs end where they are
NEGLIGIBLE = 12.0  # nats: a peak this far below the best one holds less than 1e-5 of the mass


def pixels(model, z: Tensor) -> Normal | Bernoulli:
    """The pixels of P(x|z) for codes z (M, d)."""
    like = model.prior.mean
    p = model.decode(z.to(like.device, like.dtype)).base_dist
    if not isinstance(p, Normal | Bernoulli):
        raise TypeError(f"the pixels of model.decode(z) must be Normal or Bernoulli; got {type(p).__name__}.")
    return p


def natural(p: Normal | Bernoulli) -> Tensor:
    """eta in log p(x) = x eta + log p(0) + h(x), which normal and Bernoulli pixels share (the exponential family)."""
    return p.logits if isinstance(p, Bernoulli) else p.mean / p.variance


def score_pixels(p: Normal | Bernoulli, x: Tensor) -> Tensor:
    """log p(x) summed over the pixels, (M,), in float64."""
    if isinstance(p, Bernoulli):
        p = Bernoulli(logits=p.logits.double(), validate_args=False)
    else:
        p = Normal(p.mean.double(), p.stddev.double(), validate_args=False)
    return p.log_prob(x.double()).flatten(start_dim=1).sum(1)


def log_prior(model, z: Tensor) -> Tensor:
    """log P(z) for codes (..., d), in float64."""
    prior = Normal(model.prior.mean.double(), model.prior.stddev.double())
    return prior.log_prob(z.double()).sum(-1)


@torch.no_grad()
def log_integrand(model, x: Tensor, image: Tensor, z: Tensor) -> Tensor:
    """log P(x|z) P(z), (M,), in float64, of the images x[image] at codes z (M, d); x (N, *image_shape), image (M,)."""
    blocks = zip(z.split(BLOCK), image.split(BLOCK), strict=True)
    return torch.cat([score_pixels(pixels(model, c), x[i]) for c, i in blocks]) + log_prior(model, z)


def check_x(model, x: Tensor) -> Tensor:
    """Images on the model's device. Raises ValueError for another shape or type, NaN, or values no pixel can have."""
    x = torch.as_tensor(x, device=model.prior.mean.device)
    p = model.decode(model.prior.mean[None])
    shape = tuple(p.event_shape)
    if isinstance(model, VAE) or isinstance(p.base_dist, Bernoulli):
        check_images(x, shape)
    elif tuple(x.shape[1:]) != shape or not len(x) or not x.is_floating_point() or not x.isfinite().all():
        raise ValueError(
            f"x must be finite floats of shape (N, {', '.join(map(str, shape))}); got {tuple(x.shape)} of {x.dtype}. "
            "One image is x[None]."
        )
    return x.reshape(-1, *shape)


class Table:
    """Codes that serve every image: each is decoded once, and one matrix product scores all images at all codes.

    z (G, d); the product runs in `dtype`.

    Raises:
        ValueError: When sigma changes with z: the product has no room for it.
    """

    @torch.no_grad()
    def __init__(self, model, z: Tensor, dtype: torch.dtype = torch.float64):
        blocks = [pixels(model, c) for c in z.split(BLOCK)]
        if isinstance(blocks[0], Normal) and any((p.variance != blocks[0].variance[:1]).any() for p in blocks):
            raise ValueError("the decoder's sigma must be the same for all z; this one changes with z.")
        self.model, self.z, self.log_prior = model, z, log_prior(model, z)
        self.eta = torch.cat([natural(p).flatten(start_dim=1).to(dtype) for p in blocks])
        self.log_p_0 = torch.cat([score_pixels(p, torch.zeros_like(p.mean)) for p in blocks])

    def log_likelihood(self, x: Tensor) -> Tensor:
        """log P(x|z), (N, G), of images x (N, *image_shape) at all the codes."""
        scores = (x.flatten(start_dim=1).to(self.eta.dtype) @ self.eta.T).double() + self.log_p_0
        # h(x) is the same at every z, so the first z tells it.
        every, first = torch.arange(len(x), device=x.device), self.z[:1].expand(len(x), -1)
        h = log_integrand(self.model, x, every, first) - self.log_prior[0] - scores[:, 0]
        return scores + h[:, None]


class Slopes(NamedTuple):
    height: Tensor  # (M,) log P(x|z) P(z)
    score: Tensor  # (M, d) its gradient
    fisher: Tensor  # (M, d, d) minus its expected curvature: J^T V^-1 J + the prior's precision


@torch.no_grad()
def slopes(model, x: Tensor, z: Tensor) -> Slopes:
    """The landscape around codes z (M, d), one for each image x (M, *image_shape); costs d + 1 decodes each.

    With pixels of mean m(eta) and variance V(eta), the score is J^T (x - m) and the Fisher information J^T V J,
    where J = d eta / d z comes by forward differentiation along the d axes.
    """

    def along(axis):
        return torch.func.jvp(lambda z: natural(pixels(model, z)), (z,), (axis.expand_as(z),))[1]

    p = pixels(model, z)
    jacobian = torch.func.vmap(along)(torch.eye(z.shape[-1], dtype=z.dtype, device=z.device))
    jacobian = jacobian.flatten(start_dim=2).double().movedim(0, 1)  # (M, d, pixels)
    residual, variance = ((v.double()).flatten(start_dim=1) for v in (x - p.mean, p.variance.expand_as(p.mean)))
    precision = model.prior.variance.double().reciprocal()
    score = (jacobian @ residual[..., None])[..., 0] - (z - model.prior.mean) * precision
    fisher = (jacobian * variance[:, None]) @ jacobian.mT + precision.diag()
    return Slopes(score_pixels(p, x) + log_prior(model, z), score, fisher)


@dataclass(frozen=True)
class Peaks:
    """The peaks of P(x|z) P(z) for N images, those with most mass first, each with the normal that fits it.

    K is the most that any image has; rows that an image does not need are empty: `real` is False there, and
    `log_mass` is -inf.
    """

    real: Tensor  # (N, K) bool
    z: Tensor  # (N, K, d) the top
    height: Tensor  # (N, K) log P(x|z) P(z) there
    covariance: Tensor  # (N, K, d, d) of the fitted normal
    log_mass: Tensor  # (N, K) nats: the integral of P(x|z) P(z) if the peak were that normal (Laplace)
    decodes: Tensor  # (N,) decoder evaluations the climbs took


def find_peaks(model, x: Tensor, starts: Tensor, merge: float = MERGE) -> Peaks:
    """Climbs from `starts` (N, K, d) and keeps one climb for each peak that matters; x (N, *image_shape).

    Args:
        merge: tops closer than this many standard deviations count as one peak
    """
    z, now, decodes = climb(model, x, starts)
    log_mass = now.height + 0.5 * (z.shape[-1] * math.log(2 * math.pi) - now.fisher.logdet())
    log_mass = log_mass.masked_fill(shadowed(z, now, merge), -math.inf)
    log_mass = log_mass.masked_fill(log_mass < log_mass.amax(dim=1, keepdim=True) - NEGLIGIBLE, -math.inf)
    log_mass, order = (v[:, :MOST] for v in log_mass.sort(dim=1, descending=True))
    z, height, fisher = (v[torch.arange(len(x), device=x.device)[:, None], order] for v in (z, now.height, now.fisher))
    return Peaks(log_mass.isfinite(), z, height, fisher.inverse(), log_mass, decodes)


def climb(model, x: Tensor, z: Tensor, steps: int = 20) -> tuple[Tensor, Slopes, Tensor]:
    """Gauss-Newton, damped where a step would lead down (Levenberg-Marquardt), from z (N, K, d) up the landscape.

    A climb ends when another step promises less than a thousandth of a nat, when it meets a higher climb, or when it
    looks hopeless beside the best.

    Returns:
        Where the climbs ended, the slopes there, and the decodes each image took.
    """
    n, k, d = z.shape
    z = z.clone()
    every = slopes(model, x.repeat_interleave(k, 0), z.flatten(end_dim=1))
    now = Slopes(*(v.reshape(n, k, *v.shape[1:]) for v in every))
    damping = torch.zeros(n, k, dtype=z.dtype, device=z.device)
    decodes = torch.full((n,), k * (d + 1), device=z.device)
    for _ in range(steps):
        promise = 0.5 * (now.score * torch.linalg.solve(now.fisher, now.score)).sum(-1)  # nats, were it a parabola
        hopeless = now.height + 2 * promise < now.height.amax(dim=1, keepdim=True) - HOPELESS
        going = (promise > 1e-3) & ~hopeless & ~shadowed(z, now, MEET) & (decodes < PATIENCE)[:, None]
        i, j = going.nonzero(as_tuple=True)
        if not len(i):
            break
        fisher = now.fisher[i, j]
        fisher = fisher + damping[i, j, None, None] * fisher.diagonal(dim1=-2, dim2=-1).diag_embed()
        trial = z[i, j] + torch.linalg.solve(fisher, now.score[i, j])
        there = slopes(model, x[i], trial)
        decodes += torch.bincount(i, minlength=n) * (d + 1)
        up = there.height > now.height[i, j]
        damping[i, j] = torch.where(up, damping[i, j] / 10, (10 * damping[i, j]).clamp(min=0.1))
        i, j = i[up], j[up]
        z[i, j] = trial[up]
        for old, new in zip(now, there, strict=True):
            old[i, j] = new[up]
    return z, now, decodes


def shadowed(z: Tensor, now: Slopes, reach: float) -> Tensor:
    """(N, K), True where a higher climb of the same image stands within `reach` standard deviations."""
    away = z[:, :, None] - z[:, None]  # (N, K, K, d), from the second K to the first
    near = torch.einsum("nkjd,njde,nkje->nkj", away, now.fisher, away) < reach**2
    rank = now.height.argsort(dim=1, descending=True, stable=True).argsort(dim=1)  # breaks ties
    return (near & (rank[:, :, None] > rank[:, None])).any(2)
