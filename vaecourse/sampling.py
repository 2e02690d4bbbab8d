"""log P(x) by chance: the law of total probability, P(x) = E[P(x|z)], with draws instead of a sum over all z.

Every estimator averages weights w with E[w] = P(x), so P(x) itself is estimated without bias; its logarithm then comes
out low on average, and far too low when one lucky draw in a million carries the integral. Weights stay in log space:
P(x|z) of an image underflows long before it is negligible beside the others.

Models are handed in as `vaecourse.modes` describes; any latent dimension.
"""

from __future__ import annotations

import difflib
import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Categorical, Distribution, Independent, MixtureSameFamily, MultivariateNormal, Normal

from .modes import BLOCK, Table, check_x, find_peaks, log_integrand, log_prior, pixels, score_pixels
from .plane import Estimate

__all__ = ["annealed", "importance", "iwae", "log_weights", "monte_carlo"]


def monte_carlo(model, x: Tensor, samples: int = 1000, *, generator: torch.Generator) -> Estimate:
    """The naive way: draw z from the prior and average P(x|z).

    All images share the draws, so `samples` decodes serve them all. The error is the delta method's,
    sd(w) / (mean(w) sqrt(samples)). It lies when no draw came near the needle: an `ess` close to 1 says so.
    """
    _check(generator, samples=samples)
    x = check_x(model, x)
    prior, sums = model.prior, _Sums()
    for n in _blocks(samples, BLOCK):
        noise = torch.randn(n, model.latent_dim, generator=generator, device=x.device)
        table = Table(model, prior.mean + prior.stddev * noise)
        sums.add(torch.cat([table.log_likelihood(part) for part in x.split(BLOCK)]))
    return sums.estimate(torch.zeros(len(x), dtype=torch.int64), shared_decodes=samples)


def importance(
    model, x: Tensor, samples: int = 1000, proposal: str = "encoder", *, generator: torch.Generator
) -> Estimate:
    """Importance sampling: draw z where it may matter and divide by how often one looks there, P(x|z) P(z) / Q(z).

    Args:
        proposal: "encoder": Q(z|x), which must not be narrower than P(z|x) anywhere for the error to be honest;
            "defensive": half Q(z|x), two fifths Q(z|x) four times as wide, a tenth the prior, so that no weight exceeds
            ten times the likelihood (Hesterberg 1995); "laplace": normals fitted to the peaks that a climb from the
            encoder's guess and from the eight best of 512 draws of the prior finds, half as wide again in variance.

    Raises:
        ValueError: For an unknown proposal.
    """
    _check(generator, samples=samples)
    if proposal not in _PROPOSALS:
        near = difflib.get_close_matches(str(proposal), _PROPOSALS, n=1, cutoff=0)[0]
        raise ValueError(f"proposal must be one of {', '.join(_PROPOSALS)}; got {proposal!r}. Did you mean {near!r}?")
    x = check_x(model, x)
    parts = []
    for part in x.split(256):
        q, spent, shared = _PROPOSALS[proposal](model, part, generator)
        sums = _Sums()
        for n in _blocks(samples, 1024):
            sums.add(log_weights(model, part, q, n, generator))
        parts.append(sums.estimate(spent + samples, shared))
    return _join(parts)


def iwae(model, x: Tensor, k: int, *, generator: torch.Generator, repeats: int = 1) -> Estimate:
    """The bound E[log mean of k weights] <= log P(x), with z from the encoder; k = 1 is the ELBO.

    Rises with k towards log P(x) (Burda, Grosse and Salakhutdinov, "Importance Weighted Autoencoders", 2016).
    The error is the standard error over `repeats` independent estimates, None for a single one.
    """
    _check(generator, k=k, repeats=repeats)
    x = check_x(model, x)
    bounds = torch.stack([importance(model, x, k, generator=generator).log_p_x for _ in range(repeats)])
    error = bounds.std(0) / math.sqrt(repeats) if repeats > 1 else None
    return Estimate(bounds.mean(0), error, torch.full((len(x),), k * repeats))


def log_weights(model, x: Tensor, q: Distribution, samples: int, generator: torch.Generator) -> Tensor:
    """log P(x|z) P(z) / q(z), (N, samples), for draws z from q, one distribution for each image x (N, ...)."""
    z = _draw(q, samples, generator)
    log_q = q.log_prob(z.movedim(1, 0)).movedim(0, 1).double()
    image = torch.arange(len(x), device=x.device).repeat_interleave(samples)
    return log_integrand(model, x, image, z.flatten(end_dim=1)).reshape(log_q.shape) - log_q


_Proposal = tuple[Distribution, Tensor, int]  # one for each image, the decodes each took, and those all shared


@torch.no_grad()
def _encoder(model, x: Tensor, _generator) -> _Proposal:
    return model.encode(x), torch.zeros(len(x), dtype=torch.int64), 0


@torch.no_grad()
def _defensive(model, x: Tensor, _generator) -> _Proposal:
    q, prior = model.encode(x), model.prior
    mean = torch.stack([q.mean, q.mean, prior.mean.expand_as(q.mean)], dim=1)
    scale = torch.stack([q.stddev, 4 * q.stddev, prior.stddev.expand_as(q.mean)], dim=1)
    shares = torch.tensor([0.5, 0.4, 0.1], device=x.device).expand(len(x), 3)
    q = MixtureSameFamily(Categorical(shares), Independent(Normal(mean, scale), 1))
    return q, torch.zeros(len(x), dtype=torch.int64), 0


@torch.no_grad()
def _laplace(model, x: Tensor, generator: torch.Generator) -> _Proposal:
    noise = torch.randn(512, model.latent_dim, generator=generator, device=x.device)
    table = Table(model, model.prior.mean + model.prior.stddev * noise)
    best = (table.log_likelihood(x) + table.log_prior).topk(8, dim=1).indices
    guess = [model.encode(x).mean[:, None]] if hasattr(model, "encode") else []
    starts = torch.cat([*guess, table.z[best]], dim=1).double()
    peaks = find_peaks(model, x, starts, merge=3.0)  # close peaks are cheap here, and missing one is not
    wider = MultivariateNormal(peaks.z.double(), 1.5 * peaks.covariance.where(peaks.real[..., None, None], _eye(peaks)))
    shares = Categorical(logits=peaks.log_mass.clamp(min=-1e300))
    return MixtureSameFamily(shares, wider), peaks.decodes.cpu(), len(noise)


_PROPOSALS = {"encoder": _encoder, "defensive": _defensive, "laplace": _laplace}


def annealed(model, x: Tensor, steps: int = 100, chains: int = 16, *, generator: torch.Generator) -> Estimate:
    """Annealed importance sampling (Neal 2001): walk from the prior to the posterior through P(z) P(x|z)^beta.

    beta rises as (t / steps)^4 from 0 to 1. At each step every chain makes one Langevin move (a stride along the
    gradient and a random one, taken or not by Metropolis' rule), whose length is steered towards 60 % acceptance,
    image by image, as in Wu et al., "On the quantitative analysis of decoder-based generative models", 2017. Each
    move costs one decode, with its gradient.
    """
    _check(generator, steps=steps, chains=chains)
    x = check_x(model, x)
    parts = [_anneal(model, part, steps, chains, generator) for part in x.split(max(1, BLOCK // chains))]
    return _join(parts)


def _anneal(model, x: Tensor, steps: int, chains: int, generator: torch.Generator) -> Estimate:
    n, shape, prior = len(x), (len(x), chains, model.latent_dim), model.prior
    image = x.repeat_interleave(chains, 0)

    def look(z: Tensor) -> tuple[Tensor, Tensor]:
        """log P(x|z), (N, chains), and its gradient, at codes z (N, chains, d)."""
        z = z.detach().requires_grad_()
        value = score_pixels(pixels(model, z.flatten(end_dim=1)), image).reshape(n, chains)
        return value.detach(), torch.autograd.grad(value.sum(), z)[0]

    def noise() -> Tensor:
        return torch.randn(shape, generator=generator, device=x.device).double()

    def pull(z: Tensor) -> Tensor:
        """The gradient of log P(z)."""
        return (prior.mean - z) / prior.variance

    z = prior.mean + prior.stddev * noise()
    value, slope = look(z)
    log_w, accepted, beta = torch.zeros_like(value), value.new_zeros(n), 0.0
    stride = torch.full((n, 1, 1), 0.5, dtype=z.dtype, device=x.device)
    for t in range(1, steps + 1):
        before, beta = beta, (t / steps) ** 4
        log_w += (beta - before) * value
        momentum = noise()
        half = momentum + 0.5 * stride * (beta * slope + pull(z))
        z_new = z + stride * half
        value_new, slope_new = look(z_new)
        end = half + 0.5 * stride * (beta * slope_new + pull(z_new))
        log_ratio = beta * (value_new - value) + log_prior(model, z_new) - log_prior(model, z)
        log_ratio += 0.5 * (momentum.square() - end.square()).sum(-1)
        coin = torch.rand(n, chains, generator=generator, device=x.device).double()
        take = log_ratio.nan_to_num(-math.inf) > coin.log()  # a stride into nowhere is not taken
        z, slope = z.where(~take[..., None], z_new), slope.where(~take[..., None], slope_new)
        value = value.where(~take, value_new)
        rate = take.double().mean(1)
        accepted = accepted + rate / steps
        stride = stride * torch.where(rate > 0.6, 1.2, 1 / 1.2)[:, None, None]
    sums = _Sums()
    sums.add(log_w)
    return replace(sums.estimate(torch.full((n,), chains * (steps + 1))), acceptance=accepted)


class _Sums:
    """Running sums of weights and of their squares, in log space: memory does not grow with the number of draws."""

    def __init__(self):
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
        ess = (2 * self.log_sum - self.log_squares).exp()
        # One draw tells nothing about the scatter of draws.
        error = ((1 / ess - 1 / n).clamp(min=0) * n / (n - 1)).sqrt() if n > 1 else torch.full_like(ess, math.inf)
        return Estimate(self.log_sum - math.log(n), error, decodes_per_image, shared_decodes, ess=ess)


def _eye(peaks) -> Tensor:
    return torch.eye(peaks.z.shape[-1], dtype=peaks.covariance.dtype, device=peaks.z.device)


def _draw(q: Distribution, samples: int, generator: torch.Generator) -> Tensor:
    """Draws (N, samples, d) from q. PyTorch's own .sample() takes no generator, so its parts are used by hand."""
    if isinstance(q, MixtureSameFamily):
        n = len(q.mixture_distribution.probs)
        which = torch.multinomial(q.mixture_distribution.probs, samples, replacement=True, generator=generator)
        parts = q.component_distribution
        mean = parts.mean.gather(1, which[..., None].expand(-1, -1, parts.mean.shape[-1]))
        noise = torch.randn(mean.shape, generator=generator, device=mean.device).to(mean.dtype)
        if isinstance(parts, MultivariateNormal):
            root = parts.scale_tril[torch.arange(n, device=mean.device)[:, None], which]
            return mean + (root @ noise[..., None])[..., 0]
        return mean + parts.stddev.gather(1, which[..., None].expand_as(mean)) * noise
    noise = torch.randn(len(q.mean), samples, q.mean.shape[-1], generator=generator, device=q.mean.device)
    return q.mean[:, None] + q.stddev[:, None] * noise


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


def _check(generator: torch.Generator, **counts: int) -> None:
    if not isinstance(generator, torch.Generator):
        raise TypeError(
            f"generator must be a torch.Generator, such as torch.Generator().manual_seed(0); got {generator!r}."
        )
    for name, count in counts.items():
        if not isinstance(count, int) or count < 1:
            raise ValueError(f"{name} must be a whole number of at least 1; got {count!r}.")
