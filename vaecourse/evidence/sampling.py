"""log P(x) by chance: the law of total probability, P(x) = E[P(x|z)], with draws instead of a sum over all z.

Every estimator averages weights w with E[w] = P(x), so P(x) itself is estimated without bias; its logarithm then comes
out low on average, and far too low when one lucky draw in a million carries the integral. Weights stay in log space:
P(x|z) of an image underflows long before it is negligible beside the others.

Models are handed in as `Model` describes; any latent dimension. `generator` draws; None is one with seed 0.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Categorical, Distribution, Independent, MixtureSameFamily, MultivariateNormal, Normal

from .. import memory
from ..images import as_generator
from ..model import as_count, verdict
from ..names import did_you_mean
from .draws import called, diagonal, draw, moment
from .estimate import Estimate
from .integrand import (
    KEPT,
    Model,
    Table,
    check_reach,
    check_smooth,
    check_x,
    codes_at_once,
    log_integrand,
    log_prior,
    no_slope,
    not_a_number,
    pixels,
    prior_gradient,
    score_pixels,
)
from .peaks import find_peaks

__all__ = ["annealed", "importance", "iwae", "log_weights", "monte_carlo"]

# What is drawn in one go. A seed gives other numbers with other blocks, so these do not follow from the memory.
PRIOR_DRAWS, IMAGES, DRAWS, CHAINS = 4096, 256, 1024, 4096

# What log P(x|z) costs together with its gradient, in decodes: there, and back to z but not to the weights. Measured on
# one core with the decoders of the course: 1.7 to 1.9. (With the weights it would be three.)
GRADIENT = 2


@verdict
def monte_carlo(model: Model, x: Any, samples: int = 1000, *, generator: torch.Generator | None = None) -> Estimate:
    """The naive way: draw z from the prior and average P(x|z).

    All images share the draws, so `samples` decodes serve them all. The error is the delta method's,
    sd(w) / (mean(w) sqrt(samples)). It lies when no draw came near the needle: an `ess` close to 1 says so.
    """
    samples, x = as_count(samples, "samples"), check_x(model, x)
    generator = as_generator(generator, x.device)
    size = memory.at_once(8 * x[0].numel(), "a picture", share=KEPT)
    images = memory.at_once(16 * x[0].numel() + 32 * min(size, PRIOR_DRAWS), "an image")
    parts = [(part, _Sums()) for part in x.split(images)]
    for n in _blocks(samples, PRIOR_DRAWS):
        for z in draw(model.prior, n, generator).split(size):
            table = Table(model, z)
            for part, sums in parts:
                sums.add(table.log_likelihood(part))
    none = torch.zeros(len(x), dtype=torch.int64, device=x.device).split(images)
    found = [sums.estimate(spent) for (_, sums), spent in zip(parts, none, strict=True)]
    return replace(_join(found), shared_decodes=samples)


@verdict
def importance(
    model: Model,
    x: Any,
    samples: int = 1000,
    proposal: str = "encoder",
    *,
    generator: torch.Generator | None = None,
) -> Estimate:
    """Importance sampling: draw z where it may matter and divide by how often one looks there, P(x|z) P(z) / Q(z).

    Args:
        proposal: "encoder": Q(z|x), which must not be narrower than P(z|x) anywhere for the error to be honest;
            "defensive": half Q(z|x), two fifths Q(z|x) four times as wide, a tenth the prior, so that no weight exceeds
            ten times the likelihood (Hesterberg 1995); where both are normals with independent coordinates; "laplace":
            normals fitted to the peaks that a climb from the encoder's guess, if there is an encoder, and from the
            eight best of 512 draws of the prior finds (and of the middles of its parts, if it is a mixture), half as
            wide again in variance. The error knows nothing of a peak that was not found.

    Raises:
        ValueError: For an unknown proposal and for one that cannot be made of this model.
        TypeError: For want of an encoder.
    """
    samples = as_count(samples, "samples")
    if proposal not in _PROPOSALS:
        near = did_you_mean(proposal, _PROPOSALS)
        raise ValueError(f"proposal must be one of {', '.join(_PROPOSALS)}; got {proposal!r}.{near}")
    x = check_x(model, x)
    generator, parts = as_generator(generator, x.device), []
    for part in x.split(min(IMAGES, memory.at_once(32 * DRAWS * model.latent_dim, "an image", share=0.5))):
        q, spent, shared = _PROPOSALS[proposal](model, part, generator)
        sums = _Sums()
        for n in _blocks(samples, DRAWS):
            sums.add(log_weights(model, part, q, n, generator))
        parts.append(sums.estimate(spent + samples, shared))
    return _join(parts)


@verdict
def iwae(model: Model, x: Any, k: int, *, generator: torch.Generator | None = None, repeats: int = 1) -> Estimate:
    """The bound E[log mean of k weights] <= log P(x), with z from the encoder; k = 1 is the ELBO.

    Rises with k towards log P(x) (Burda, Grosse and Salakhutdinov, "Importance Weighted Autoencoders", 2016). The error
    is the standard error over `repeats` independent estimates, None for a single one.

    Raises:
        TypeError: For want of an encoder.
    """
    k, repeats, x = as_count(k, "k"), as_count(repeats, "repeats"), check_x(model, x)
    generator = as_generator(generator, x.device)
    bounds = torch.stack([importance(model, x, k, generator=generator).log_p_x for _ in range(repeats)])
    error = bounds.std(0) / math.sqrt(repeats) if repeats > 1 else None
    return Estimate(bounds.mean(0), error, torch.full((len(x),), k * repeats, device=x.device))


def log_weights(
    model: Model,
    x: Tensor,
    q: Distribution,
    samples: int,
    generator: torch.Generator | None = None,
) -> Tensor:
    """log P(x|z) P(z) / q(z), (N, samples), for draws z from q, one
    distribution for each image x (N, ...).
    """
    z = draw(q, samples, as_generator(generator, x.device))
    log_q = q.log_prob(z.movedim(1, 0)).movedim(0, 1).double()
    image = torch.arange(len(x), device=x.device).repeat_interleave(samples)
    height = log_integrand(model, x, image, z.flatten(end_dim=1))
    return height.reshape(log_q.shape) - log_q


_Proposal = tuple[Distribution, Tensor, int]  # one for each image, the decodes each took, and those all shared


def _encoder(model: Model, x: Tensor, _generator: torch.Generator) -> _Proposal:
    q = _guess(model, x)
    check_reach(q, model.prior)
    return q, torch.zeros(len(x), dtype=torch.int64, device=x.device), 0


def _defensive(model: Model, x: Tensor, _generator: torch.Generator) -> _Proposal:
    q, prior = diagonal(_guess(model, x)), diagonal(model.prior)
    if q is None or prior is None:
        raise ValueError(
            'proposal "defensive" mixes Q(z|x) and P(z), both normal with independent coordinates: '
            'Independent(Normal(…), 1). Take proposal="encoder" or "laplace" here.'
        )
    mean = torch.stack([q.mean, q.mean, prior.mean.expand_as(q.mean)], dim=1)
    scale = torch.stack([q.stddev, 4 * q.stddev, prior.stddev.expand_as(q.mean)], dim=1)
    shares = torch.tensor([0.5, 0.4, 0.1], device=x.device).expand(len(x), 3)
    mixture = MixtureSameFamily(Categorical(shares), Independent(Normal(mean, scale), 1))
    return mixture, torch.zeros(len(x), dtype=torch.int64, device=x.device), 0


def _laplace(model: Model, x: Tensor, generator: torch.Generator) -> _Proposal:
    check_smooth(model, 'proposal "laplace"')
    prior, looks = model.prior, [draw(model.prior, 512, generator)]
    if isinstance(prior, MixtureSameFamily):  # its parts may lie so far apart that the best draws are all of one
        looks.append(prior.component_distribution.mean)
    table = Table(model, torch.cat(looks))
    heights = (table.log_likelihood(x) + table.log_prior).split([len(z) for z in looks], dim=1)
    best = [z[height.topk(min(8, len(z)), dim=1).indices] for z, height in zip(looks, heights, strict=True)]
    guess = moment(_guess(model, x), "mean") if hasattr(model, "encode") else torch.tensor(torch.nan)
    starts = torch.cat([*([guess[:, None]] if guess.isfinite().all() else []), *best], dim=1).double()
    peaks = find_peaks(model, x, starts, merge=3.0)  # close peaks are cheap here, and missing one is not
    round_ = torch.eye(model.latent_dim, dtype=torch.float64, device=x.device)
    wider = MultivariateNormal(peaks.z.double(), 1.5 * peaks.covariance.where(peaks.real[..., None, None], round_))
    shares = Categorical(logits=peaks.log_mass.clamp(min=-1e300))
    return MixtureSameFamily(shares, wider), peaks.decodes, len(table.z)


def _guess(model: Model, x: Tensor) -> Distribution:
    """Q(z|x) of a model that has an encoder, for images x (N, *image_shape)."""
    if not hasattr(model, "encode"):
        raise TypeError(
            f"this needs model.encode(x), a guess Q(z|x), and {type(model).__name__} has none. evidence.monte_carlo, "
            'evidence.annealed and evidence.importance(…, proposal="laplace") do without.'
        )
    q: Distribution = model.encode(x)
    shape = (len(x),), (model.latent_dim,)
    if not isinstance(q, Distribution) or (q.batch_shape, q.event_shape) != shape:
        raise ValueError(
            f"model.encode(x) must be a distribution with the batch shape {shape[0]} and the event shape {shape[1]}; "
            f"got {called(q)}. For coordinates that know nothing of each other: Independent(…, 1)."
        )
    return q


_PROPOSALS = {"encoder": _encoder, "defensive": _defensive, "laplace": _laplace}


@verdict
def annealed(
    model: Model, x: Any, steps: int = 100, chains: int = 16, *, generator: torch.Generator | None = None
) -> Estimate:
    """Annealed importance sampling (Neal 2001): walk from the prior to the posterior through P(z) P(x|z)^beta.

    beta rises as (t / steps)^4 from 0 to 1. At each step every chain makes one Langevin move (a stride along the
    gradient and a random one, taken or not by Metropolis' rule), whose length is steered towards 60 % acceptance, image
    by image, as in Wu et al., "On the quantitative analysis of decoder-based generative models", 2017. Each move takes
    one gradient, which costs `GRADIENT` decodes.

    Raises:
        ValueError: For a prior with an edge.
    """
    steps, chains, x = as_count(steps, "steps"), as_count(chains, "chains"), check_x(model, x)
    check_smooth(model, "evidence.annealed")
    generator = as_generator(generator, x.device)
    return _join([_anneal(model, part, steps, chains, generator) for part in x.split(max(1, CHAINS // chains))])


def _anneal(model: Model, x: Tensor, steps: int, chains: int, generator: torch.Generator) -> Estimate:
    n, shape = len(x), (len(x), chains, model.latent_dim)
    image = torch.arange(n, device=x.device).repeat_interleave(chains)
    size = codes_at_once(x, share=0.2)  # what the way back remembers comes on top

    def look(z: Tensor) -> tuple[Tensor, Tensor]:
        """log P(x|z), (N, chains), and its gradient, at codes z (N, chains, d)."""
        z = z.detach().flatten(end_dim=1)
        value, slope = z.new_empty(len(z)), torch.empty_like(z)
        for some in torch.arange(len(z), device=z.device).split(size):
            with torch.enable_grad():
                part = z[some].requires_grad_()
                score = score_pixels(pixels(model, part), x[image[some]])
                try:
                    slope[some] = torch.autograd.grad(score.sum(), part)[0]
                except RuntimeError as error:
                    raise no_slope(error) from error
            value[some] = score.detach()
        return value.reshape(n, chains), slope.reshape(shape)

    def noise() -> Tensor:
        return torch.randn(shape, generator=generator, device=x.device).double()

    z = draw(model.prior, n * chains, generator).reshape(shape).double()
    value, slope = look(z)
    log_w, accepted, beta = torch.zeros_like(value), value.new_zeros(n), 0.0
    stride = torch.full((n, 1, 1), 0.5, dtype=z.dtype, device=x.device)
    for t in range(1, steps + 1):
        before, beta = beta, (t / steps) ** 4
        log_w += (beta - before) * value
        momentum = noise()
        half = momentum + 0.5 * stride * (beta * slope + prior_gradient(model, z))
        z_new = z + stride * half
        nowhere = ~z_new.isfinite().all(-1, keepdim=True)
        z_new = z_new.where(~nowhere, z)
        value_new, slope_new = look(z_new)
        end = half + 0.5 * stride * (beta * slope_new + prior_gradient(model, z_new))
        log_ratio = beta * (value_new - value) + log_prior(model, z_new) - log_prior(model, z)
        log_ratio += 0.5 * (momentum.square() - end.square()).sum(-1)
        coin = torch.rand(n, chains, generator=generator, device=x.device).double()
        # A stride into nowhere is not taken.
        take = (log_ratio.nan_to_num(-math.inf) > coin.log()) & ~nowhere[..., 0]
        z, slope = z.where(~take[..., None], z_new), slope.where(~take[..., None], slope_new)
        value = value.where(~take, value_new)
        rate = take.double().mean(1)
        accepted = accepted + rate / steps
        stride = stride * torch.where(rate > 0.6, 1.2, 1 / 1.2)[:, None, None]
    sums = _Sums()
    sums.add(log_w)
    return replace(
        sums.estimate(torch.full((n,), GRADIENT * chains * (steps + 1), device=x.device)), acceptance=accepted
    )


class _Sums:
    """Running sums of weights and of their squares, in log space: memory does not grow with the number of draws."""

    def __init__(self) -> None:
        self.count = 0
        self.log_sum: Tensor | None = None
        self.log_squares: Tensor | None = None

    def add(self, log_w: Tensor) -> None:
        once, twice = log_w.logsumexp(1), (2 * log_w).logsumexp(1)
        self.log_sum = once if self.log_sum is None else torch.logaddexp(self.log_sum, once)
        self.log_squares = twice if self.log_squares is None else torch.logaddexp(self.log_squares, twice)
        self.count += log_w.shape[1]

    def estimate(self, decodes_per_image: Tensor, shared_decodes: int = 0) -> Estimate:
        assert self.log_sum is not None and self.log_squares is not None, "nothing was added up"
        n = self.count
        if self.log_sum.isnan().any():
            raise not_a_number()
        ess = (2 * self.log_sum - self.log_squares).exp().nan_to_num(0)  # NaN where all weights are zero
        # One draw tells nothing about the scatter of draws.
        error = ((1 / ess - 1 / n).clamp(min=0) * n / (n - 1)).sqrt() if n > 1 else torch.full_like(ess, math.inf)
        return Estimate(self.log_sum - math.log(n), error, decodes_per_image, shared_decodes, ess=ess)


def _blocks(total: int, size: int) -> list[int]:
    """`total` in blocks of at most `size`."""
    return [min(size, total - start) for start in range(0, total, size)]


def _join(parts: list[Estimate]) -> Estimate:
    """The estimates of successive images as one."""
    fields: dict[str, Any] = {}
    for name in ("log_p_x", "error", "decodes_per_image", "ess", "acceptance"):
        values = [getattr(part, name) for part in parts]
        fields[name] = None if values[0] is None else torch.cat(values)
    return Estimate(shared_decodes=sum(part.shared_decodes for part in parts), **fields)
