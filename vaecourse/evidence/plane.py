"""log P(x) = log of the integral of P(x|z) P(z) over the plane, computed so that it can be called the truth.

The posterior of a picture is a needle: a hundredth of the prior's width or less, anywhere in the plane, and now and
then there are several. So quadrature goes in three steps: look at a coarse table of the whole plane, the same for all
images; climb from its best places (`peaks`); lay a small lattice, turned and stretched to the needle, on each
peak and add up what stands there. On such a lattice the plain sum converges exponentially fast (Trefethen and
Weideman, "The exponentially convergent trapezoidal rule", SIAM Review 56, 2014). Centre and axes of the lattice come
from a first, coarse one (Naylor and Smith, "Applications of a method for the efficient computation of posterior
distributions", Applied Statistics 31, 1982).
"""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d, pad
from tqdm.auto import tqdm

from .. import memory
from ..model import verdict
from .draws import called, moment
from .estimate import Estimate
from .integrand import (
    Model,
    Table,
    check_model,
    check_smooth,
    check_x,
    log_integrand,
    log_prior,
    natural,
    pixels,
    too_steep,
)
from .peaks import MOST, Peaks, find_peaks

__all__ = ["PlaneTable", "modes", "quadrature"]

BUDGET = 550  # decodes an image may take beyond the table, its climbs included
TOLERANCE = 1e-3  # nats
ROUGH, FINE, WIDEST = 1.2, 0.85, 1.3  # spacing of the first lattice and limits for the second, in standard deviations
ROUGH_DEPTH, DEPTH = 4.0, 11.0  # nats below the top down to which a lattice grows
REACH = 20  # lattice steps from the middle, at the most
FAR = 8.0  # standard deviations from a peak up to which its lattice is trusted to have looked


class PlaneTable(Table):
    """The decoded plane. Steps grow outwards, from .04 prior standard deviations to .5 at 12, as decoders soften there.

    Its 161 x 161 drawings take 81 MB for 28 x 28 pixels, in float32: it only says where to look. Make it once and hand
    it to `quadrature` and `modes` if you call them often. Of larger pictures it keeps no drawings, and costs its
    decodes at each call.

    Raises:
        ValueError: Unless the latent space is a plane, and for a prior too jagged for it.
    """

    @verdict
    def __init__(self, model: Model) -> None:
        check_model(model)
        if model.latent_dim != 2:
            raise ValueError(
                f"quadrature needs a latent plane, and this model has {model.latent_dim} latent dimensions. "
                "evidence.importance, evidence.annealed and evidence.monte_carlo work there."
            )
        check_smooth(model, "quadrature")
        mean, stddev = model.prior.mean, moment(model.prior, "stddev")
        self.stddev = stddev
        t = 0.04 * torch.arange(-80, 81, device=mean.device).double()
        self.side = len(t)
        z = torch.cartesian_prod(t.sinh(), t.sinh()) * stddev + mean
        area = torch.cartesian_prod(t.cosh(), t.cosh()).prod(1) * 0.04**2 * stddev.double().prod()
        self.log_area = area.log()  # of the cell that each code stands for
        whole = (log_prior(model, z) + self.log_area).exp().sum().item()
        if not abs(whole - 1) < 0.01:
            raise ValueError(
                f"P(z) adds up to {whole:.3g} over quadrature's table of codes, not to 1: it is narrower somewhere "
                "than the table's steps, or reaches beyond it. evidence.importance looks closer."
            )
        variance = pixels(model, z[:1]).variance.double().min()
        super().__init__(model, z, torch.float32 if variance > 1e-30 else torch.float64)
        self._sample = self._look(model)

    def _look(self, model: Model) -> list[Tensor]:
        """What a model says of some of the codes, and its prior of all."""
        p = pixels(model, self.z[:: len(self.z) // 40])
        return [natural(p), p.variance.expand_as(p.mean), log_prior(model, self.z).exp()]

    def check(self, model: Model) -> None:
        """Raises ValueError unless the table is one of this very model, where it is and with the weights it has now."""
        for old, new in zip(self._sample, self._look(model), strict=True):
            same = (old.shape, old.device) == (new.shape, new.device)
            if not same or not (old - new).abs().max() <= 1e-4 * old.abs().max():
                raise ValueError(
                    "the table was made from another model, or before this one was trained further. Make a new one: "
                    "evidence.PlaneTable(model)."
                )

    def log_integrand(self, x: Tensor) -> Tensor:
        """log P(x|z) P(z), (N, G), of images x at the codes of the table."""
        return self.log_likelihood(x) + self.log_prior

    def starts(self, height: Tensor, maxima: int = 6, others: int = 6) -> Tensor:
        """Where to climb from, (N, K, 2), given the heights (N, G): the best
        local maxima, and the best of the rest.

        The rest is for peaks closer together than the table's steps, which
        stand on each other's slopes.
        """
        plane = height.unflatten(1, (self.side, self.side))
        highest_around = max_pool2d(plane, 3, stride=1, padding=1)
        is_maximum = (plane == highest_around).flatten(start_dim=1)
        best = height.masked_fill(~is_maximum, -math.inf).topk(maxima).indices
        rest = height.masked_fill(is_maximum, -math.inf).topk(others).indices
        return self.z[torch.cat([best, rest], 1)]


@verdict
def quadrature(model: Model, x: Any, table: PlaneTable | None = None, progress: bool = False) -> Estimate:
    """log P(x) of images x (N, *image_shape) in a latent plane: the truth, with a bound on its error.

    Spends at most 550 decodes an image beyond the table. `converged` says for each image whether the bound is below
    1e-3 nats; where it is not, `error` only tells the size of the trouble.

    Args:
        table: the decoded plane, if it was made before
        progress: shows a bar

    Raises:
        ValueError: For another latent dimension, wrong images, a prior with an edge, and a table that is not this
            model's.
    """
    x, table = _prepared(model, x, table)
    parts = []
    with tqdm(total=len(x), unit="image", disable=not progress, dynamic_ncols=True) as bar:
        for part in x.split(_images_at_once(table)):
            parts.append(_integrate(model, part, table))
            bar.update(len(part))
    log_p_x, error, spent = (torch.cat(values) for values in zip(*parts, strict=True))
    shared = len(table.z) * (1 if table.kept else len(parts))
    return Estimate(log_p_x, error, spent, shared, converged=error < TOLERANCE)


@verdict
def modes(model: Model, x: Any, table: PlaneTable | None = None) -> Peaks:
    """The peaks of the posterior P(z|x), those with most mass first; `log_mass` is what each holds of log P(x).

    The first one's `z` is the MAP, and `height` the integrand there; `z` and `covariance` of all are those of the top.

    Raises:
        ValueError: As `quadrature` does.
    """
    x, table = _prepared(model, x, table)
    blocks = x.split(_images_at_once(table))
    parts = [find_peaks(model, part, table.starts(table.log_integrand(part))) for part in blocks]
    width = max(part.z.shape[1] for part in parts)
    joined = {}
    for name in ("real", "z", "height", "covariance", "log_mass"):
        fill = {"real": False}.get(name, -math.inf if name == "log_mass" else math.nan)
        blocks = [getattr(part, name) for part in parts]
        blocks = [pad(b, [0, 0] * (b.ndim - 2) + [0, width - b.shape[1]], value=fill) for b in blocks]
        joined[name] = torch.cat(blocks)
    return Peaks(**joined, decodes=torch.cat([part.decodes for part in parts]))


def _prepared(model: Model, x: Any, table: PlaneTable | None) -> tuple[Tensor, PlaneTable]:
    x = check_x(model, x)
    if table is None:
        return x, PlaneTable(model)
    if not isinstance(table, PlaneTable):
        raise TypeError(f"table must be an evidence.PlaneTable(model); got {called(table)}.")
    table.check(model)
    return x, table


def _images_at_once(table: PlaneTable) -> int:
    """An image needs some copies of its heights in the table, and of the nodes of its lattices, in float64."""
    return memory.at_once(8 * (5 * len(table.z) + 4 * MOST * (2 * REACH + 1) ** 2), "an image")


def _integrate(model: Model, x: Tensor, table: PlaneTable) -> tuple[Tensor, Tensor, Tensor]:
    """log P(x) of a few images, its error, and the decodes spent; each (N,)."""
    height = table.log_integrand(x)
    peaks = find_peaks(model, x, table.starts(height))
    try:
        masses, doubt, spent = _masses(model, x, peaks)
    except torch.linalg.LinAlgError as failure:
        raise too_steep() from failure
    log_p_x = masses.logsumexp(1)
    error = ((masses - log_p_x[:, None]).exp() * doubt).sum(1)
    # A decoder rounds, and the steeper P(x|z), the more that matters.
    p = pixels(model, peaks.z[:, 0])
    rounded = torch.finfo(p.mean.dtype).eps * ((x - p.mean) * natural(p)).flatten(1).double().norm(dim=1)
    error = error + rounded.where(rounded > TOLERANCE, 0)
    height += table.log_area
    # Where the table is finer than the lattices, it must add up to the same: a decoder may jump between their nodes.
    step = 0.04 * (1 + (peaks.z / table.stddev).square()).sqrt() * table.stddev
    thin = torch.linalg.eigvalsh(peaks.covariance)[..., 0].sqrt()
    broad = ((thin > 4 * step.amax(-1)) | ~peaks.real).all(1)
    jump = (height.logsumexp(1) - log_p_x).abs()
    error = error + jump.where(broad & (jump > TOLERANCE), 0)
    # What the table sees far away from every peak was not added up.
    for heights, real, top, precision in zip(height, peaks.real, peaks.z, peaks.covariance.inverse(), strict=True):
        away = table.z[:, None] - top[real]  # (G, K, 2)
        heights[(torch.einsum("gki,kij,gkj->gk", away, precision[real], away) < FAR**2).any(1)] = -math.inf
    return log_p_x, error + (height.logsumexp(1) - log_p_x).exp().clamp(max=math.inf), spent


def _masses(model: Model, x: Tensor, peaks: Peaks) -> tuple[Tensor, Tensor, Tensor]:
    """The masses of the peaks of a few images (N, K), the share of each that may be wrong, and the decodes (N,)."""
    rough = lay(model, x, peaks, peaks.decodes, torch.full((len(x),), ROUGH, device=x.device).double(), ROUGH_DEPTH)
    # As fine as the budget allows: the size of the first lattice tells how many nodes the second will ask for.
    spacing = (ROUGH * (rough.size / (0.9 * (BUDGET - rough.spent))).sqrt()).clamp(FINE, WIDEST)
    fine = lay(model, x, rough.peaks, rough.spent, spacing, DEPTH)
    masses, doubt, spent = fine.peaks.log_mass, fine.uneven**1.5 + fine.rim, fine.spent
    error = ((masses - masses.logsumexp(1, keepdim=True)).exp() * doubt).sum(1)
    again = ((error > TOLERANCE) & (spent + fine.size <= BUDGET)).nonzero()[:, 0]
    if len(again):
        # A second such lattice, in the middles of the first one's cells: the two together are finer by the root of 2.
        some = Peaks(*(getattr(rough.peaks, field.name)[again] for field in fields(Peaks)))
        other = lay(model, x[again], some, spent[again], spacing[again], DEPTH, shift=0.5)
        first, second = masses[again], other.peaks.log_mass
        masses[again] = torch.logaddexp(first, second) - math.log(2)
        uneven = torch.tanh((first - second) / 2).nan_to_num()  # half their difference, as a share of their mean
        doubt[again] = uneven.abs() ** 1.5 + torch.maximum(fine.rim[again], other.rim)
        spent[again] = other.spent
    return masses, doubt, spent


class Patch(NamedTuple):
    """What lattices over the peaks of N images found."""

    peaks: Peaks  # with the mass, mean and covariance found there
    uneven: Tensor  # (N, K) by what share lattices of doubled spacing disagree
    rim: Tensor  # (N, K) share of the mass that stands at the edge of what was asked
    spent: Tensor  # (N,) decodes so far
    size: Tensor  # (N,) how many nodes stand within DEPTH nats of the image's top


def lay(
    model: Model, x: Tensor, peaks: Peaks, spent: Tensor, spacing: Tensor, depth: float, shift: float = 0.0
) -> Patch:
    """Lays a lattice on each peak and adds up what stands there; it grows where the integrand is not yet negligible.

    spent (N,) decodes so far; spacing (N,) of the nodes in standard deviations of the peak; depth in nats: nodes with
    a neighbour less than that below the image's top are asked, until the budget is used up.
    """
    image, k = peaks.real.nonzero(as_tuple=True)
    line = torch.arange(-REACH, REACH + 1, device=x.device)
    steps = torch.cartesian_prod(line, line)
    root = torch.linalg.cholesky(peaks.covariance)
    log_area = root.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    z = peaks.z[image, k, None] + spacing[image, None, None] * (steps + shift).double() @ root[image, k].mT  # (R, P, 2)
    # Where peaks overlap, each takes the share that the normals which fit them claim: all shares add up to 1.
    claims = torch.stack([_claim(peaks, other, root, image, z) for other in range(root.shape[1])], dim=1)  # (R, K, P)
    claims = claims.log_softmax(1)[torch.arange(len(image), device=x.device), k]
    log_cell = (log_area[image, k] + 2 * spacing[image].log())[:, None]
    mass, known, spent = _grow(model, x, image, z, steps, claims + log_cell, spent, spacing, depth)
    share = mass.softmax(1)
    mean = (share[..., None] * z).sum(1)
    away = z - mean[:, None]
    found = replace(peaks, z=peaks.z.clone(), covariance=peaks.covariance.clone(), log_mass=peaks.log_mass.clone())
    found.z[image, k], found.covariance[image, k] = mean, (share[..., None] * away).mT @ away
    # A lattice that steps over a peak sees it on one node, with no width at all: leave it a quarter of a step.
    unit = torch.linalg.solve_triangular(root[image, k], away.mT, upper=False)  # (R, 2, P), as the lattice measures
    least = (spacing[image] / 4).square()
    thin = torch.linalg.eigvalsh((unit * share[:, None]) @ unit.mT)[:, 0] < least
    found.covariance[image, k] += (thin * least)[:, None, None] * peaks.covariance[image, k]
    found.log_mass[image, k] = mass.logsumexp(1)
    # The four lattices of doubled spacing inside this one are estimates too. Halving the spacing squares the error of
    # a normal peak; of others a little less, so the power 1.5 is taken. The rim stands for what lies beyond.
    parity = steps % 2 @ torch.tensor([1, 2], device=x.device)
    quarters = torch.stack([4 * (share * (parity == p)).sum(1) for p in range(4)])
    uneven, rim = torch.zeros_like(peaks.log_mass), torch.zeros_like(peaks.log_mass)
    uneven[image, k] = (quarters - 1).abs().amax(0)
    rim[image, k] = (share * _spread(~known, True)).sum(1)
    top = mass.new_full((len(x),), -math.inf).scatter_reduce(0, image, mass.amax(1), "amax")
    size = torch.zeros_like(spent).index_add(0, image, _spread(mass > top[image, None] - DEPTH).sum(1))
    return Patch(found, uneven, rim, spent, size)


def _claim(peaks: Peaks, k: int, root: Tensor, image: Tensor, z: Tensor) -> Tensor:
    """The log of the normal that fits the k-th peak of the images, at nodes z (R, P, 2); (R, P)."""
    away = torch.linalg.solve_triangular(root[image, k], (z - peaks.z[image, k, None]).mT, upper=False)
    log_area = root[image, k].diagonal(dim1=-2, dim2=-1).log().sum(-1)
    return (peaks.log_mass[image, k] - log_area)[:, None] - 0.5 * away.square().sum(1)


def _grow(
    model: Model,
    x: Tensor,
    image: Tensor,
    z: Tensor,
    steps: Tensor,
    log_weight: Tensor,
    spent: Tensor,
    spacing: Tensor,
    depth: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """The log of what stands on each node (R, P), which nodes were asked, and the decodes spent on each image (N,).

    Grows downwards level by level, so that an image whose budget runs out has at least its heights in full.
    """
    mass = torch.full_like(log_weight, -math.inf)
    known = torch.zeros_like(mass, dtype=torch.bool)
    ask = steps.square().sum(1) <= (2 / spacing[image, None]) ** 2
    level = mass.new_full((len(x),), 3)
    while True:
        bill = torch.zeros_like(spent).index_add(0, image, ask.sum(1))
        broke = spent + bill > BUDGET
        level = torch.where(bill == 0, level + 2, level)
        if (broke | (level >= depth + 2)).all():
            return mass, known, spent
        ask = ask & ~broke[image, None]
        if ask.any():
            row = ask.nonzero()[:, 0]
            mass[ask] = log_integrand(model, x, image[row], z[ask]) + log_weight[ask]
        known, spent = known | ask, spent + torch.where(broke, 0, bill)
        top = mass.new_full((len(x),), -math.inf).scatter_reduce(0, image, mass.amax(1), "amax")
        ask = _spread(mass > (top - level.clamp(max=depth))[image, None]) & ~known


def _spread(marked: Tensor, edge: bool = False) -> Tensor:
    """Marks the marked nodes (R, P) and their neighbours; `edge` says whether what lies beyond counts as marked."""
    side = 2 * REACH + 1
    grid = pad(marked.double().reshape(-1, 1, side, side), (1, 1, 1, 1), value=float(edge))
    return (max_pool2d(grid, 3, stride=1) > 0).reshape(marked.shape)
