"""Sets that the course makes itself are made once on a machine, and kept in the cache beside the downloads."""

from __future__ import annotations

import contextlib
import hashlib
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from ..files import write_whole
from .downloads import cache_folder

__all__ = ["Made", "check_draws", "made_once"]

Made = tuple[NDArray[np.float32], NDArray[np.int64], dict[str, NDArray[Any]]]  # images, labels, factors


def check_draws(n: int, generator: np.random.Generator) -> None:
    """Raises TypeError for what is no numpy Generator, and ValueError for what is no number of images to draw."""
    if not isinstance(generator, np.random.Generator):
        raise TypeError(f"generator must be a numpy Generator, e.g. np.random.default_rng(0); got {generator!r}")
    if not isinstance(n, int | np.integer) or n < 1:
        raise ValueError(f"n must be a positive whole number of images; got {n!r}")


def made_once(name: str, source: str, make: Callable[[], Made]) -> Made:
    """What make() returns, from the cache if it lies there; otherwise it is made, and kept for the next time.

    The file begins with a SHA-256 of all that it depends on: the source, the version of NumPy, the name, and the
    content behind. Where that does not fit, be it for an older drawing or a damaged file, the set is made again. A
    folder that cannot be written to costs time only.

    Args:
        name: the set's and its arguments', such as "turntable-64"
        source: the code that draws it
    """
    path = cache_folder() / "made" / f"{name}.safetensors.z"

    def stamp(content: bytes) -> bytes:
        return hashlib.sha256("\0".join((source, np.__version__, name)).encode() + content).digest()

    with contextlib.suppress(OSError):
        data = path.read_bytes()
        if data[:32] == stamp(data[32:]):
            arrays = load(zlib.decompress(data[32:]))
            return arrays.pop("images"), arrays.pop("labels"), arrays
    images, labels, factors = make()
    arrays = {"images": images, "labels": labels, **factors}
    # Mostly paper and full ink: the floats of 60,000 digits take 27 MB instead of 188.
    content = zlib.compress(save({key: np.ascontiguousarray(array) for key, array in arrays.items()}), 1)
    with contextlib.suppress(OSError):
        write_whole(path, stamp(content) + content)
    return images, labels, factors
