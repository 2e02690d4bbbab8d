"""How the judge learns to name digits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ..images import as_images, as_labels, digest
from ..model import Classifier, as_count
from .trainer import Trainer, as_device, fingerprint, shuffled

__all__ = ["fit_classifier"]

_BATCH = 128


def fit_classifier(
    model: Classifier,
    images: Any,
    labels: Any,
    epochs: int,
    *,
    device: torch.device | str | None = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    progress: bool = False,
) -> None:
    """Trains in place on images (N, *image_shape) and labels (N,); leaves the model in eval mode.

    `seed` decides the order of the images and what dropout leaves out. A run that was cut goes on from its checkpoint.

    Raises:
        ValueError: For wrong images, labels or settings.
    """
    images = as_images(images, model.image_shape).detach()
    labels = as_labels(labels, images.shape[:1], model.config["classes"])
    epochs, device = as_count(epochs, "epochs"), as_device(device)

    def loss(x: Tensor, label: Tensor) -> Tensor:
        return cross_entropy(model(x), label)

    Trainer(
        model,
        loss,
        shuffled(images.to(device), labels.to(device), batch_size=_BATCH),
        epochs * -(-len(images) // _BATCH),
        learning_rate=4e-3,
        device=device,
        seed=seed,
        settings=lambda: {"images": digest(images), "labels": fingerprint(labels)},
        checkpoint=checkpoint,
        progress=progress,
    ).run()
