"""How the decoder that moves pixels learns: from known photographs and their neighbours on the circle, nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from ..images import digest
from ..model import as_count
from ..training import Trainer, as_device
from .mover import ViewVAE, as_views

__all__ = ["Loss", "Views", "draw", "fit_views", "loss"]

_ROUND = 100  # steps from one checkpoint to the next

# The share of `plain` views and the weights of the three hints: chosen on COIL-20's validation objects (see protocol).
_PLAIN, _ALONE, _AGREE, _SMOOTH = 0.25, 0.1, 0.3, 6.0


class Loss(NamedTuple):
    """The two parts of the training loss, each (B,), in nats per view."""

    bound: Tensor  # minus the ELBO of log P(x | x_left, x_right), but for the views that are `plain`
    hints: Tensor  # what lies outside the bound


class Views(NamedTuple):
    """B views, what stands beside them, and the chances of one step of training."""

    x: Tensor  # (B, H, W)
    x_left: Tensor  # (B, H, W): its neighbours on the circle
    x_right: Tensor
    d_left: Tensor  # (B,): the steps to them, nearly always 1, else 2
    d_right: Tensor
    plain: Tensor  # (B,): whether this one is `plain`, see `loss`
    noise: Tensor  # (B, latent_dim): draws from N(0, I)
    t: Tensor  # (B,): a place between x and its right neighbour, from 0.02 to 0.98


def loss(model: ViewVAE, views: Views) -> Loss:
    """The loss of views, each to be made from its neighbours on the circle.

    The bound is E_Q[log P(x | z, x_left, x_right)] - KL(Q(z|x) || P(z | x_left,
    x_right)), with one draw of z. Four things are not in it:

    - plain: for a quarter of the views, log P(x | z, x_left, x_right) at the
      bridge's mean takes the bound's place, because that is the code from which
      new views are made
    - alone: each neighbour, moved, should look like x by itself, not only in
      the blend
    - agree: somewhere between x and its right neighbour, where there is no
      photograph, both of them, moved there, should look alike
    - smooth: flows should change little from cell to cell
    """
    x, x_left, x_right, d_left, d_right, plain, noise, t = views
    codes = model.encode(torch.cat([x, x_left, x_right]))
    (z_x, z_left, z_right), scale = codes.mean.chunk(3), codes.stddev[: len(x)]
    prior = model.bridge(z_left, z_right, d_left, d_right)
    guesses = Normal(z_x, scale, validate_args=False)
    q = Independent(guesses, 1, validate_args=False)
    z = torch.where(plain[:, None], prior.mean, z_x + scale * noise)
    moved = model.move(z, x_left, x_right, d_left, d_right)
    kl = torch.where(plain, 0.0, kl_divergence(q, prior))
    bound = kl - model.around(moved.mean).log_prob(x)

    z = model.bridge(z_x, z_right, t * d_right, (1 - t) * d_right).mean
    unseen = model.move(z, x, x_right, t * d_right, (1 - t) * d_right)
    flows = moved.fields[:, :4]
    alone = _squares(moved.left - x) + _squares(moved.right - x)
    rough = _squares(flows.diff(dim=-1)) + _squares(flows.diff(dim=-2))
    unlike = _squares(unseen.left - unseen.right)
    hints = _ALONE * alone + _AGREE * unlike + _SMOOTH * rough
    # Weighed like the likelihood's squared errors.
    return Loss(bound, hints / (2 * model.sigma**2))


def draw(known: Tensor, batch_size: int, latent_dim: int, generator: torch.Generator) -> Views:
    """Views drawn from known ones (O, N, H, W) with their neighbours, and all else that is random in a step."""
    objects, views = known.shape[:2]
    place: dict[str, Any] = {"generator": generator, "device": known.device}
    pick = torch.randint(objects, (batch_size,), **place)
    at = torch.randint(views, (batch_size,), **place)
    left, right = 1 + (torch.rand(2, batch_size, **place) < 0.05).long()
    x, x_left, x_right = (known[pick, i % views] for i in (at, at - left, at + right))
    plain = torch.rand(batch_size, **place) < _PLAIN
    noise = torch.randn(batch_size, latent_dim, **place)
    t = 0.02 + 0.96 * torch.rand(batch_size, **place)
    return Views(x, x_left, x_right, left.float(), right.float(), plain, noise, t)


def _squares(difference: Tensor) -> Tensor:
    return difference.square().flatten(1).sum(1)


def fit_views(
    model: ViewVAE,
    known: Any,
    steps: int = 2000,
    *,
    batch_size: int = 32,
    learning_rate: float = 3e-3,
    device: torch.device | str | None = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    progress: bool = True,
) -> dict[str, list[float]]:
    """Trains `model` in place on known views (O, N, H, W) in [0, 1].

    Args:
        known: N views of each of O objects, in order, evenly spaced around the circle; nothing else is looked at
        steps: how often the weights are moved, each time after a look at batch_size views and their neighbours
        learning_rate: the peak of the one-cycle schedule
        device: where to train; None takes the fastest at hand
        seed: decides which views are looked at, and the draws of z
        checkpoint: a file written whole after every hundred steps, from which a run that was cut goes on

    Returns:
        The "loss", its parts "bound" and "hints", in nats per view, and the "seconds", of every hundred steps.

    Raises:
        ValueError: For views or settings that make no sense.
        TrainingDiverged: When the loss is no longer a number.
        CheckpointError: For a checkpoint of another run.
    """
    known = as_views(known).detach()
    batch_size, device = as_count(batch_size, "batch_size"), as_device(device)
    there = known.to(device)

    def batches(generator: torch.Generator) -> Iterator[Views]:
        for _ in range(_ROUND):
            yield draw(there, batch_size, model.latent_dim, generator)

    def parts(*views: Tensor) -> dict[str, Tensor]:
        return loss(model, Views(*views))._asdict()

    trainer = Trainer(
        model,
        parts,
        batches,
        as_count(steps, "steps"),
        learning_rate=learning_rate,
        device=device,
        seed=seed,
        settings=lambda: {"model": model.config, "views": digest(known), "batch_size": batch_size},
        checkpoint=checkpoint,
        progress=progress,
    )
    return trainer.run()
