"""How the shipped decoders that move pixels were made, and what they score on the photographs held back.

    python -m vaecourse train coil-20-views-20

The name says whose views they are and how many degrees lie between two known ones. For COIL-20, three seeds ship.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from ..data import ImageSet, load_dataset
from ..model import save_model
from ..training import distributed, unfinished, versions
from . import protocol
from .learning import fit_views
from .mover import ViewVAE

__all__ = ["VIEW_RECIPES", "ViewRecipe", "train_views", "view_scores"]

STEP = 5  # degrees between the views of both data sets
SIDE = 64  # pixels


@dataclass(frozen=True)
class ViewRecipe:
    """One trained model: whose views it learns from, and how far apart the known ones are."""

    dataset: str
    gap: int  # degrees between known views
    steps: int = 2000
    latent_dim: int = 32
    width: int = 40
    seed: int = 0


VIEW_RECIPES = {
    f"{dataset}-views-{gap}" + (f"-seed{seed}" if seed else ""): ViewRecipe(dataset, gap, seed=seed)
    for dataset, seeds in (("coil-20", 3), ("turntable", 1))
    for gap in (10, 20, 30, 40)
    for seed in range(seeds)
}


def train_views(name: str, path: Path, device: str | None = None) -> None:
    """Trains the model called `name`, one of VIEW_RECIPES, and writes it to `path` with its recipe and scores.

    A run that was cut goes on where it was. Under torchrun, all processes train together, and the first one writes.
    """
    recipe = VIEW_RECIPES[name]
    images = load_dataset(recipe.dataset, size=SIDE)
    known = protocol.known_views(protocol.rings(images), recipe.gap // STEP)
    torch.manual_seed(recipe.seed)  # the weights that a network is born with
    model = ViewVAE(recipe.latent_dim, recipe.width)
    fit_views(model, known, recipe.steps, device=device, seed=recipe.seed, checkpoint=unfinished(path))
    if not distributed.leads():
        return
    meta = {
        "name": name,
        "recipe": asdict(recipe),
        "images": images.digest(),
        "versions": versions(),
    }
    save_model(path, model, meta | {"scores": view_scores(model, images, recipe.gap)}, "float16")
    unfinished(path).unlink(missing_ok=True)


def view_scores(model: ViewVAE, images: ImageSet, gap: int) -> dict[str, float]:
    """Means over all held-out views, gap degrees between known ones, and over those that no choice was made on."""
    views, every = protocol.rings(images), gap // STEP
    new = model.between(protocol.known_views(views, every), protocol.fractions(every))
    psnr, ssim = protocol.score(new, protocol.held_out(views, every))
    values = {"psnr": psnr.mean(), "ssim": ssim.mean()}
    if images.name == "coil-20":
        values["psnr_rest"] = np.delete(psnr, protocol.VALIDATION, axis=0).mean()
    return {name: float(value) for name, value in values.items()}
