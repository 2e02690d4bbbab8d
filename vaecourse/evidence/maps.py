"""The factors of the law of total probability, as maps over the plane."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .peaks import check_x, log_integrand

__all__ = ["Maps", "posterior_maps"]


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
