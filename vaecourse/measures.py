"""What the prose claims, as functions: the bound on a data set, and how the classes lie in the plane of codes.

Neighbour measures follow Cover and Hart, "Nearest neighbor pattern classification", 1967, with SciPy's k-d tree.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree
from torch import Tensor

from .vae import VAE, check_images

__all__ = ["codes", "knn_accuracy", "mean_elbo", "neighbour_classes", "overlap_matrix", "reconstruction_mse"]

_BATCH = 4096  # bounds memory: a batch's widest layer is then some megabytes


@torch.no_grad()
def codes(model: VAE, images: ArrayLike | Tensor) -> Tensor:
    """The means of Q(z|x): (N, latent_dim), for images (N, *image_shape). Raises ValueError for wrong images."""
    images = torch.as_tensor(images)
    check_images(images, model.image_shape)
    return torch.cat([model.encode(batch).mean for batch in images.split(_BATCH)])


@torch.no_grad()
def mean_elbo(model: VAE, images: ArrayLike | Tensor, generator: torch.Generator, draws: int = 8) -> float:
    """The ELBO in nats per image: the mean over images (N, *image_shape), each with `draws` draws of z."""
    images = torch.as_tensor(images)
    check_images(images, model.image_shape)
    batches = [batch for batch in images.split(_BATCH) for _ in range(draws)]
    total = sum(model.elbo(batch, generator).double().sum().item() for batch in batches)
    return total / (draws * len(images))


@torch.no_grad()
def reconstruction_mse(model: VAE, images: ArrayLike | Tensor) -> float:
    """Mean squared error a pixel between images and f(z) at the mean of Q(z|x), in squared grey levels."""
    images = torch.as_tensor(images)
    check_images(images, model.image_shape)
    means = (model.decode(model.encode(batch).mean).mean for batch in images.split(_BATCH))
    squares = sum((f - x).double().square().sum().item() for f, x in zip(means, images.split(_BATCH), strict=True))
    return squares / images.numel()


def neighbour_classes(
    known_codes: ArrayLike, known_labels: ArrayLike, new_codes: ArrayLike, k: int = 10
) -> NDArray[np.int64]:
    """The labels (M, k) of the k known codes (N, d) nearest to each new code (M, d), nearest first.

    Raises:
        ValueError: When there are fewer than k known codes, or codes and labels do not pair up.
    """
    known, labels = np.asarray(known_codes), np.asarray(known_labels)
    if known.ndim != 2 or labels.shape != known.shape[:1] or not 1 <= k <= len(known):
        raise ValueError(
            f"known_codes must be (N, d) with N labels and at least k = {k} of them; got codes of shape {known.shape} "
            f"and labels of shape {labels.shape}."
        )
    _, index = KDTree(known).query(np.asarray(new_codes), k=range(1, k + 1))
    return labels[index]


def knn_accuracy(
    known_codes: ArrayLike, known_labels: ArrayLike, new_codes: ArrayLike, new_labels: ArrayLike, k: int = 10
) -> float:
    """The share of new codes whose k nearest known codes elect their class (ties go to the smaller label)."""
    votes = neighbour_classes(known_codes, known_labels, new_codes, k)
    classes = int(max(votes.max(), np.max(new_labels))) + 1
    elected = np.stack([(votes == c).sum(1) for c in range(classes)], axis=1).argmax(1)
    return float((elected == np.asarray(new_labels)).mean())


def overlap_matrix(
    known_codes: ArrayLike, known_labels: ArrayLike, new_codes: ArrayLike, new_labels: ArrayLike, k: int = 10
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
    new_labels = np.asarray(new_labels)
    classes = int(max(votes.max(), new_labels.max())) + 1
    missing = sorted(set(range(classes)) - set(new_labels.tolist()))
    if missing:
        raise ValueError(f"no new code has label {missing[0]}: give at least one image of every class.")
    shares = np.stack([(votes == c).mean(1) for c in range(classes)], axis=1)
    return np.stack([shares[new_labels == c].mean(0) for c in range(classes)])
