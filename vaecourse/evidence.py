"""log P(x) = log of the integral of P(x|z) P(z) over all z: the law of total probability, computed.

`quadrature` is the truth in two dimensions; the others estimate it by chance, in any number of dimensions. Each
returns an `Estimate`: the value, how far to trust it, and how many drawings it cost.

    >>> from vaecourse.exercises.linear import Linear
    >>> model = Linear(wide=1.5)
    >>> x = model.draw(1)
    >>> g = torch.Generator().manual_seed(0)
    >>> estimate = importance(model, x, samples=1000, generator=g)
    >>> print(f"{estimate.log_p_x.item():.2f} ± {estimate.error.item():.2f}")
    -3.94 ± 0.02
    >>> print(f"{model.log_p_x(x).item():.2f} in closed form")
    -3.95 in closed form
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .modes import check_x, log_integrand
from .plane import Estimate, PlaneTable, modes, quadrature
from .sampling import annealed, importance, iwae, log_weights, monte_carlo

__all__ = ["Estimate", "Maps", "PlaneTable", "annealed", "importance", "iwae", "log_weights", "modes", "monte_carlo"]
__all__ += ["posterior_maps", "quadrature"]


@dataclass(frozen=True)
class Maps:
    """The three factors of the law of total probability at codes z (M, 2), for one image; each (M,), in nats."""

    log_prior: Tensor
    log_likelihood: Tensor
    log_integrand: Tensor  # their sum
    log_posterior: Tensor  # the same, less log P(x): the density P(z|x)


def posterior_maps(model, x: Tensor, z: Tensor, log_p_x: Tensor | float) -> Maps:
    """Prior, likelihood, integrand and posterior of one image x (*image_shape) at codes z (M, 2), given log P(x)."""
    x, z = check_x(model, x[None]), torch.as_tensor(z)
    if z.ndim != 2 or z.shape[1] != 2 or not z.isfinite().all():
        raise ValueError(f"z must be finite codes of shape (M, 2); got {tuple(z.shape)}. Use grid.reshape(-1, 2).")
    integrand = log_integrand(model, x, torch.zeros(len(z), dtype=torch.int64, device=x.device), z)
    prior = model.prior.log_prob(z.to(model.prior.mean)).double()
    return Maps(prior, integrand - prior, integrand, integrand - log_p_x)
