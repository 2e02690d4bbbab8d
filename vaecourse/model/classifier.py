"""A small judge: which digit is this, and how sure can one be? It knows real images only, and no latent space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from ..images import as_images
from .checkpoints import stored
from .sizes import as_count
from .verdicts import verdict

__all__ = ["Classifier"]

_BATCH = 2048


@stored
class Classifier(nn.Module):
    """Images (N, *image_shape) to logits (N, classes): two convolutions that halve the image, and two layers.

    Raises:
        ValueError: For sizes that make no network.
    """

    meta: dict[str, Any]  # of a model that was loaded: how it was made, and what it scored

    def __init__(self, image_shape: Sequence[int] = (28, 28), classes: int = 10, width: int = 16):
        super().__init__()
        sides = [as_count(n, "each side of image_shape") for n in image_shape]
        if len(sides) != 2:
            raise ValueError(f"image_shape must be two numbers, such as (28, 28); got {tuple(sides)}.")
        classes, width = as_count(classes, "classes"), as_count(width, "width")
        self.image_shape = tuple(sides)
        self.config: dict[str, Any] = {"image_shape": self.image_shape, "classes": classes, "width": width}
        height, breadth = (-(-side // 4) for side in sides)
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
        x = as_images(x, self.image_shape, next(self.parameters()), values=not self.training)
        logits: Tensor = self.net(x[:, None])
        return logits

    @verdict
    def probabilities(self, x: ArrayLike | Tensor) -> Tensor:
        """P(class | image): (..., classes) for images (..., *image_shape) in [0, 1]. Raises ValueError for others.

        Example:
            A drawn 3 and a drawn 8:

            >>> from vaecourse import load_pretrained
            >>> from vaecourse.data import strokes
            >>> judge = load_pretrained("strokes-classes")
            >>> judge.probabilities(strokes.draw([3, 8])).argmax(1)
            tensor([3, 8])
        """
        x = as_images(x, self.image_shape, next(self.parameters()), leading=None)
        flat = x.reshape(-1, *self.image_shape)
        p = torch.cat([self(batch).softmax(-1) for batch in torch.split(flat, _BATCH)])
        return p.reshape(*x.shape[: -len(self.image_shape)], -1)
