"""One training loop, for a laptop's processor, an NVIDIA GPU or an Apple one; and for several (see `distributed`).

What makes it fast is what it leaves out: the images stay in the device's memory, a batch is an index into them, and
one fused optimiser step touches all weights at once. What makes it good is a one-cycle learning rate
(Smith and Topin, "Super-Convergence", 2018) and enough epochs.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor
from tqdm.auto import tqdm

from . import distributed
from .checkpoints import CheckpointError, read_safetensors, write_safetensors
from .vae import VAE, check_images

__all__ = ["History", "TrainingDiverged", "best_device", "fit"]


class TrainingDiverged(RuntimeError):
    """The loss stopped being a number."""


@dataclass
class History:
    """What happened, one entry an epoch: means over the training images, in nats per image."""

    elbo: list[float] = field(default_factory=list)
    log_likelihood: list[float] = field(default_factory=list)
    kl: list[float] = field(default_factory=list)
    sigma: list[float | None] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def best_device() -> torch.device:
    """The fastest device of this machine: CUDA, then Apple's MPS, then the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def fit(
    model: VAE,
    images: Tensor,
    epochs: int = 10,
    *,
    batch_size: int = 128,
    learning_rate: float = 2e-3,
    precision: str = "float32",
    device: torch.device | str | None = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    resume: bool = True,
    progress: bool = True,
) -> History:
    """Trains `model` in place to maximise its ELBO on images (N, *image_shape) in [0, 1].

    Where torch.distributed is initialised, as under torchrun, all its processes train this one model together.

    Args:
        epochs: passes over all the images
        batch_size: images a step, over all processes
        learning_rate: the peak of the one-cycle schedule
        precision: "float32", or "bfloat16" for the matrix products (faster where the hardware has them)
        device: where to train; None takes the fastest at hand. The model goes back to where it was afterwards.
        seed: decides the order of the images and the draws of z
        checkpoint: a file written whole after every epoch; with `resume`, a run that was cut goes on from it and ends
            (on a CPU, with as many threads) with the very bits it would have had
        progress: show a bar with the ELBO and the remaining time

    Returns:
        The History.

    Raises:
        ValueError: For images or settings that make no sense.
        TrainingDiverged: When the loss is no longer a number.
        CheckpointError: For a checkpoint of another run.
        PeerLost: When another process has died.

    Example:
        >>> from vaecourse import strokes
        >>> ones = torch.from_numpy(strokes.draw([1] * 64))
        >>> history = fit(VAE(hidden=(32,)), ones, progress=False)
        >>> history.elbo[0] < history.elbo[-1]
        True
    """
    images = torch.as_tensor(images)
    check_images(images, model.image_shape)
    if not (epochs >= 1 and batch_size >= 1 and learning_rate > 0):
        raise ValueError(
            f"epochs and batch_size must be at least 1 and learning_rate positive; "
            f"got {epochs}, {batch_size} and {learning_rate}."
        )
    if precision not in ("float32", "bfloat16"):
        raise ValueError(f'precision must be "float32" or "bfloat16"; got {precision!r}.')
    home, device = model.device, torch.device(device or best_device())
    model.to(device).train()
    x_all = images.to(device)
    generator = torch.Generator(device).manual_seed(seed)
    run = _Run(model, generator, epochs, -(-len(x_all) // batch_size), learning_rate)
    recipe = {
        "model": model.config,
        "images": _digest(images) if checkpoint or not distributed.alone() else None,  # who is alone need not prove it
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "precision": precision,
        "seed": seed,
    }
    distributed.check_same(device, recipe)
    if checkpoint is not None and resume and distributed.leads() and Path(checkpoint).exists():
        run.load(checkpoint, recipe)
    run.start_as_the_leader(recipe)
    bar = tqdm(
        total=epochs * run.steps,
        initial=run.epoch * run.steps,
        unit="step",
        disable=not (progress and distributed.leads()),
        dynamic_ncols=True,
    )
    try:
        with bar:
            while run.epoch < epochs:
                run.train_one_epoch(x_all, batch_size, precision, bar)
                if checkpoint is not None and distributed.leads():
                    run.save(checkpoint, recipe)
    finally:
        model.to(home).eval()
    return run.history


class _Run:
    """A training run under way: all that changes from step to step, and so all that a checkpoint must hold."""

    def __init__(self, model: VAE, generator: torch.Generator, epochs: int, steps: int, learning_rate: float):
        self.model, self.generator, self.steps = model, generator, steps
        self.optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, learning_rate, total_steps=epochs * steps)
        self.epoch, self.history = 0, History()

    def train_one_epoch(self, x_all: Tensor, batch_size: int, precision: str, bar: tqdm) -> None:
        model, optimizer, start = self.model, self.optimizer, time.perf_counter()
        device = x_all.device
        half = torch.autocast(device.type, torch.bfloat16) if precision == "bfloat16" else nullcontext()
        order = torch.randperm(len(x_all), generator=self.generator, device=device)
        totals = torch.zeros(2, device=device, dtype=torch.float64 if device.type != "mps" else torch.float32)
        for step, batch in enumerate(order.split(batch_size), start=1):
            x = x_all[batch]
            with half:  # the terms of all x; where several processes train together, those of this one's share
                log_likelihood, kl = distributed.elbo_terms(model, x, self.generator)
            loss = (kl - log_likelihood).sum() / len(x)  # minus the ELBO, in nats per image
            optimizer.zero_grad()
            loss.backward()
            distributed.add_up([loss.detach(), *(p.grad for p in model.parameters())])
            optimizer.step()
            self.schedule.step()
            totals += torch.stack([log_likelihood.detach().sum(), kl.detach().sum()])
            if step % 50 == 0 or step == self.steps:  # reading a number off a GPU makes it wait: not at every step
                self._report(loss.item(), bar, step)
        distributed.add_up([totals])
        log_likelihood, kl = (totals / len(x_all)).tolist()
        self.epoch += 1
        self.history.elbo.append(log_likelihood - kl)
        self.history.log_likelihood.append(log_likelihood)
        self.history.kl.append(kl)
        self.history.sigma.append(model.sigma)
        self.history.seconds.append(time.perf_counter() - start)

    def _report(self, loss: float, bar: tqdm, step: int) -> None:
        bar.update(self.epoch * self.steps + step - bar.n)
        bar.set_postfix_str(f"epoch {self.epoch + 1}, ELBO {-loss:.1f} nats per image", refresh=False)
        if loss != loss or loss in (float("inf"), float("-inf")):
            raise TrainingDiverged(
                f"the loss became {loss} in epoch {self.epoch + 1}. Try a smaller learning_rate, or a larger sigma if "
                f"it is fixed (gradients grow as 1/sigma^2). A checkpoint, if there is one, holds the last good epoch."
            )

    def start_as_the_leader(self, recipe: dict) -> None:
        """Where several processes train together, all go on from the weights, moments and epoch of the leader."""
        if distributed.alone():
            return
        with TemporaryDirectory() as folder:
            path = Path(folder) / "start.safetensors"
            if distributed.leads():
                self.save(path, recipe)
            distributed.copy_from_leader(path)
            self.load(path, recipe)

    def save(self, path: str | Path, recipe: dict) -> None:
        state = self.optimizer.state_dict()
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"adam.{i}.{k}": v for i, moments in state["state"].items() for k, v in moments.items()}
        tensors["generator"] = self.generator.get_state()
        meta = {
            "recipe": recipe,
            "epoch": self.epoch,
            "history": asdict(self.history),
            "groups": state["param_groups"],
            "schedule": {k: v for k, v in self.schedule.state_dict().items() if not k.startswith("_")},
        }
        write_safetensors(path, tensors, meta)

    def load(self, path: str | Path, recipe: dict) -> None:
        tensors, meta = read_safetensors(path)
        _check_same_run(path, meta.get("recipe"), recipe)
        moments: dict[int, dict[str, Tensor]] = {}
        try:
            for key, value in tensors.items():
                if key.startswith("adam."):
                    _, i, name = key.split(".")
                    moments.setdefault(int(i), {})[name] = value
            if meta["epoch"] and len(moments) < sum(p.requires_grad for p in self.model.parameters()):
                raise KeyError("adam")  # the optimiser would begin anew without a word
            self.model.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("model.")})
            self.optimizer.load_state_dict({"state": moments, "param_groups": meta["groups"]})
            self.schedule.load_state_dict(self.schedule.state_dict() | meta["schedule"])
            self.generator.set_state(tensors["generator"])
            self.epoch, self.history = meta["epoch"], History(**meta["history"])
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise CheckpointError(f"{path} lacks parts of a run. Delete it, and the run starts anew.") from error


def _digest(images: Tensor) -> str:
    return sha256(images.cpu().contiguous().numpy().tobytes()).hexdigest()


def _check_same_run(path: str | Path, found: dict | None, wanted: dict) -> None:
    """Raises CheckpointError unless the checkpoint was written by a run with the same recipe."""
    wanted = {k: list(v) if isinstance(v, tuple) else v for k, v in wanted.items()}
    wanted["model"] = {k: list(v) if isinstance(v, tuple) else v for k, v in wanted["model"].items()}
    if found == wanted:
        return
    differs = [k for k in wanted if not isinstance(found, dict) or found.get(k) != wanted[k]]
    raise CheckpointError(
        f"{path} is the checkpoint of another run (its {', '.join(differs)} differ). "
        f"Give this run a file of its own, or start afresh over it with resume=False."
    )
