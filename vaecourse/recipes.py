"""How the trained models that ship were made, so that one command makes each of them again.

    python -m vaecourse train mnist-2d

The `-page` models are small networks that a browser can run: they are taught by the big one (Hinton, Vinyals and Dean,
"Distilling the knowledge in a neural network", 2015), which costs less quality than training them on the data.
"""

from __future__ import annotations

import difflib
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.distributions import kl_divergence
from tqdm.auto import tqdm

from . import __version__, distributed, measures
from .checkpoints import load_pretrained, save_model
from .classifier import Classifier, fit_classifier
from .datasets import ImageSet, load_dataset
from .training import best_device, fit
from .vae import VAE
from .view_recipes import VIEW_RECIPES, train_views

__all__ = ["JUDGES", "RECIPES", "Recipe", "check_name", "distil", "judge_scores", "scores", "train", "train_vae"]


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


def train(name: str, folder: str | Path = ".", device: str | None = None) -> Path:
    """Trains the model called `name`, writes it into `folder` with its recipe and scores, and returns the file.

    A run that is cut goes on where it was when it is started again (but for the few minutes of a decoder that moves
    pixels). Under torchrun, all processes train together and the first one writes; what takes minutes only (judges,
    page models, decoders that move pixels) it trains alone.

    Raises:
        ValueError: For an unknown name.
    """
    check_name(name, [*RECIPES, *VIEW_RECIPES, *JUDGES])
    path = Path(folder) / f"{name}.safetensors"
    together = name in RECIPES and RECIPES[name].teacher is None
    if not (together or distributed.leads()):
        return path
    if name in RECIPES:
        train_vae(RECIPES[name], path, device)
    elif name in VIEW_RECIPES:
        train_views(name, path)
    else:
        _train_judge(name, path)
    return path


def check_name(name: str, known: list[str]) -> None:
    """Raises ValueError, with the nearest name, unless `name` is a known one."""
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=1, cutoff=0)[0]
        raise ValueError(f"no recipe is called {name!r}; there are {', '.join(known)}. Did you mean {near!r}?")


def train_vae(recipe: Recipe, path: Path, device: str | None = None) -> None:
    """Trains a VAE as the recipe says and writes it to `path` with its scores; a run that was cut goes on.

    Under torchrun, all processes train together and the first one measures and writes.
    """
    images = load_dataset(recipe.dataset, split="train")
    torch.manual_seed(recipe.seed)  # the weights that a network is born with
    model = VAE(images.images.shape[1:], hidden=recipe.hidden, decoder_hidden=recipe.decoder_hidden)
    partial = path.with_suffix(".partial.safetensors")
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
        distil(teacher, model, torch.as_tensor(images.images), recipe.epochs, recipe.seed)
    if not distributed.leads():
        return
    meta = {
        "name": path.stem,
        "recipe": asdict(recipe),
        "images": images.digest(),
        "versions": {"vaecourse": __version__, "torch": torch.__version__, "python": platform.python_version()},
        "scores": scores(model, images, load_dataset(recipe.dataset, split="test")),
    }
    save_model(path, model, meta)
    partial.unlink(missing_ok=True)  # last: an hour's training must not hang on the scores


def _train_judge(name: str, path: Path) -> None:
    """Trains the classifier called `name`, one of JUDGES, and writes it to `path` with its accuracy."""
    train_set, test_set = (load_dataset(JUDGES[name], split=split) for split in ("train", "test"))
    torch.manual_seed(0)  # the weights that a network is born with
    judge = Classifier(train_set.images.shape[1:])
    fit_classifier(judge, train_set.images, train_set.labels, _JUDGE_EPOCHS)
    meta = {
        "name": name,
        "recipe": {"dataset": JUDGES[name], "epochs": _JUDGE_EPOCHS, "seed": 0},
        "images": train_set.digest(),
        "versions": {"vaecourse": __version__, "torch": torch.__version__, "python": platform.python_version()},
        "scores": judge_scores(judge, test_set),
    }
    save_model(path, judge, meta)


def judge_scores(judge: Classifier, test_set: ImageSet) -> dict[str, float]:
    """The share of the test images that the judge names rightly."""
    named = judge.probabilities(test_set.images).argmax(1).cpu().numpy()
    return {"accuracy": float((named == test_set.labels).mean())}


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


def distil(teacher: VAE, student: VAE, images: Tensor, epochs: int, seed: int = 0) -> None:
    """Teaches a small VAE to answer as the big one does, on images (N, *image_shape) and on codes all over the plane.

    The decoder copies f(z) at the codes of the images and at draws from a wide normal, so that a dragged point far from
    all data still shows what the teacher would draw. The encoder copies Q(z|x), in the sense of the smaller KL(student
    || teacher). Both in place.

    Raises:
        ValueError: Unless both likelihoods are Gaussian.
    """
    device = best_device()
    teacher, student = teacher.to(device), student.to(device).train()
    sigma = teacher.sigma
    if sigma is None or student.sigma is None:
        raise ValueError('teacher and student must have a sigma. Make both with likelihood="gaussian".')
    x_all, batch = images.to(device), 256
    steps = epochs * -(-len(x_all) // batch)
    generator = torch.Generator(device).manual_seed(seed)
    optimizer = torch.optim.Adam(student.parameters(), lr=3e-3, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for _ in tqdm(range(steps), unit="step", desc="distilling", dynamic_ncols=True):
        x = x_all[torch.randint(len(x_all), (batch,), generator=generator, device=device)]
        with torch.no_grad():
            q = teacher.encode(x)
            noise = torch.randn(batch // 4, teacher.latent_dim, generator=generator, device=device)
            z = torch.cat([q.mean, 2.0 * noise])
            target = teacher.decode(z).mean
        squares = (student.decode(z).mean - target).square().flatten(1).sum(1).mean() / (2 * sigma**2)
        guess = kl_divergence(student.encode(x), q).mean()
        loss = squares + 0.1 * torch.log1p(guess)  # a needle missed by far would drown all others: hence the log
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        student.log_sigma.copy_(teacher.log_sigma)
    student.cpu().eval(), teacher.cpu()
