"""ImageSet: images with their labels, checked once, so that nobody has to check them again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..images import as_images, as_labels, as_numbers, digest

__all__ = ["ImageSet"]


@dataclass(frozen=True, eq=False, init=False)
class ImageSet:
    """Images with labels and what else is known of each, as tensors on the CPU, made of whatever holds them.

    Args:
        images: (N, H, W), or in colour (N, C, H, W), float32 in [0, 1]; 0 = paper or background, 1 = ink or full light
        labels: (N,) int64, indices into class_names
        name: the set's name, one that load_dataset knows or a folder's
        source: one sentence of credit and terms, to print below a figure
        class_names: one name a class
        factors: {name: (N,) numbers}, such as the angle of a view in degrees

    Raises:
        ValueError: If any of this does not hold, or if there is no image.
    """

    images: Tensor = field(repr=False)
    labels: Tensor = field(repr=False)
    name: str
    source: str
    class_names: tuple[str, ...]
    factors: dict[str, Tensor] = field(repr=False)

    def __init__(
        self,
        images: Any,
        labels: Any,
        name: str,
        source: str,
        class_names: Iterable[str],
        factors: Mapping[str, Any] | None = None,
    ):
        pictures = _pictures(images)
        names = tuple(class_names)
        fields = {
            "images": pictures,
            "labels": as_labels(labels, (len(pictures),), len(names)),
            "name": name,
            "source": source,
            "class_names": names,
            "factors": {key: _factor(key, values, len(pictures)) for key, values in (factors or {}).items()},
        }
        for key, value in fields.items():
            object.__setattr__(self, key, value)  # how a frozen dataclass is filled

    def __len__(self) -> int:
        return len(self.images)

    def subset(self, index: Any) -> ImageSet:
        """The images that index picks: a slice, whole numbers or a mask, of NumPy, PyTorch or Python.

        Raises:
            IndexError: As NumPy does.
            ValueError: If nothing is left.

        Example:
            >>> from vaecourse.data import strokes
            >>> digits = ImageSet(strokes.draw([0, 1, 1]), [0, 1, 1], "mine", "Drawn here.", ("0", "1"))
            >>> len(digits.subset(digits.labels == 1))
            2
        """
        places = index.detach().cpu().numpy() if isinstance(index, Tensor) else index
        kept = torch.from_numpy(np.arange(len(self))[places].flatten())
        factors = {name: values[kept] for name, values in self.factors.items()}
        return replace(self, images=self.images[kept], labels=self.labels[kept], factors=factors)

    def digest(self) -> str:
        """SHA-256 of what can be seen of the images (`images.digest`) and of the labels, for a checkpoint's recipe."""
        return sha256(digest(self.images).encode() + self.labels.numpy().astype("<i8").tobytes()).hexdigest()


def _pictures(images: Any) -> Tensor:
    x = as_numbers(getattr(images, "images", images), "images")
    if x.ndim not in (3, 4) or (x.ndim == 4 and not 1 <= x.shape[1] <= 4):
        raise ValueError(
            f"images must be (N, H, W), or (N, C, H, W) with 1 to 4 channels; got {tuple(x.shape)}. Channels that "
            "stand last go to the front: np.moveaxis(images, -1, 1)."
        )
    return as_images(x, tuple(x.shape[1:])).detach().cpu()


def _factor(name: str, values: Any, count: int) -> Tensor:
    numbers = as_numbers(values, f"factor {name!r}").detach().cpu()
    if tuple(numbers.shape) != (count,) or not numbers.isfinite().all():
        raise ValueError(
            f"factor {name!r} must be {count} finite numbers, one an image; got shape {tuple(numbers.shape)}. "
            "Leave out the factor, or the images for which it is not known."
        )
    return numbers
