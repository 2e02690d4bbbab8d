"""ImageSet: images with their labels, checked once, so that nobody has to check them again."""

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np

__all__ = ["ImageSet"]


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Grey images with labels and what else is known of each.

    Args:
        images: (N, H, W) float32 in [0, 1]; 0 = paper or background, 1 = ink or full light
        labels: (N,) int64, indices into class_names
        name: the set's name, one that load_dataset knows or a folder's
        source: one sentence of credit and terms, to print below a figure
        class_names: one name a class
        factors: {name: (N,) numbers}, such as the angle of a view in degrees

    Raises:
        ValueError: If any of this does not hold, or if there is no image.
    """

    images: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    name: str
    source: str
    class_names: tuple
    factors: dict = field(default_factory=dict, repr=False)

    def __post_init__(self):
        _check_images(self.images)
        _check_labels(self.labels, len(self), len(self.class_names))
        for name, values in self.factors.items():
            if np.shape(values) != (len(self),) or not np.isfinite(values).all():
                raise ValueError(
                    f"factor {name!r} must be {len(self)} finite numbers, one an image; got shape {np.shape(values)}. "
                    "Leave out the factor, or the images for which it is not known."
                )

    def __len__(self):
        return len(self.images)

    def subset(self, index):
        """The images that index picks: a slice, whole numbers or a mask.

        Raises:
            IndexError: As NumPy does.
            ValueError: If nothing is left.

        Example:
            >>> from vaecourse import strokes
            >>> images, labels = strokes.draw([0, 1, 1]), np.array([0, 1, 1])
            >>> digits = ImageSet(images, labels, "mine", "Drawn here.", ("0", "1"))
            >>> len(digits.subset(digits.labels == 1))
            2
        """
        kept = np.atleast_1d(np.arange(len(self))[index])
        factors = {name: values[kept] for name, values in self.factors.items()}
        return replace(self, images=self.images[kept], labels=self.labels[kept], factors=factors)

    def digest(self):
        """SHA-256 of the images' shape, the images and the labels, for the recipe of a checkpoint."""
        digest = hashlib.sha256(repr(self.images.shape).encode())
        digest.update(np.ascontiguousarray(self.images, "<f4").data)
        digest.update(np.ascontiguousarray(self.labels, "<i8").data)
        return digest.hexdigest()


def _check_images(images):
    if not isinstance(images, np.ndarray) or images.dtype.kind not in "biuf":
        raise ValueError(f"images must be a NumPy array of numbers; got {type(images).__name__}. Convert it first.")
    if not images.size:
        raise ValueError(f"images must be (N, H, W) with at least one image; got {images.shape}. Choose at least one.")
    low, high = images.min(), images.max()
    advice = []
    if not np.isfinite(low) or not np.isfinite(high):  # a NaN anywhere makes both NaN
        advice.append("Replace what is not a finite number.")
    elif low < 0:
        advice.append("Shift and scale to [0, 1].")
    elif high > 1:
        advice.append("Divide by 255." if high <= 255 else "Scale to [0, 1].")
    if images.ndim != 3:
        advice.append("Reshape to (N, H, W).")
    if images.dtype != np.float32:
        advice.append("Convert with astype(np.float32).")
    if advice:
        raise ValueError(
            f"images must be (N, H, W) float32 in [0, 1]; got {images.shape} {images.dtype} in [{low:g}, {high:g}]. "
            + " ".join(advice)
        )


def _check_labels(labels, images, classes):
    if not isinstance(labels, np.ndarray) or labels.shape != (images,) or labels.dtype != np.int64:
        got = f"{labels.shape} {labels.dtype}" if isinstance(labels, np.ndarray) else type(labels).__name__
        raise ValueError(
            f"labels must be a NumPy array ({images},) int64, one an image; got {got}. "
            "Take the labels of these very images, with np.asarray(labels, np.int64)."
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"labels must be 0 to {classes - 1}, indices into the {classes} class_names; got {labels.min()} to "
            f"{labels.max()}. Name every class, and count from 0."
        )
