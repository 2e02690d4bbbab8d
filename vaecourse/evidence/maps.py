"""The factors of the law of total probability, as maps over the plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..images import as_codes, as_numbers
from ..model import verdict
from .integrand import Model, check_x, log_integrand, log_prior

__all__ = ["Maps", "posterior_maps"]


@dataclass(frozen=True)
class Maps:
    """The three factors of the law of total probability at codes z (M, 2), for one image; each (M,), in nats."""

    log_prior: Tensor
    log_likelihood: Tensor
    log_integrand: Tensor  # their sum
    log_posterior: Tensor  # the same, less log P(x): the density P(z|x)


@verdict
def posterior_maps(model: Model, x: Any, z: Any, log_p_x: Tensor | float) -> Maps:
    """Prior, likelihood, integrand and posterior of one image x (*image_shape) at codes z (M, 2), given log P(x).

    Raises:
        ValueError: For several images or values of log P(x), and for codes of another shape.
    """
    x = check_x(model, x, leading=(0,))[None]
    z = as_codes(z, 2, model.prior.mean)
    if z.ndim != 2 or not z.isfinite().all():
        raise ValueError(f"z must be finite codes of shape (M, 2); got {tuple(z.shape)}. Use grid.reshape(-1, 2).")
    log_p_x = as_numbers(log_p_x, "log_p_x").to(x.device, torch.float64)
    if log_p_x.numel() != 1 or not log_p_x.isfinite():
        raise ValueError(f"log_p_x must be one number, that of x and finite; got {log_p_x.tolist()}.")
    integrand = log_integrand(model, x, torch.zeros(len(z), dtype=torch.int64, device=x.device), z)
    prior = log_prior(model, z)
    return Maps(prior, integrand - prior, integrand, integrand - log_p_x.reshape(()))
