"""How a VAE learns: as everything here does (see `trainer`), to make the ELBO of its images large."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .. import measures, memory
from ..images import as_images, check_binary, digest
from ..model import VAE, as_count
from .trainer import Numbers, Trainer, as_device, shuffled

__all__ = ["History", "fit"]


@dataclass
class History:
    """What happened, one entry an epoch: means over the training images, in nats per image.

    The last entries of `sigma` and `held_out` are those of the model with sigma as it was set in the end.
    """

    elbo: list[float] = field(default_factory=list)
    log_likelihood: list[float] = field(default_factory=list)
    kl: list[float] = field(default_factory=list)
    sigma: list[float | None] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    held_out: list[float] = field(default_factory=list)  # the ELBO of the images held out, if there are any


def fit(
    model: VAE,
    images: Any,
    epochs: int = 10,
    *,
    batch_size: int = 128,
    learning_rate: float = 2e-3,
    precision: str = "float32",
    device: torch.device | str | None = None,
    seed: int = 0,
    held_out: Any = None,
    checkpoint: str | Path | None = None,
    resume: bool = True,
    callback: Callable[[History], object] | None = None,
    progress: bool = True,
) -> History:
    """Trains `model` in place to maximise its ELBO on images (N, *image_shape) in [0, 1].

    A learned sigma is set to its best value in the end (see `settle_sigma`): by steps alone it comes late.

    Where torch.distributed is initialised, as under torchrun, all its processes train this one model together.

    Args:
        epochs: passes over all the images
        batch_size: images a step, over all processes
        learning_rate: the peak of the one-cycle schedule
        precision: "float32", or "bfloat16" for the matrix products (faster where the hardware has them)
        device: where to train; None takes the fastest at hand. The model goes back to where it was afterwards.
        seed: decides the order of the images and the draws of z
        held_out: images that nobody learns from, whose ELBO is measured after each epoch
        checkpoint: a file written whole after every epoch; with `resume`, a run that was cut goes on from it and ends
            (on a CPU, with as many threads) with the very bits it would have had
        callback: callback(history): called after each epoch
        progress: show a bar with the loss, which is minus the ELBO, and the remaining time

    Returns:
        The History.

    Raises:
        ValueError: For images or settings that make no sense.
        TrainingDiverged: When the loss is no longer a number.
        CheckpointError: For a checkpoint of another run.
        PeerLost: When another process has died.

    Example:
        >>> from vaecourse.data import strokes
        >>> ones = torch.from_numpy(strokes.draw([1] * 64))
        >>> history = fit(VAE(hidden=(32,)), ones, progress=False)
        >>> history.elbo[0] < history.elbo[-1]
        True
    """
    if not isinstance(model, VAE):
        raise ValueError(f"model must be a VAE, such as VAE(); got {type(model).__name__}.")
    images = as_images(images, model.image_shape).detach()
    held = None if held_out is None else as_images(held_out, model.image_shape, name="held_out")
    if model.likelihood == "bernoulli":
        check_binary(images)
        if held is not None:
            check_binary(held, "held_out")
    epochs, batch_size = as_count(epochs, "epochs"), as_count(batch_size, "batch_size")
    device = as_device(device)
    if 1 in (batch_size, len(images) % batch_size):
        _check_alone(model, images[:1], f"of {len(images)} images, a batch_size of {batch_size} leaves one alone")

    def loss(x: Tensor, noise: Tensor) -> dict[str, Tensor]:
        log_likelihood, kl = model.elbo_terms(x, noise=noise)
        return {"minus log_likelihood": -log_likelihood, "kl": kl}  # minus the ELBO, in nats per image

    def measure() -> dict[str, float | None]:
        if held is None:
            return {"sigma": model.sigma}
        generator = torch.Generator(model.device).manual_seed(0)  # the same draws in each epoch
        return {"sigma": model.sigma, "held_out": measures.mean_elbo(model, held, generator, draws=1)}

    def settings() -> dict[str, Any]:
        return {
            "model": model.config,
            "images": digest(images),
            "held_out": None if held is None else digest(held),
            "epochs": epochs,
            "batch_size": batch_size,
        }

    trainer = Trainer(
        model,
        loss,
        shuffled(images.to(device), batch_size=batch_size, noise=model.latent_dim),
        epochs * -(-len(images) // batch_size),
        learning_rate=learning_rate,
        precision=precision,
        device=device,
        seed=seed,
        settings=settings,
        measure=measure,
        checkpoint=checkpoint,
        resume=resume,
        callback=None if callback is None else lambda numbers: callback(_history(numbers)),
        progress=progress,
    )
    numbers, home = trainer.run(), model.device
    if model.likelihood == "gaussian" and isinstance(model.log_sigma, nn.Parameter) and model.log_sigma.requires_grad:
        settle_sigma(model.to(device), images, trainer.generator)
        for name, value in measure().items():
            numbers[name][-1] = value
        model.to(home)
    return _history(numbers)


@torch.no_grad()
def _check_alone(model: VAE, image: Tensor, why: str) -> None:
    """Raises ValueError, and says why, where a model in training cannot take one image (1, *image_shape)."""
    if not any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in model.modules()):
        return
    trial = copy.deepcopy(model).train()  # which keeps what batch normalisation has counted so far
    try:
        with torch.random.fork_rng():
            trial.decode(trial.encode(image.to(model.device)).mean)
    except ValueError as error:
        raise ValueError(f"{why}, and batch normalisation needs two. Choose another batch_size.") from error


@torch.no_grad()
def settle_sigma(model: VAE, images: Tensor, generator: torch.Generator) -> None:
    """Sets sigma to the root mean squared error of the drawings of images (N, *image_shape), one draw of z for each.

    No other sigma gives these drawings a higher ELBO (Rybkin et al. 2021, equation 5).
    """
    squares = torch.zeros((), device=model.device)
    for x in images.split(memory.at_once(64 * images[0].numel(), "a picture")):
        x = x.to(model.device)
        q = model.encode(x)
        z = q.mean + q.stddev * torch.randn(q.mean.shape, generator=generator, device=model.device)
        squares += (model.decode(z).mean - x).square().mean() * len(x)
    model.log_sigma.copy_((squares / len(images)).clamp_min(1e-24).log() / 2)


def _history(numbers: Numbers) -> History:
    log_likelihood = [-value for value in numbers["minus log_likelihood"]]
    return History(
        elbo=[-value for value in numbers["loss"]],
        log_likelihood=log_likelihood,
        kl=numbers["kl"],
        sigma=numbers["sigma"],
        seconds=numbers["seconds"],
        held_out=numbers.get("held_out", []),
    )
