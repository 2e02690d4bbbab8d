"""One recipe, several random seeds: what does the course say of the data, and what was the luck of one draw?

    python -m vaecourse seeds mnist-2d --seeds 5

A seed decides the first weights, the order of the images and the draws of z. Whatever moves from seed to seed by more
than a claim's tolerance is no fact about handwriting.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import combinations
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from .. import measures
from ..data import load_dataset
from ..model import VAE, CheckpointError, load_model
from . import distributed
from .recipes import RECIPES, Recipe, check_name, train_vae

__all__ = ["Claims", "claims_over", "table", "train_seeds"]


def train_seeds(name: str, seeds: int, folder: str | Path = ".", device: str | None = None) -> Iterator[Path]:
    """Trains the recipe called `name` with each of the seeds 0 to seeds - 1; yields each model's file when it is there.

    A study that is cut goes on where it was. Under torchrun, all processes train each model together.

    Raises:
        ValueError: For an unknown name or fewer than two seeds.
        CheckpointError: For a file in `folder` that another recipe has made.
    """
    check_name(name, [known for known, recipe in RECIPES.items() if recipe.teacher is None])
    if seeds < 2:
        raise ValueError(f"seeds must be at least 2, for one run says nothing about the spread; got {seeds}.")
    for seed in range(seeds):
        recipe, path = replace(RECIPES[name], seed=seed), Path(folder) / f"{name}-seed{seed}.safetensors"
        if not distributed.from_leader(b"made" * (distributed.leads() and _is_made(recipe, path))):
            train_vae(recipe, path, device)
        yield path


def _is_made(recipe: Recipe, path: Path) -> bool:
    if not path.exists():
        return False
    if load_model(path).meta.get("recipe") != json.loads(json.dumps(asdict(recipe))):
        raise CheckpointError(f"{path} was made by another recipe. Give this study a folder of its own with --folder.")
    return True


class Claims(NamedTuple):
    """What the course claims of a model, by name, one value a seed."""

    scores: dict[str, list[float]]  # as `evaluate` prints them
    overlaps: dict[str, list[float]]  # of the pairs of classes, such as "4-9"; see `claims_over`


def claims_over(paths: list[Path]) -> Claims:
    """The claims, measured for each of the models in these files.

    Two classes overlap by so many per cent of the ten nearest training codes of a test image of one of the two as are
    of the other class.
    """
    models = [cast(VAE, load_model(path)) for path in paths]  # `train_seeds` makes no others
    train, test = (load_dataset(models[0].meta["recipe"]["dataset"], split=split) for split in ("train", "test"))
    names = train.class_names
    overlaps: dict[str, list[float]] = {}
    for model in models:
        z_train, z_test = (measures.codes(model, s.images).numpy() for s in (train, test))
        matrix = measures.overlap_matrix(z_train, train.labels, z_test, test.labels)
        for a, b in combinations(range(len(matrix)), 2):
            share = 50 * (matrix[a, b] + matrix[b, a])
            overlaps.setdefault(f"{names[a]}-{names[b]}", []).append(float(share))
    scores = {name: [model.meta["scores"][name] for model in models] for name in models[0].meta["scores"]}
    return Claims(scores, overlaps)


def table(claims: Claims, pairs: int = 6) -> str:
    """Mean, standard deviation and range over the seeds, of the scores and of the pairs that overlap most.

    The last column says which place a pair takes among all pairs, seed by seed.
    """
    shares = np.array(list(claims.overlaps.values()))  # (pairs, seeds)
    places = 1 + (shares > shares[:, None]).sum(axis=1)
    rows = [(name, np.array(values), "") for name, values in claims.scores.items()]
    for row in (-shares.mean(axis=1)).argsort()[:pairs]:
        place = ", ".join(map(str, places[row]))
        rows.append((f"overlap {list(claims.overlaps)[row]}", shares[row], f"  %, in place {place}"))
    lines = [f"{'':>13} {'mean':>9} {'spread':>9} {'least':>9} {'most':>9}"]
    for name, v, remark in rows:
        lines.append(f"{name:>13} {v.mean():9.4g} {v.std(ddof=1):9.2g} {v.min():9.4g} {v.max():9.4g}{remark}")
    return "\n".join(lines)
