"""From a name to an ImageSet: MNIST, COIL-20, the two sets that the course makes itself, or a folder of your images."""

import difflib
import functools
import os
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from . import strokes, turntable
from .downloads import DataDamaged, DataError, DataUnavailable, check_digest, obtain
from .formats import inflate, parse_idx, unzip_views
from .imageset import ImageSet

__all__ = ["DataDamaged", "DataError", "DataUnavailable", "ImageSet", "load_dataset", "load_folder", "resolve"]

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
    "turntable": "Turntable, objects that this course renders itself, free to use like the course's code.",
}
# What stands in for a set that cannot be had, and how to say so.
STAND_INS = {
    "mnist": ("MNIST", "strokes", "digits that the course draws itself"),
    "coil-20": ("COIL-20", "turntable", "objects that the course renders itself"),
}
DIGITS = tuple("0123456789")
IMAGE_ENDINGS = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}


def load_dataset(name, split=None, *, size=None):
    """Load a set of images by name.

    A download is kept, see `downloads.cache_folder`.

    Args:
        name: "mnist" or "strokes" (digits, 28 × 28); "coil-20" or "turntable" (objects from all sides); or a folder of
            your own images, as `load_folder` takes it: a Path, or a string that is no known name
        split: "train" (60,000 digits; the default) or "test" (10,000) for digits. Objects and folders have no split:
            which views are held back is for the protocol that scores them to say.
        size: side in pixels. "coil-20": 128 (the photographs, the default) or a divisor of it (averaged over boxes);
            "turntable": 16 to 256 (64); a folder: the side or (height, width) (28). Digits have one size.

    Returns:
        An ImageSet.

    Raises:
        ValueError: For an unknown name, split or size.
        DataUnavailable: If a file cannot be had here.
        DataDamaged: If a file is not what it should be.
    """
    known = _known(name)
    if known in ("mnist", "strokes"):
        if split not in (None, "train", "test"):
            raise ValueError(f"split must be 'train' or 'test'; got {split!r}.")
        if size not in (None, 28):
            raise ValueError(f"{known} has images of 28 × 28 pixels only; got size {size!r}. Leave size out.")
        return LOADERS[known](split or "train")
    if split is not None:
        raise ValueError(
            f"{str(name)!r} has no split {split!r}: which views are held back is for the protocol that scores them to "
            "say. Leave split out, and choose with .subset(...)."
        )
    if known is None:
        return load_folder(name) if size is None else load_folder(name, size)
    return LOADERS[known]() if size is None else LOADERS[known](size)


def _known(name):
    """The known name meant, or None for a folder."""
    if isinstance(name, str) and name in ALIASES:
        return ALIASES[name]
    if isinstance(name, os.PathLike) or (isinstance(name, str) and os.path.isdir(os.path.expanduser(name))):
        return None
    nearest = difflib.get_close_matches(str(name).lower(), LOADERS, n=1, cutoff=0)[0]
    raise ValueError(
        f"unknown dataset {name!r}. Did you mean {nearest!r}? Known are {', '.join(LOADERS)}, and any folder of images "
        "that exists."
    )


def _mnist(split):
    images, labels = _mnist_arrays(split)
    images = images.astype(np.float32)
    images /= 255
    return ImageSet(images, labels.astype(np.int64), "mnist", SOURCES["mnist"], DIGITS)


def _mnist_arrays(split):
    # Packed data cannot be much larger than unpacked data.
    return [
        obtain(f"mnist/{file}", MNIST_MIRRORS, functools.partial(_read_idx, size=size, sha256=sha256), size + 2**16)
        for file, size, sha256 in MNIST_FILES[split]
    ]


def _read_idx(data, size, sha256):
    content = inflate(data, size)
    check_digest(content, sha256)
    return parse_idx(content)


def _coil(size=128):
    if not isinstance(size, int | np.integer) or size < 1 or 128 % size:
        raise ValueError(f"size must be 128 or a divisor of it; got {size!r}. Try size=64.")
    box = 128 // size
    images = _coil_array().reshape(-1, size, box, size, box).mean((2, 4), dtype=np.float32)
    images /= 255
    labels, views = np.divmod(np.arange(len(images), dtype=np.int64), 72)
    names = tuple(f"object {i + 1}" for i in range(20))
    return ImageSet(images, labels, "coil-20", SOURCES["coil-20"], names, {"angle": views * 5.0})


def _coil_array():
    return obtain("coil-20/coil-20-proc.zip", COIL_MIRRORS, _read_coil, COIL_LIMIT)


def _read_coil(data):
    pixels = unzip_views(data)
    check_digest(pixels, COIL_PIXELS)
    return pixels


def _strokes(split):
    count, seed = {"train": (60_000, 0), "test": (10_000, 1)}[split]
    images, labels, factors = strokes.sample(count, np.random.default_rng(seed))
    return ImageSet(images, labels, "strokes", SOURCES["strokes"], DIGITS, factors)


def _turntable(size=64):
    images, labels, factors = turntable.views(size)
    return ImageSet(images, labels, "turntable", SOURCES["turntable"], turntable.OBJECTS, factors)


LOADERS: dict[str, Callable] = {"mnist": _mnist, "strokes": _strokes, "coil-20": _coil, "turntable": _turntable}
ALIASES = {name: name for name in LOADERS} | {"coil20": "coil-20"}


def load_folder(path, size=(28, 28)):
    """A folder of your own images, one sub-folder a class; the sub-folders' names, sorted, are the class names.

    Colours become grey, transparent places white, and each image is shrunk to size, (height, width) or one side in
    pixels, with a margin in the tone of its border if the proportions differ. If most of the border of all images is
    light, light is taken for paper and all are inverted, so that 0 is the background either way.

    Files whose names do not end like an image's, and hidden ones, are left out.

    Returns:
        An ImageSet.

    Raises:
        ValueError: For a bad size.
        DataUnavailable: For a folder without sub-folders or images.
        DataDamaged: For a file that is no image or has more than Pillow's MAX_IMAGE_PIXELS.
    """
    sides = tuple(size) if isinstance(size, tuple | list) else (size, size)
    if len(sides) != 2 or not all(isinstance(side, int | np.integer) and side >= 1 for side in sides):
        raise ValueError(f"size must be (height, width) in whole pixels; got {size!r}. Try size=(28, 28).")
    path = Path(os.path.expanduser(path))
    classes = [folder for folder in _visible(path) if folder.is_dir()]
    if not classes:
        raise DataUnavailable(f"{path} has no sub-folders. Make one for each class, and put that class's images there.")
    greys, labels = [], []
    for label, folder in enumerate(classes):
        files = [file for file in _visible(folder) if file.suffix.lower() in IMAGE_ENDINGS]
        if not files:
            raise DataUnavailable(
                f"{folder} has no images ({', '.join(sorted(IMAGE_ENDINGS))}). Add some or remove it."
            )
        greys += [_grey(file, *sides) for file in files]
        labels += [label] * len(files)
    images = np.stack(greys).astype(np.float32) / 255
    if np.median(np.concatenate([_border(image) for image in images])) > 0.5:
        images = 1 - images
    name, *names = (folder.name.encode(errors="replace").decode() for folder in (path, *classes))  # can be printed
    return ImageSet(images, np.array(labels, np.int64), name, "Images of the reader's own.", tuple(names))


def _visible(folder):
    try:
        return sorted(file for file in folder.iterdir() if not file.name.startswith("."))
    except OSError as error:
        raise DataUnavailable(
            f"{folder} cannot be listed ({error.strerror}). Check the path and its rights."
        ) from error


def _border(image):
    return np.concatenate([image[[0, -1]].ravel(), image[:, [0, -1]].ravel()])


def _grey(path, height, width):
    """One image file as (height, width) uint8."""
    try:
        with warnings.catch_warnings():
            # Pillow raises above twice its limit of pixels, and only warns below that.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as file:
                image = ImageOps.exif_transpose(file)
        if image.mode.startswith("I;16"):  # Pillow would clip at 255 instead of scaling
            image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
        if image.mode in ("I", "F"):
            raise ValueError(f"pixels of kind {image.mode} have no known white")
        if "A" in image.getbands() or "transparency" in image.info:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        grey = image.convert("L")
        margin = int(np.median(_border(np.asarray(grey))))
        return np.asarray(ImageOps.pad(grey, (width, height), color=margin))
    # Pillow answers broken files with a dozen unrelated exceptions.
    except Exception as error:
        raise DataDamaged(
            f"{path} cannot be used ({type(error).__name__}: {error}). Save it as a PNG of usual size, or remove it."
        ) from error


_missing: dict[str, str] = {}  # name: why it could not be had. Remembered, so that a page waits for a network once


def resolve(name):
    """The name to load: `name` itself or, where its files cannot be had, the set made here that stands in for it.

    Tries to fetch "mnist" or "coil-20", once in a process. If that fails it prints one line saying so and returns
    "strokes" or "turntable". Other names come back as they are.

    Raises:
        ValueError: For an unknown name.
        DataDamaged: For a damaged file in VAECOURSE_DATA.
    """
    known = _known(name)
    if known not in STAND_INS:
        return known or name
    title, stand_in, what = STAND_INS[known]
    if known not in _missing:
        try:
            if known == "coil-20":
                _coil_array()
            else:
                for split in MNIST_FILES:
                    _mnist_arrays(split)
            return known
        except DataUnavailable as error:
            _missing[known] = str(error)
    print(f"This page uses {stand_in}, {what}, instead of {title}. {_missing[known]} Then restart the kernel.")
    return stand_in
