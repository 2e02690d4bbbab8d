"""From a name to an ImageSet: MNIST, COIL-20, the sets that the course makes itself, or a folder of your images."""

from __future__ import annotations

import functools
import inspect
import os
import zipfile
from typing import TypeVar

import numpy as np

from ..names import did_you_mean
from . import bars, strokes, turntable, vowels
from .downloads import DataUnavailable, Published, at_hand, obtain
from .folders import load_folder
from .formats import glance_at_idx, read_idx, read_views
from .imageset import ImageSet
from .made import made_once

__all__ = ["load_dataset", "resolve"]

# Both mirrors serve the files as first published. SHA-256 is that of the unpacked file.
MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
MNIST_FILES = {  # split: (file, bytes unpacked, SHA-256) of the images, then of the labels
    "train": (
        ("train-images-idx3-ubyte.gz", 47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        ("train-labels-idx1-ubyte.gz", 60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    ),
    "test": (
        ("t10k-images-idx3-ubyte.gz", 7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        ("t10k-labels-idx1-ubyte.gz", 10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ),
}
COIL_MIRRORS = (
    "https://www.cs.columbia.edu/CAVE/databases/SLAM_coil-20_coil-100/coil-20/",
    "https://cave.cs.columbia.edu/old/databases/SLAM_coil-20_coil-100/coil-20/",
)
COIL_PIXELS = "7274cbacb79ea6c57340827c9f9301745a8e9b3173dea4aa828e00b49c42946c"  # of the (1440, 128, 128) array
COIL_LIMIT = 2**26  # bytes, five times the zip: it may have been packed in another way

SOURCES = {
    "mnist": "MNIST, by Y. LeCun, C. Cortes and C. J. C. Burges, CC BY-SA 3.0.",
    "coil-20": "COIL-20, by S. A. Nene, S. K. Nayar and H. Murase (Columbia Object Image Library, CUCS-005-96, 1996), "
    "offered by Columbia University for research use.",
    "strokes": "Strokes, digits that this course draws from known factors, free to use like the course's code.",
    "bars": "Bars, three pixels that this course draws from known factors, free to use like the course's code.",
    "vowels": "Vowels, that this course makes by source and filter from known factors, free to use like the course's "
    "code.",
    "turntable": "Turntable, objects that this course renders itself, free to use like the course's code.",
}
# What stands in for a set that cannot be had, and how to say so.
STAND_INS = {
    "mnist": ("MNIST", "strokes", "digits that the course draws itself"),
    "coil-20": ("COIL-20", "turntable", "objects that the course renders itself"),
}
SHAPES = {"mnist": (28, 28), "strokes": (28, 28), "bars": (1, 3), "vowels": (1, 32)}  # of the sets that have a split
DIGITS = tuple("0123456789")
# Read now: a file that is edited while a kernel runs must not lend its name to what the older code draws.
CODE = {module: inspect.getsource(module) for module in (strokes, turntable)}

Name = TypeVar("Name", bound=str | os.PathLike[str])


def load_dataset(
    name: str | os.PathLike[str], split: str | None = None, *, size: int | tuple[int, int] | None = None
) -> ImageSet:
    """Load a set of images by name.

    What is downloaded or drawn is kept for the next time, see `cache_folder`.

    Args:
        name: "mnist" or "strokes" (digits, 28 × 28); "bars" (three pixels, 1 × 3); "vowels" (levels of 32 harmonics,
            1 × 32); "coil-20" or "turntable" (objects from all sides); or a folder of your own images, as `load_folder`
            takes it: a Path, or a string that is no known name
        split: "train" (60,000 digits, 4,000 bars or 6,000 vowels; the default) or "test" (10,000, 1,000 or 1,000).
            Objects and folders have no split: which views are held back is for the protocol that scores them to say.
        size: side in pixels. "coil-20": 128 (the photographs, the default) or a divisor of it (averaged over boxes);
            "turntable": 16 to 256 (64); a folder: the side or (height, width) (28). Other sets have one size.

    Returns:
        An ImageSet.

    Raises:
        ValueError: For an unknown name, split or size.
        DataUnavailable: If a file cannot be had here.
        DataDamaged: If a file is not what it should be.
    """
    known = _known(name)
    if known in SHAPES:
        if split not in (None, "train", "test"):
            raise ValueError(f"split must be 'train' or 'test'; got {split!r}.")
        height, width = SHAPES[known]
        if size is not None and (size if isinstance(size, tuple) else (size, size)) != (height, width):
            only = f"{known} has images of {height} × {width} pixels only"
            raise ValueError(f"{only}; got size {size!r}. Leave size out.")
        return {"mnist": _mnist, "strokes": _strokes, "bars": _bars, "vowels": _vowels}[known](split or "train")
    if split is not None:
        raise ValueError(
            f"{str(name)!r} has no split {split!r}: which views are held back is for the protocol that scores them to "
            "say. Leave split out, and choose with .subset(...)."
        )
    if known is None:
        return load_folder(name, 28 if size is None else size)
    return _coil(128 if size is None else size) if known == "coil-20" else _turntable(64 if size is None else size)


def _known(name: object) -> str | None:
    """The known name meant, or None for a folder."""
    if name == "coil20" or (isinstance(name, str) and name in SOURCES):
        return str(name).replace("coil20", "coil-20")
    if isinstance(name, os.PathLike) or (isinstance(name, str) and os.path.isdir(os.path.expanduser(name))):
        return None
    raise ValueError(
        f"unknown dataset {name!r}.{did_you_mean(name, SOURCES)} Known are {', '.join(SOURCES)}, and any folder of "
        "images that exists."
    )


def _mnist(split: str) -> ImageSet:
    pixels, labels = map(obtain, _mnist_files(split))
    images = pixels.astype(np.float32)
    images /= 255
    return ImageSet(images, labels.astype(np.int64), "mnist", SOURCES["mnist"], DIGITS)


def _mnist_files(split: str) -> list[Published]:
    return [
        Published(
            place=f"mnist/{file}",
            mirrors=MNIST_MIRRORS,
            read=functools.partial(read_idx, size=size, sha256=sha256),
            glance=functools.partial(glance_at_idx, size=size),
            limit=size + 2**16,  # packed data cannot be much larger than unpacked data
        )
        for file, size, sha256 in MNIST_FILES[split]
    ]


def _coil(size: object) -> ImageSet:
    if not isinstance(size, int | np.integer) or size < 1 or 128 % size:
        raise ValueError(f"size must be 128 or a divisor of it; got {size!r}. Try size=64.")
    box = 128 // size
    images = obtain(_coil_file()).reshape(-1, size, box, size, box).mean((2, 4), dtype=np.float32)
    images /= 255
    labels, views = np.divmod(np.arange(len(images), dtype=np.int64), 72)
    names = tuple(f"object {i + 1}" for i in range(20))
    return ImageSet(images, labels, "coil-20", SOURCES["coil-20"], names, {"angle": views * 5.0})


def _coil_file() -> Published:
    read = functools.partial(read_views, sha256=COIL_PIXELS)
    return Published("coil-20/coil-20-proc.zip", COIL_MIRRORS, read, zipfile.is_zipfile, COIL_LIMIT)


def _strokes(split: str) -> ImageSet:
    count, seed = {"train": (60_000, 0), "test": (10_000, 1)}[split]
    images, labels, factors = made_once(
        f"strokes-{count}-{seed}", CODE[strokes], lambda: strokes.sample(count, np.random.default_rng(seed))
    )
    return ImageSet(images, labels, "strokes", SOURCES["strokes"], DIGITS, factors)


def _bars(split: str) -> ImageSet:
    count, seed = {"train": (4_000, 0), "test": (1_000, 1)}[split]
    images, labels, factors = bars.sample(count, np.random.default_rng(seed))
    return ImageSet(images, labels, "bars", SOURCES["bars"], bars.KINDS, factors)


def _vowels(split: str) -> ImageSet:
    count, seed = {"train": (6_000, 0), "test": (1_000, 1)}[split]
    images, labels, factors = vowels.sample(count, np.random.default_rng(seed))
    return ImageSet(images, labels, "vowels", SOURCES["vowels"], vowels.VOWELS, factors)


def _turntable(size: object) -> ImageSet:
    side = turntable.checked_size(size)
    images, labels, factors = made_once(f"turntable-{side}", CODE[turntable], lambda: turntable.views(side))
    return ImageSet(images, labels, "turntable", SOURCES["turntable"], turntable.OBJECTS, factors)


_missing: dict[str, str] = {}  # name: why it could not be had. Remembered, so that a page waits for a network once


def resolve(name: Name) -> Name | str:
    """The name to load: `name` itself or, where its files cannot be had, the set made here that stands in for it.

    Looks whether the files of "mnist" or "coil-20" are here, in milliseconds (they are read and checked when they are
    loaded), or else fetches them, once in a process. If that fails it prints one line saying so and returns "strokes"
    or "turntable". Other names come back as they are.

    Raises:
        ValueError: For an unknown name.
        DataDamaged: For a file in VAECOURSE_DATA that is visibly damaged.
    """
    known = _known(name)
    if known not in STAND_INS:
        return known or name
    title, stand_in, what = STAND_INS[known]
    if known not in _missing:
        files = [_coil_file()] if known == "coil-20" else [f for split in MNIST_FILES for f in _mnist_files(split)]
        try:
            for file in files:
                if not at_hand(file):
                    obtain(file)
            return known
        except DataUnavailable as error:
            _missing[known] = str(error)
    print(
        f"This uses {stand_in}, {what}, instead of {title}. {_missing[known]} Then run this again; in a notebook, "
        "restart the kernel first."
    )
    return stand_in
