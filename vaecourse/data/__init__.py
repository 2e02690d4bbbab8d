"""What there is to look at: MNIST and COIL-20 when they can be had, a folder of your own images, and four sets that the
course makes itself from known factors: `bars` (three pixels), `strokes` (digits), `turntable` (objects) and `vowels`.
"""

from __future__ import annotations

from . import bars, strokes, turntable, vowels
from .datasets import load_dataset, resolve
from .downloads import DataDamaged, DataError, DataUnavailable, cache_folder
from .folders import IMAGE_ENDINGS, load_folder
from .imageset import ImageSet

__all__ = [
    "IMAGE_ENDINGS",
    "DataDamaged",
    "DataError",
    "DataUnavailable",
    "ImageSet",
    "bars",
    "cache_folder",
    "load_dataset",
    "load_folder",
    "resolve",
    "strokes",
    "turntable",
    "vowels",
]
