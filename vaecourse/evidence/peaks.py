"""The peaks of the integrand P(x|z) P(z), which hold its mass: a climb to each of them, and the normal that fits it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal

from .. import memory
from .draws import diagonal
from .integrand import CODE, Model, log_prior, natural, no_slope, pixels, prior_gradient, score_pixels, too_steep

__all__ = ["MOST", "Peaks", "find_peaks"]

HOPELESS = 50.0  # nats: a climb that promises to end this far below the best one is given up
MEET = 2.0  # standard deviations: a climb this close to a higher one is left to it
MERGE = 6.0  # standard deviations: tops this close count as one peak
MOST = 5  # peaks an image is granted
PATIENCE = 50  # places an image may look at before its climbs end where they are
NEGLIGIBLE = 12.0  # nats: a peak this far below the best one holds less than 1e-5 of the mass


def slope_cost(latent_dim: int) -> int:
    """How many decodes take as long as `slopes` at one code: the drawing, its derivative along each axis, and the rest.

    Measured on one core with the decoders of the course: 4.4 in two dimensions, 9 to 13 in ten, 24 to 37 in 32.
    """
    return latent_dim + 2


class Slopes(NamedTuple):
    height: Tensor  # (M,) log P(x|z) P(z)
    score: Tensor  # (M, d) its gradient
    fisher: Tensor  # (M, d, d) minus its expected curvature: J^T V^-1 J + the prior's precision


def slopes(model: Model, x: Tensor, image: Tensor, z: Tensor) -> Slopes:
    """The landscape around codes z (M, d) of the images x[image], image (M,); costs `slope_cost(d)` decodes each.

    With pixels of mean m(eta) and variance V(eta), the score is J^T (x - m) and the Fisher information J^T V J,
    where J = d eta / d z comes by forward differentiation along the d axes.
    """
    each = (CODE + 64 * z.shape[-1]) * x[0].numel()  # bytes: for each of the d axes a slope of every pixel
    size = memory.at_once(each, f"the slope of a picture of {' x '.join(map(str, x.shape[1:]))}")
    parts = [_slopes(model, x[i], c) for i, c in zip(image.split(size), z.split(size), strict=True)]
    return Slopes(*map(torch.cat, zip(*parts, strict=True)))


@torch.no_grad()
def _slopes(model: Model, x: Tensor, z: Tensor) -> Slopes:
    """The same for one image x (M, *image_shape) a code."""

    def drawn(z: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """eta, whose slope is wanted, and beside it the parameters of the pixels' distribution, by their names."""
        p = pixels(model, z)
        return natural(p), {"logits": p.logits} if isinstance(p, Bernoulli) else {"loc": p.loc, "scale": p.scale}

    def along(axis: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        found: Any = torch.func.jvp(drawn, (z,), (axis.expand_as(z),), has_aux=True)
        return found[1], found[2]

    axes = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
    stacked: Any = (0, None)  # the slopes, one for each axis; not the drawing, which is the same for all and made once
    try:
        jacobian, parameters = torch.func.vmap(along, out_dims=stacked)(axes)
    except RuntimeError as error:
        raise no_slope(error) from error
    jacobian = jacobian.flatten(start_dim=2).double().movedim(0, 1)  # (M, d, pixels)
    p = (Bernoulli if "logits" in parameters else Normal)(**parameters, validate_args=False)
    residual, variance = (v.double().flatten(start_dim=1) for v in (x - p.mean, p.variance))
    gradient = (jacobian @ residual[..., None])[..., 0] + prior_gradient(model, z)
    fisher = (jacobian * variance[:, None]) @ jacobian.mT + _prior_precision(model, z)
    return Slopes(score_pixels(p, x) + log_prior(model, z), gradient, fisher)


def _prior_precision(model: Model, z: Tensor) -> Tensor:
    """Minus the curvature of log P(z), (d, d) or (M, d, d). Where it is no valley's, its size stands for it."""
    if normal := diagonal(model.prior):
        return normal.variance.double().reciprocal().diag()
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        slope = prior_gradient(model, z, create_graph=True)
        rows = [torch.autograd.grad(column.sum(), z, retain_graph=True)[0] for column in slope.unbind(-1)]
    size, axes = torch.linalg.eigh(torch.stack(rows, 1).double())
    return axes @ (size.abs().clamp(min=1e-6)[..., None] * axes.mT)


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
    decodes: Tensor  # (N,) what the climbs cost, in decodes


def find_peaks(model: Model, x: Tensor, starts: Tensor, merge: float = MERGE) -> Peaks:
    """Climbs from `starts` (N, K, d) and keeps one climb for each peak that matters; x (N, *image_shape).

    Args:
        merge: tops closer than this many standard deviations count as one peak
    """
    try:
        z, now, decodes = climb(model, x, starts)
    except torch.linalg.LinAlgError as failure:
        raise too_steep() from failure
    log_mass = now.height + 0.5 * (z.shape[-1] * math.log(2 * math.pi) - now.fisher.logdet())
    log_mass = log_mass.masked_fill(shadowed(z, now, merge), -math.inf)
    log_mass = log_mass.masked_fill(log_mass < log_mass.amax(dim=1, keepdim=True) - NEGLIGIBLE, -math.inf)
    log_mass, order = (v[:, :MOST] for v in log_mass.sort(dim=1, descending=True))
    z, height, fisher = (v[torch.arange(len(x), device=x.device)[:, None], order] for v in (z, now.height, now.fisher))
    return Peaks(log_mass.isfinite(), z, height, fisher.inverse(), log_mass, decodes)


def climb(model: Model, x: Tensor, z: Tensor, steps: int = 20) -> tuple[Tensor, Slopes, Tensor]:
    """Gauss-Newton, damped where a step would lead down (Levenberg-Marquardt), from z (N, K, d) up the landscape.

    A climb ends when another step promises less than a thousandth of a nat, when it meets a higher climb, or when it
    looks hopeless beside the best.

    Returns:
        Where the climbs ended, the slopes there, and what each image's climbs cost, in decodes.
    """
    n, k, d = z.shape
    z = z.clone()
    every = slopes(model, x, torch.arange(n, device=z.device).repeat_interleave(k), z.flatten(end_dim=1))
    if not every.fisher.isfinite().all():
        raise too_steep()
    now = Slopes(*(v.reshape(n, k, *v.shape[1:]) for v in every))
    damping = torch.zeros(n, k, dtype=z.dtype, device=z.device)
    looks = torch.full((n,), k, device=z.device)
    for _ in range(steps):
        promise = 0.5 * (now.score * torch.linalg.solve(now.fisher, now.score)).sum(-1)  # nats, were it a parabola
        hopeless = now.height + 2 * promise < now.height.amax(dim=1, keepdim=True) - HOPELESS
        going = (promise > 1e-3) & ~hopeless & ~shadowed(z, now, MEET) & (looks < PATIENCE)[:, None]
        i, j = going.nonzero(as_tuple=True)
        if not len(i):
            break
        fisher = now.fisher[i, j]
        fisher = fisher + damping[i, j, None, None] * fisher.diagonal(dim1=-2, dim2=-1).diag_embed()
        trial = z[i, j] + torch.linalg.solve(fisher, now.score[i, j])
        trial = trial.where(trial.isfinite(), z[i, j])
        there = slopes(model, x, i, trial)
        looks += torch.bincount(i, minlength=n)
        up = there.height > now.height[i, j]
        damping[i, j] = torch.where(up, damping[i, j] / 10, (10 * damping[i, j]).clamp(min=0.1))
        i, j = i[up], j[up]
        z[i, j] = trial[up]
        for old, new in zip(now, there, strict=True):
            old[i, j] = new[up]
    return z, now, looks * slope_cost(d)


def shadowed(z: Tensor, now: Slopes, reach: float) -> Tensor:
    """(N, K), True where a higher climb of the same image stands within `reach` standard deviations."""
    away = z[:, :, None] - z[:, None]  # (N, K, K, d), from the second K to the first
    near = torch.einsum("nkjd,njde,nkje->nkj", away, now.fisher, away) < reach**2
    rank = now.height.argsort(dim=1, descending=True, stable=True).argsort(dim=1)  # breaks ties
    return (near & (rank[:, :, None] > rank[:, None])).any(2)
