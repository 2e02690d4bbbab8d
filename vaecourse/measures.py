"""What the prose claims, as functions: the bound on a data set, and how the classes lie in the plane of codes.

Neighbour measures follow Cover and Hart, "Nearest neighbor pattern classification", 1967, with SciPy's k-d tree.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import KDTree
from torch import Tensor

from .images import as_array, as_generator, as_images, as_labels
from .model import VAE, as_count, verdict

__all__ = ["codes", "knn_accuracy", "mean_elbo", "neighbour_classes", "overlap_matrix", "reconstruction_mse"]

_BATCH = 4096  # bounds memory: a batch's widest layer is then some megabytes


@verdict
def codes(model: VAE, images: Any) -> Tensor:
    """The means of Q(z|x): (N, latent_dim), for images (N, *image_shape). Raises ValueError for wrong images."""
    return torch.cat([model.encode(batch).mean for batch in _batches(model, images)])


@verdict
def mean_elbo(model: VAE, images: Any, generator: torch.Generator | None = None, draws: int = 8) -> float:
    """The ELBO in nats per image: the mean over images (N, *image_shape), each with `draws` draws of z."""
    draws, batches = as_count(draws, "draws"), _batches(model, images)
    generator = as_generator(generator, model.device)
    total = sum(model.elbo(batch, generator).double().sum().item() for batch in batches for _ in range(draws))
    return total / (draws * sum(map(len, batches)))


@verdict
def reconstruction_mse(model: VAE, images: Any) -> float:
    """Mean squared error a pixel between images and f(z) at the mean of Q(z|x), in squared grey levels."""
    batches = _batches(model, images)
    means = (model.decode(model.encode(batch).mean).mean for batch in batches)
    squares = sum((f - x).double().square().sum().item() for f, x in zip(means, batches, strict=True))
    return squares / sum(batch.numel() for batch in batches)


def _batches(model: VAE, images: Any) -> tuple[Tensor, ...]:
    return as_images(images, model.image_shape, next(model.parameters())).split(_BATCH)


def neighbour_classes(known_codes: Any, known_labels: Any, new_codes: Any, k: int = 10) -> NDArray[np.int64]:
    """The labels (M, k) of the k known codes (N, d) nearest to each new code (M, d), nearest first.

    Raises:
        ValueError: When there are fewer than k known codes, or codes and labels do not pair up.
    """
    known, new, k = _points(known_codes, "known_codes"), _points(new_codes, "new_codes"), as_count(k, "k")
    if k > len(known):
        raise ValueError(f"k must be from 1 to the number of known_codes; got k = {k} and {len(known)} codes.")
    if new.shape[1] != known.shape[1]:
        raise ValueError(f"new_codes must have {known.shape[1]} coordinates, as known_codes have; got {new.shape[1]}.")
    labels = as_labels(known_labels, known.shape[:1], name="known_labels").numpy()
    _, index = KDTree(known).query(new, k=range(1, k + 1))
    nearest: NDArray[np.int64] = labels[index]
    return nearest


def _points(given: Any, name: str) -> NDArray[np.float64]:
    """Codes (N, d) in the precision that SciPy computes in."""
    points = as_array(given, name).astype(np.float64)
    if points.ndim != 2 or not points.size or not np.isfinite(points).all():
        raise ValueError(f"{name} must be finite numbers (N, d), one code a row; got shape {points.shape}.")
    return points


def knn_accuracy(known_codes: Any, known_labels: Any, new_codes: Any, new_labels: Any, k: int = 10) -> float:
    """The share of new codes whose k nearest known codes elect their class (ties go to the smaller label)."""
    votes = neighbour_classes(known_codes, known_labels, new_codes, k)
    truth = as_labels(new_labels, votes.shape[:1], name="new_labels").numpy()
    elected = np.stack([(votes == c).sum(1) for c in range(votes.max() + 1)], axis=1).argmax(1)
    return float((elected == truth).mean())


def overlap_matrix(
    known_codes: Any, known_labels: Any, new_codes: Any, new_labels: Any, k: int = 10
) -> NDArray[np.float64]:
    """(C, C): row i holds the mix of classes among the k nearest known codes of a new code of class i.

    Rows sum to 1. Where classes do not overlap this is the identity; the entry (i, j) is the share of class j in the
    neighbourhood of class i.

    Raises:
        ValueError: When some class has no new code.

    Example:
        >>> known, labels = [[0, 0], [0, 1], [5, 5], [5, 6]], [0, 0, 1, 1]
        >>> new, new_labels = [[0, 0.5], [5, 5.5], [1, 0]], [0, 1, 1]
        >>> overlap_matrix(known, labels, new, new_labels, k=2)
        array([[1. , 0. ],
               [0.5, 0.5]])
    """
    votes = neighbour_classes(known_codes, known_labels, new_codes, k)
    truth = as_labels(new_labels, votes.shape[:1], name="new_labels").numpy()
    classes = max(votes.max(), truth.max()) + 1
    missing = sorted(set(range(classes)) - set(truth.tolist()))
    if missing:
        raise ValueError(f"no new code has label {missing[0]}: give at least one image of every class.")
    shares = np.stack([(votes == c).mean(1) for c in range(classes)], axis=1)
    return np.stack([shares[truth == c].mean(0) for c in range(classes)])
