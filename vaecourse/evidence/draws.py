"""Draws from any torch distribution with a generator of one's own, which PyTorch's own .sample() does not take."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, MixtureSameFamily, MultivariateNormal, Normal

from ..model import as_count

__all__ = ["called", "diagonal", "draw", "moment"]


def diagonal(q: Distribution) -> Normal | None:
    """The normals of the coordinates of q, when q is their product; None for everything else."""
    return q.base_dist if type(q) is Independent and type(q.base_dist) is Normal else None


def called(thing: object) -> str:
    """What to call a distribution, or what stands in the place of one, in an error: the beginning of its `repr`."""
    return f"{' '.join(repr(thing).split()):.60}"


def moment(p: Distribution, name: str) -> Tensor:
    """The `mean` or `stddev` of a prior or guess; NaN where PyTorch does not know it."""
    try:
        found: Tensor = getattr(p, name)
    except NotImplementedError:
        return torch.tensor(torch.nan)
    return found


def draw(q: Distribution, samples: int, generator: torch.Generator) -> Tensor:
    """Draws (*batch, samples, d) from q, which has event shape (d,).

    Raises:
        ValueError: For NaN, and for a q so narrow that its draws would all be rounded to one.
    """
    z = _draw(q, as_count(samples, "samples"), generator)
    if z.isnan().any():
        raise ValueError(
            f"draws from {called(q)} are NaN. Look at its mean and its standard deviation: has training diverged?"
        )
    mean, stddev = moment(q, "mean"), moment(q, "stddev")
    if (stddev < 4 * torch.finfo(z.dtype).eps * mean.abs()).any():
        raise ValueError(
            f"draws from {called(q)} are rounded to one: its standard deviation is down to {stddev.min():.1g}. Try the "
            "model in double precision (model.double()), another proposal, or a larger sigma."
        )
    return z


def _draw(q: Distribution, samples: int, generator: torch.Generator) -> Tensor:
    if normal := diagonal(q):
        mean, scale = normal.mean[..., None, :], normal.stddev[..., None, :]
        return mean + scale * _noise((*q.batch_shape, samples, *q.event_shape), generator)
    if isinstance(q, MixtureSameFamily) and len(q.batch_shape) == 1:
        parts = q.component_distribution
        if diagonal(parts) or type(parts) is MultivariateNormal:
            return _draw_mixture(q.mixture_distribution.probs, parts, samples, generator)
    # Everything else draws from the global state: which is set from the generator for a moment, and put back.
    device = generator.device
    seed = int(torch.randint(2**62, (), generator=generator, device=device))
    others = [] if device.type == "cpu" else [device]
    with torch.random.fork_rng(others, device_type=device.type if others else "cuda"):
        torch.default_generator.manual_seed(seed)
        if others:
            torch.get_device_module(device).manual_seed(seed)
        return q.sample((samples,)).movedim(0, -2)


def _draw_mixture(shares: Tensor, parts: Distribution, samples: int, generator: torch.Generator) -> Tensor:
    """Draws (N, samples, d) from mixtures of normals, with shares (N, K) of parts of batch shape (N, K)."""
    which = torch.multinomial(shares, samples, replacement=True, generator=generator)
    row = torch.arange(len(shares), device=which.device)[:, None]
    mean = parts.mean[row, which]
    noise = _noise(mean.shape, generator).to(mean.dtype)
    if isinstance(parts, MultivariateNormal):
        return mean + (parts.scale_tril[row, which] @ noise[..., None])[..., 0]
    return mean + parts.stddev[row, which] * noise


def _noise(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator, device=generator.device)
