"""A small judge: which digit is this, and how sure can one be? It knows real images only, and no latent space."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from .vae import check_images

__all__ = ["Classifier", "fit_classifier"]

_BATCH = 2048


class Classifier(nn.Module):
    """Images (N, *image_shape) to logits (N, classes): two convolutions that halve the image, and two layers."""

    meta: dict[str, Any]  # of a model that was loaded: how it was made, and what it scored

    def __init__(self, image_shape: tuple[int, int] = (28, 28), classes: int = 10, width: int = 16):
        super().__init__()
        self.image_shape = tuple(image_shape)
        self.config: dict[str, Any] = {"image_shape": self.image_shape, "classes": classes, "width": width}
        height, breadth = (-(-side // 4) for side in image_shape)
        self.net = nn.Sequential(
            nn.Conv2d(1, width, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(2 * width * height * breadth, 4 * width),
            nn.GELU(),
            nn.Linear(4 * width, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x[:, None])

    @torch.no_grad()
    def probabilities(self, x: ArrayLike | Tensor) -> Tensor:
        """P(class | image): (..., classes) for images (..., *image_shape) in [0, 1]. Raises ValueError for others.

        Example:
            A drawn 3 and a drawn 8:

            >>> from vaecourse import load_pretrained, strokes
            >>> judge = load_pretrained("strokes-classes")
            >>> judge.probabilities(strokes.draw([3, 8])).argmax(1)
            tensor([3, 8])
        """
        x = torch.as_tensor(x, device=next(self.parameters()).device)
        check_images(x, self.image_shape)
        flat = x.reshape(-1, *self.image_shape)
        p = torch.cat([self(batch).softmax(-1) for batch in flat.split(_BATCH)])
        return p.reshape(*x.shape[: -len(self.image_shape)], -1)


def fit_classifier(
    model: Classifier, images: ArrayLike | Tensor, labels: ArrayLike | Tensor, epochs: int, seed: int = 0
) -> None:
    """Trains in place on images (N, *image_shape) and labels (N,); leaves the model in eval mode.

    `seed` decides the order of the images and what dropout leaves out.

    Raises:
        ValueError: For wrong images or labels.
    """
    images, labels = torch.as_tensor(images), torch.as_tensor(labels)
    check_images(images, model.image_shape)
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
