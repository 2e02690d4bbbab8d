"""The factors of the law of total probability, as maps over the plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..images import as_codes, as_numbers
from .integrand import Model, check_x, log_integrand, log_prior

__all__ = ["Maps", "posterior_maps"]


@dataclass(frozen=True)
class Maps:
    """The three factors of the law of total probability at codes z (M, 2), for one image; each (M,), in nats."""

    log_prior: Tensor
    log_likelihood: Tensor
    log_integrand: Tensor  # their sum
    log_posterior: Tensor  # the same, less log P(x): the density P(z|x)


def posterior_maps(model: Model, x: Any, z: Any, log_p_x: Tensor | float) -> Maps:
    """Prior, likelihood, integrand and posterior of one image x (*image_shape) at codes z (M, 2), given log P(x).

    Raises:
        ValueError: For several images or values of log P(x), and for codes of another shape.
    """
    x = as_numbers(getattr(x, "images", x), "x")
    one = model.decode(model.prior.mean[None]).event_shape
    if x.shape != one:
        raise ValueError(f"x must be one picture {tuple(one)}, such as images[0]; got {tuple(x.shape)}.")
    x = check_x(model, x[None])
    z = as_codes(z, 2, model.prior.mean)
    if z.ndim != 2 or not z.isfinite().all():
        raise ValueError(f"z must be finite codes of shape (M, 2); got {tuple(z.shape)}. Use grid.reshape(-1, 2).")
    log_p_x = torch.as_tensor(log_p_x, dtype=torch.float64, device=x.device)
    if log_p_x.numel() != 1:
        raise ValueError(f"log_p_x must be one number, that of x; got the shape {tuple(log_p_x.shape)}.")
    integrand = log_integrand(model, x, torch.zeros(len(z), dtype=torch.int64, device=x.device), z)
    prior = log_prior(model, z)
    return Maps(prior, integrand - prior, integrand, integrand - log_p_x.reshape(()))
