"""How the trained models that ship were made, so that one command makes each of them again.

    python -m vaecourse train mnist-2d

The `-page` models are small networks that a browser can run: they are taught by the big one (Hinton, Vinyals and Dean,
"Distilling the knowledge in a neural network", 2015), which costs less quality than training them on the data.
"""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution, kl_divergence

from .. import __version__, measures
from ..data import ImageSet, load_dataset
from ..images import as_images, digest
from ..model import VAE, Classifier, as_count, load_pretrained, save_model, verdict
from ..names import did_you_mean
from . import distributed
from .fitting import fit
from .judge import fit_classifier
from .trainer import Trainer, as_device, fingerprint, shuffled

__all__ = [
    "JUDGES",
    "RECIPES",
    "Recipe",
    "check_name",
    "distil",
    "judge_scores",
    "scores",
    "train_model",
    "train_vae",
    "unfinished",
    "versions",
]


@dataclass(frozen=True)
class Recipe:
    """One trained model: the data set it learns from, its shape, and how long it learns."""

    dataset: str
    epochs: int
    hidden: tuple[int, ...] = (512, 512, 256)
    decoder_hidden: tuple[int, ...] | None = None
    precision: str = "bfloat16"
    teacher: str | None = None  # a shipped model to learn from, instead of from the images alone
    seed: int = 0


_PAGE: dict[str, Any] = {"hidden": (64, 64), "decoder_hidden": (128, 128, 128), "precision": "float32"}
RECIPES = {
    "mnist-2d": Recipe("mnist", epochs=150),
    "strokes-2d": Recipe("strokes", epochs=100),
    "mnist-2d-page": Recipe("mnist", epochs=60, teacher="mnist-2d", **_PAGE),
    "strokes-2d-page": Recipe("strokes", epochs=60, teacher="strokes-2d", **_PAGE),
}
JUDGES = {"mnist-classes": "mnist", "strokes-classes": "strokes"}  # classifiers, and the images they learn from
_JUDGE_EPOCHS = 10


def train_model(name: str, path: Path, device: str | None = None) -> None:
    """Trains the model called `name`, one of RECIPES or JUDGES, and writes it to `path` with its recipe and scores.

    A run that was cut goes on where it was. Under torchrun, all processes train together, and the first one writes.
    """
    if name in RECIPES:
        train_vae(RECIPES[name], path, device)
    else:
        _train_judge(name, path, device)


def versions() -> dict[str, str]:
    """With what a model was made."""
    return {"vaecourse": __version__, "torch": torch.__version__, "python": platform.python_version()}


def check_name(name: str, known: list[str]) -> None:
    """Raises ValueError, with the known names, unless `name` is one of them."""
    if name not in known:
        raise ValueError(f"no recipe is called {name!r}; there are {', '.join(known)}.{did_you_mean(name, known)}")


def train_vae(recipe: Recipe, path: Path, device: str | None = None) -> None:
    """Trains a VAE as `train_model` does, by a recipe that may have no name."""
    images = load_dataset(recipe.dataset, split="train")
    torch.manual_seed(recipe.seed)  # the weights that a network is born with
    model = VAE(images.images.shape[1:], hidden=recipe.hidden, decoder_hidden=recipe.decoder_hidden)
    partial = unfinished(path)
    if recipe.teacher is None:
        fit(
            model,
            images.images,
            recipe.epochs,
            precision=recipe.precision,
            device=device,
            seed=recipe.seed,
            checkpoint=partial,
        )
    else:
        teacher = load_pretrained(recipe.teacher)
        assert isinstance(teacher, VAE)
        distil(teacher, model, images, recipe.epochs, device=device, seed=recipe.seed, checkpoint=partial)
    if not distributed.leads():
        return
    meta = {
        "name": path.stem,
        "recipe": asdict(recipe),
        "images": images.digest(),
        "versions": versions(),
        "scores": scores(model, images, load_dataset(recipe.dataset, split="test")),
    }
    save_model(path, model, meta, "float16")
    partial.unlink(missing_ok=True)  # last: an hour's training must not hang on the scores


def unfinished(path: Path) -> Path:
    """Where the training of the model at `path` keeps its checkpoint."""
    return path.with_suffix(".partial.safetensors")


def _train_judge(name: str, path: Path, device: str | None) -> None:
    """Trains the classifier called `name`, one of JUDGES, and writes it to `path` with its accuracy."""
    train_set, test_set = (load_dataset(JUDGES[name], split=split) for split in ("train", "test"))
    torch.manual_seed(0)  # the weights that a network is born with
    judge = Classifier(train_set.images.shape[1:])
    fit_classifier(
        *(judge, train_set.images, train_set.labels, _JUDGE_EPOCHS),
        device=device,
        checkpoint=unfinished(path),
        progress=True,
    )
    if not distributed.leads():
        return
    meta = {
        "name": name,
        "recipe": {"dataset": JUDGES[name], "epochs": _JUDGE_EPOCHS, "seed": 0},
        "images": train_set.digest(),
        "versions": versions(),
        "scores": judge_scores(judge, test_set),
    }
    save_model(path, judge, meta, "float16")
    unfinished(path).unlink(missing_ok=True)


def judge_scores(judge: Classifier, test_set: ImageSet) -> dict[str, float]:
    """The share of the test images that the judge names rightly."""
    named = judge.probabilities(test_set.images).argmax(1).cpu()
    return {"accuracy": (named == test_set.labels).double().mean().item()}


def scores(model: VAE, train_set: ImageSet, test_set: ImageSet) -> dict[str, float]:
    """What the course reports of a model, measured on the test images."""
    z_train, z_test = (measures.codes(model, s.images) for s in (train_set, test_set))
    generator = torch.Generator(model.device).manual_seed(0)
    values = {
        "elbo": measures.mean_elbo(model, test_set.images, generator),
        "mse": measures.reconstruction_mse(model, test_set.images),
        "sigma": model.sigma,  # None for pixels that are 0 or 1
        "knn_accuracy": measures.knn_accuracy(z_train.cpu(), train_set.labels, z_test.cpu(), test_set.labels),
    }
    return {name: value for name, value in values.items() if value is not None}


def distil(
    teacher: VAE,
    student: VAE,
    images: Any,
    epochs: int,
    *,
    device: torch.device | str | None = None,
    seed: int = 0,
    checkpoint: Path | None = None,
    progress: bool = True,
) -> None:
    """Teaches a small VAE to answer as the big one does, on images (N, *image_shape) and on codes all over the plane.

    The decoder copies f(z) at the codes of the images and at draws from a wide normal, so that a dragged point far from
    all data still shows what the teacher would draw. The encoder copies Q(z|x), in the sense of the smaller KL(student
    || teacher). A run that was cut goes on from its checkpoint.

    Raises:
        ValueError: Unless both likelihoods are Gaussian.
    """
    sigma, home = teacher.sigma, teacher.device
    if sigma is None or student.sigma is None:
        raise ValueError('teacher and student must have a sigma. Make both with likelihood="gaussian".')
    images, epochs, device = as_images(images, teacher.image_shape), as_count(epochs, "epochs"), as_device(device)

    @verdict
    def lesson(teacher: VAE, x: Tensor, noise: Tensor) -> tuple[Distribution, Tensor, Tensor]:
        q = teacher.encode(x)
        z = torch.cat([q.mean, 2.0 * noise[::4]])  # a quarter as many codes from all over the plane
        return q, z, teacher.decode(z).mean

    def loss(x: Tensor, noise: Tensor) -> dict[str, Tensor]:
        q, z, target = lesson(teacher, x, noise)
        squares = (student.decode(z).mean - target).square().flatten(1).sum(1) / (2 * sigma**2)
        guess = kl_divergence(student.encode(x), q).mean()
        # A guess, narrow as a needle, that is missed by far would drown all others: hence the log.
        return {"drawing": squares, "guess": 0.1 * torch.log1p(guess)}

    trainer = Trainer(
        student,
        loss,
        shuffled(images.to(device), batch_size=256, noise=teacher.latent_dim),
        epochs * -(-len(images) // 256),
        learning_rate=3e-3,
        device=device,
        seed=seed,
        settings=lambda: {"images": digest(images), "teacher": fingerprint(*teacher.state_dict().values())},
        checkpoint=checkpoint,
        progress=progress,
    )
    learned = student.log_sigma.requires_grad
    teacher.to(device), student.log_sigma.requires_grad_(False)  # sigma is the teacher's, and not learned
    try:
        trainer.run()
    finally:
        teacher.to(home), student.log_sigma.requires_grad_(learned)
    with torch.no_grad():
        student.log_sigma.copy_(teacher.log_sigma)
