"""One training loop for every model of the course: on a laptop's processor, an NVIDIA GPU or an Apple one, and on
several (see `distributed`).

What makes it fast is what it leaves out: the data stay in the device's memory, a batch is an index into them, and one
fused optimiser step touches all weights at once. What makes it good is a one-cycle learning rate (Smith and Topin,
"Super-Convergence", 2018) and enough epochs.
"""

from __future__ import annotations

import json
import math
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from ..model import (
    CheckpointError,
    as_count,
    as_positive,
    difference,
    parse_safetensors,
    read_safetensors,
    write_safetensors,
)
from . import distributed

__all__ = ["Trainer", "TrainingDiverged", "as_device", "best_device", "fingerprint", "shuffled"]

Batches = Callable[[torch.Generator], Iterable[tuple[Tensor, ...]]]
LACKING = "{} lacks parts of a run. Delete it, and the run starts anew."
Numbers = dict[str, list[Any]]  # one entry an epoch


class TrainingDiverged(RuntimeError):
    """The loss stopped being a number."""


def best_device() -> torch.device:
    """The fastest device of this machine: CUDA, then Apple's MPS, then the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def as_device(device: torch.device | str | None) -> torch.device:
    """A device that this machine can compute on; None takes the fastest. Raises ValueError for any other."""
    try:
        found = best_device() if device is None else torch.device(device)
        torch.zeros(1, device=found).item()
    except (AssertionError, NotImplementedError, RuntimeError, TypeError) as error:
        raise ValueError(
            f"this machine cannot train on the device {device!s}. Leave it out for the fastest, {best_device()}."
        ) from error
    return found


def shuffled(*data: Tensor, batch_size: int, noise: int = 0) -> Batches:
    """Batches for a Trainer: each epoch all rows of some tensors of the same
    length, in another order.

    Args:
        noise: how many draws from N(0, 1) come beside each row, as one more
            tensor (B, noise); 0: none
    """

    def batches(generator: torch.Generator) -> Iterator[tuple[Tensor, ...]]:
        place: dict[str, Any] = {"generator": generator}
        place["device"] = data[0].device
        order = torch.randperm(len(data[0]), **place)
        for rows in torch.split(order, batch_size):
            batch = tuple(every[rows] for every in data)
            if noise:
                batch += (torch.randn((len(rows), noise), **place),)
            yield batch

    return batches


def fingerprint(*tensors: Tensor) -> str:
    """SHA-256 of the very bits of some tensors."""
    found = sha256()
    for tensor in tensors:
        found.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()


class Trainer:
    """A training run: all that changes from step to step, and so all that a checkpoint must hold.

    Where torch.distributed is initialised, as under torchrun, all its processes train this one model together.

    Args:
        model: trained in place, on `device`; it goes back to where it was afterwards, in eval mode
        loss: loss(*batch): numbers to make small, one for each row of the batch (B,), or their mean; or several by
            name, which are added up. It draws nothing (but dropout), so that nothing hangs on who computes it.
        batches: batches(generator): the batches of one epoch, each a tuple of tensors on `device` with a row for each
            example; whatever is random is drawn here (see `shuffled`)
        steps: how many batches in all; where they end, the last epoch does
        learning_rate: the peak of the one-cycle schedule
        precision: "float32", or "bfloat16" for the matrix products (faster where the hardware has them)
        device: where to train; None takes the fastest at hand
        seed: decides all that is random
        settings: settings(): whatever else makes this run what it is (JSON), such as a digest of the data
        measure: measure(): numbers to record after each epoch, such as the loss of data held out
        checkpoint: a file written whole after every epoch; with `resume`, a run that was cut goes on from it and ends
            (on the same device, a CPU with as many threads) with the very bits it would have had
        callback: callback(history): called after each epoch, when all is recorded and written
        progress: show a bar with the loss and the remaining time

    Raises:
        ValueError: For settings that make no sense.

    Example:
        >>> from vaecourse import VAE
        >>> model, x = VAE((4, 4), hidden=8), torch.rand(64, 4, 4)
        >>> def beta_loss(x, noise):
        ...     log_likelihood, kl = model.elbo_terms(x, noise=noise)
        ...     return 4 * kl - log_likelihood
        >>> batches = shuffled(x, batch_size=32, noise=model.latent_dim)
        >>> history = Trainer(model, beta_loss, batches, 20, device="cpu", progress=False).run()
        >>> len(history["loss"])
        10
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Callable[..., Tensor | Mapping[str, Tensor]],
        batches: Batches,
        steps: int,
        *,
        learning_rate: float = 2e-3,
        precision: str = "float32",
        device: torch.device | str | None = None,
        seed: int = 0,
        settings: Callable[[], dict[str, Any]] = dict,
        measure: Callable[[], Mapping[str, float | None]] = dict,
        checkpoint: str | Path | None = None,
        resume: bool = True,
        callback: Callable[[Numbers], object] | None = None,
        progress: bool = True,
    ):
        if precision not in ("float32", "bfloat16"):
            raise ValueError(f'precision must be "float32" or "bfloat16"; got {precision!r}.')
        self.seed, self.steps, self.device = as_count(seed, "seed", 0), as_count(steps, "steps"), as_device(device)
        self.model, self.loss, self.batches, self.measure = model, loss, batches, measure
        self.precision, self.learning_rate = precision, as_positive(learning_rate, "learning_rate")
        self.settings = settings
        self.checkpoint, self.resume = checkpoint if checkpoint is None else Path(checkpoint), resume
        self.callback, self.progress = callback, progress
        self.step, self.epoch = 0, 0
        self.history: Numbers = {}

    def run(self) -> Numbers:
        """Trains to the end; returns means over the rows of each epoch, by name ("loss" is their sum), and "seconds".

        Raises:
            TrainingDiverged: When the loss is no longer a number.
            CheckpointError: For a checkpoint of another run (which leaves the model as it was).
            PeerLost: When another process has died.
        """
        home = next(self.model.parameters()).device
        self.model.to(self.device)
        try:
            with distributed.talking():
                self._begin()
                self._go_on()
        finally:
            self.model.to(home)
        return self.history

    def _begin(self) -> None:
        """From the beginning, or from where the checkpoint says; several processes from where the leader is."""
        self.generator = torch.Generator(self.device).manual_seed(self.seed)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=self.learning_rate, fused=True)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, self.learning_rate, total_steps=self.steps)
        several = distributed.rank_and_size()[1] > 1
        if several or self.checkpoint is not None:
            settings = {
                "layers": str(self.model),
                "steps": self.steps,
                "learning_rate": self.learning_rate,
                "precision": self.precision,
                "seed": self.seed,
            }
            self.recipe = json.loads(json.dumps(settings | self.settings()))
        if several:
            distributed.check_same(self.device, self.recipe)
        saved = None
        if self.checkpoint is not None and self.resume and distributed.leads() and self.checkpoint.exists():
            saved = self._read(self.checkpoint)
        if several:
            content = distributed.from_leader(self.checkpoint.read_bytes() if self.checkpoint and saved else b"")
            saved = parse_safetensors(content, "what the leader sent") if content else None
        if saved is not None:
            self._restore(*saved)
        self.means = distributed.in_parallel(self.model, self._means)

    def _go_on(self) -> None:
        leads = distributed.leads()
        gpus = [torch.cuda.current_device()] if self.device.type == "cuda" else []
        quiet = not (self.progress and leads)
        self.bar = tqdm(total=self.steps, initial=self.step, unit="step", disable=quiet, dynamic_ncols=True)
        try:
            with self.bar, torch.random.fork_rng(gpus):
                while self.step < self.steps:
                    self.train_one_epoch()
                    if self.checkpoint is not None and leads:
                        self._save(self.checkpoint)
                    if self.callback is not None:
                        self.callback(self.history)
        finally:
            self.model.eval()

    def train_one_epoch(self) -> None:
        """A step for each batch of one epoch; then what is remembered of it."""
        start, device = time.perf_counter(), self.device
        wanted = self.precision == "bfloat16"
        half = torch.autocast(device.type, torch.bfloat16, enabled=wanted)
        fine = torch.float32 if device.type == "mps" else torch.float64
        totals, seen = torch.zeros((), device=device, dtype=fine), 0
        # For dropout, which draws from the global generator.
        torch.manual_seed(self._seed_of_epoch())
        self.model.train()
        for batch in islice(self.batches(self.generator), self.steps - self.step):
            with half:
                # Of the loss's terms; of several processes, each does its share.
                means = self.means(*batch)
            loss = sum(means.values(), start=torch.zeros((), device=device))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            found = torch.stack(list(means.values())).detach().to(totals)
            totals = totals + len(batch[0]) * found
            self.step, seen = self.step + 1, seen + len(batch[0])
            # Reading a number makes a GPU wait: not at every step.
            if self.step % 50 == 0:
                self._report(distributed.average(loss.detach()).item())
        values = distributed.average(totals / seen).tolist()
        self._report(sum(values))
        named = dict(zip(means, values, strict=True))
        self._record(named, time.perf_counter() - start)

    def _means(self, *batch: Tensor) -> dict[str, Tensor]:
        terms = self.loss(*batch)
        return {name: term.mean() for name, term in ({"loss": terms} if isinstance(terms, Tensor) else terms).items()}

    def _seed_of_epoch(self) -> int:
        """Another number for each seed, epoch and process."""
        return (self.seed + 1_000_003 * self.epoch + 7919 * distributed.rank_and_size()[0]) % 2**63

    def _report(self, loss: float) -> None:
        self.bar.update(self.step - self.bar.n)
        self.bar.set_postfix_str(f"epoch {self.epoch + 1}, loss {loss:.1f}", refresh=False)
        if not math.isfinite(loss):
            raise TrainingDiverged(
                f"the loss became {loss} in epoch {self.epoch + 1}. Try a smaller learning_rate, or a larger sigma if "
                f"it is fixed (gradients grow as 1/sigma^2). A checkpoint, if there is one, holds the last good epoch."
            )

    def _record(self, means: dict[str, float], seconds: float) -> None:
        self.model.eval()
        with torch.no_grad():
            measured = self.measure()
        for name, value in {**means, "loss": sum(means.values()), **measured, "seconds": seconds}.items():
            self.history.setdefault(name, []).append(value)
        self.epoch += 1

    def _save(self, path: Path) -> None:
        state = self.optimizer.state_dict()
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"adam.{i}.{k}": v for i, moments in state["state"].items() for k, v in moments.items()}
        tensors["generator"] = self.generator.get_state()
        meta = {
            "recipe": self.recipe,
            "parts": sorted(tensors),
            "device": self.device.type,
            "step": self.step,
            "epoch": self.epoch,
            "history": self.history,
            "groups": state["param_groups"],
            "schedule": {k: v for k, v in self.schedule.state_dict().items() if not k.startswith("_")},
        }
        write_safetensors(path, tensors, meta)

    def _read(self, path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """What `_save` wrote in this very run. Raises CheckpointError for any other; touches nothing."""
        tensors, meta = read_safetensors(path)
        found, wanted = meta.get("recipe"), self.recipe
        if found != wanted:
            found = found if isinstance(found, dict) else {}
            differs = [k for k in wanted if found.get(k) != wanted[k]]
            where = f": {difference(found['layers'], wanted['layers'])}" if differs == ["layers"] else ""
            raise CheckpointError(
                f"{path} is the checkpoint of another run (its {', '.join(differs)} differ{where}). "
                f"Give this run a file of its own, or start afresh over it with resume=False."
            )
        shapes = {f"model.{k}": v.shape for k, v in self.model.state_dict().items()}
        shapes |= {f"adam.{i}.exp_avg": p.shape for i, p in enumerate(self.model.parameters())}
        shapes |= {f"adam.{i}.exp_avg_sq": p.shape for i, p in enumerate(self.model.parameters())}
        lost = {k for k in shapes if k.startswith("model.")} - tensors.keys()
        odd = [k for k, v in tensors.items() if v.shape != shapes.get(k, v.shape)]
        if lost or odd or sorted(tensors) != meta.get("parts"):
            raise CheckpointError(LACKING.format(path))
        return tensors, meta

    def _restore(self, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
        """Goes on from what `_read` has found; the model comes last, when nothing can go wrong any more."""
        moments: dict[int, dict[str, Tensor]] = {}
        for key in tensors:
            if key.startswith("adam."):
                _, i, name = key.split(".")
                moments.setdefault(int(i), {})[name] = tensors[key]
        try:
            self.optimizer.load_state_dict({"state": moments, "param_groups": meta["groups"]})
            self.schedule.load_state_dict(self.schedule.state_dict() | meta["schedule"])
            self.step, self.epoch, self.history = meta["step"], meta["epoch"], meta["history"]
            if meta["device"] == self.device.type:
                self.generator.set_state(tensors["generator"])
            else:  # whose generator draws in another way, and cannot go on from this one's state
                self.generator.manual_seed(self._seed_of_epoch())
                warnings.warn(
                    f"this run was cut on {meta['device']} and goes on on {self.device.type}, with other random "
                    "numbers: it ends as well, but not with the bits of a run that was never cut.",
                    stacklevel=2,
                )
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise CheckpointError(LACKING.format(self.checkpoint)) from error
        self.model.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("model.")})
