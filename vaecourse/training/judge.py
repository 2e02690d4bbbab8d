"""How the judge learns to name digits."""

from __future__ import annotations

import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn.functional import cross_entropy

from ..images import as_images
from ..model import Classifier

__all__ = ["fit_classifier"]


def fit_classifier(
    model: Classifier, images: ArrayLike | Tensor, labels: ArrayLike | Tensor, epochs: int, seed: int = 0
) -> None:
    """Trains in place on images (N, *image_shape) and labels (N,); leaves the model in eval mode.

    `seed` decides the order of the images and what dropout leaves out. Raises ValueError for wrong images or labels.
    """
    images, labels = as_images(images, model.image_shape), torch.as_tensor(labels)
    classes = model.config["classes"]
    if labels.shape != images.shape[:1] or labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"labels must be ({len(images)},), from 0 to {classes - 1}; got {tuple(labels.shape)}.")
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters())
    steps = epochs * -(-len(images) // 128)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    model.train()
    with torch.random.fork_rng():  # dropout draws from the global generator
        torch.manual_seed(seed)
        for _ in range(epochs):
            for batch in torch.randperm(len(images), generator=generator).split(128):
                optimizer.zero_grad()
                cross_entropy(model(images[batch]), labels[batch]).backward()
                optimizer.step()
                schedule.step()
    model.eval()
