"""How the decoder that moves pixels learns: from known photographs and their neighbours on the circle, nothing else."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence
from tqdm.auto import tqdm

from .training import TrainingDiverged
from .views import ViewVAE, check_views

__all__ = ["Loss", "fit_views", "loss"]

# The share of `plain` views and the weights of the three hints: chosen on COIL-20's validation objects (see protocol).
_PLAIN, _ALONE, _AGREE, _SMOOTH = 0.25, 0.1, 0.3, 6.0


class Loss(NamedTuple):
    """The two parts of the training loss, each (B,), in nats per view."""

    bound: Tensor  # minus the ELBO of log P(x | x_left, x_right), but for the views that are `plain`
    hints: Tensor  # what lies outside the bound


def loss(model: ViewVAE, known: Tensor, batch_size: int, generator: torch.Generator) -> Loss:
    """The loss of views drawn from known ones (O, N, H, W), each to be made from its neighbours on the circle.

    The bound is E_Q[log P(x | z, x_left, x_right)] - KL(Q(z|x) || P(z | x_left, x_right)), with one draw of z. Four
    things are not in it:

    - plain: for a quarter of the views, log P(x | z, x_left, x_right) at the bridge's mean takes the bound's place,
      because that is the code from which new views are made
    - alone: each neighbour, moved, should look like x by itself, not only in the blend
    - agree: somewhere between x and its right neighbour, where there is no photograph, both of them, moved there,
      should look alike
    - smooth: flows should change little from cell to cell
    """
    x, x_left, x_right, d_left, d_right = _draw(known, batch_size, generator)
    codes = model.encode(torch.cat([x, x_left, x_right]))
    (z_x, z_left, z_right), scale = codes.mean.chunk(3), codes.stddev[:batch_size]
    prior = model.bridge(z_left, z_right, d_left, d_right)
    q = Independent(Normal(z_x, scale, validate_args=False), 1, validate_args=False)
    plain = torch.rand(batch_size, generator=generator) < _PLAIN
    noise = torch.randn(z_x.shape, generator=generator)
    z = torch.where(plain[:, None], prior.mean, z_x + scale * noise)
    moved = model.move(z, x_left, x_right, d_left, d_right)
    bound = torch.where(plain, 0.0, kl_divergence(q, prior)) - model.around(moved.mean).log_prob(x)

    t = 0.02 + 0.96 * torch.rand(batch_size, generator=generator)
    z = model.bridge(z_x, z_right, t * d_right, (1 - t) * d_right).mean
    unseen = model.move(z, x, x_right, t * d_right, (1 - t) * d_right)
    flows = moved.fields[:, :4]
    alone = _squares(moved.left - x) + _squares(moved.right - x)
    rough = _squares(flows.diff(dim=-1)) + _squares(flows.diff(dim=-2))
    hints = _ALONE * alone + _AGREE * _squares(unseen.left - unseen.right) + _SMOOTH * rough
    return Loss(bound, hints / (2 * model.sigma**2))  # weighed like the likelihood's squared errors


def _draw(known: Tensor, batch_size: int, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Views, their left and right neighbours (B, H, W), and the steps to them (B,): nearly always 1, else 2."""
    objects, views = known.shape[:2]
    pick = torch.randint(objects, (batch_size,), generator=generator)
    at = torch.randint(views, (batch_size,), generator=generator)
    left, right = 1 + (torch.rand(2, batch_size, generator=generator) < 0.05).long()
    photographs = (known[pick, i % views] for i in (at, at - left, at + right))
    return *photographs, left.float(), right.float()


def _squares(difference: Tensor) -> Tensor:
    return difference.square().flatten(1).sum(1)


def fit_views(
    model: ViewVAE,
    known: Tensor,
    steps: int = 2000,
    *,
    batch_size: int = 32,
    learning_rate: float = 3e-3,
    seed: int = 0,
    progress: bool = True,
) -> list[float]:
    """Trains `model` in place, on the CPU, on known views (O, N, H, W) in [0, 1].

    Args:
        known: N views of each of O objects, in order, evenly spaced around the circle; nothing else is looked at
        steps: how often the weights are moved, each time after a look at batch_size views and their neighbours
        learning_rate: the peak of the one-cycle schedule
        seed: decides which views are looked at, and the draws of z

    Returns:
        The loss of each step, in nats per view.

    Raises:
        ValueError: For views or settings that make no sense.
        TrainingDiverged: When the loss is no longer a number.
    """
    check_views(known)
    if not (steps >= 1 and batch_size >= 1 and learning_rate > 0):
        raise ValueError(
            f"steps and batch_size must be at least 1 and learning_rate positive; got {steps}, {batch_size} and "
            f"{learning_rate}. Leave them out for the course's own."
        )
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=steps)
    history = []
    model.train()
    for _ in tqdm(range(steps), unit="step", disable=not progress, dynamic_ncols=True):
        bound, hints = loss(model, known, batch_size, generator)
        total = (bound + hints).mean()
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        schedule.step()
        history.append(total.item())
        if not math.isfinite(history[-1]):
            raise TrainingDiverged(f"the loss became {history[-1]}. Try a smaller learning_rate.")
    model.eval()
    return history
