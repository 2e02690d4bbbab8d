"""A folder of your own pictures as an ImageSet: what a phone, a scanner or a camera puts there, as far as it goes."""

from __future__ import annotations

import contextlib
import os
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from .downloads import DataUnavailable
from .imageset import ImageSet

__all__ = ["IMAGE_ENDINGS", "load_folder"]

IMAGE_ENDINGS = {
    *(".apng", ".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".mpo", ".pbm"),
    *(".pgm", ".png", ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp"),
}
# What systems leave behind, beside names that begin with a dot.
LITTER = {"__MACOSX", "@eaDir", "Thumbs.db", "desktop.ini", "$RECYCLE.BIN", "System Volume Information", "lost+found"}
HIDDEN = "hidden"
SPLITS = {"train", "training", "test", "testing", "val", "valid", "validation"}
FEW, MANY = 10, 100  # pictures, classes: a folder with fewer, or with more, is hardly what was meant
NAMED = 10  # of what is left out; the rest is counted
TWELVE_BITS = np.float32(4095 / 65535)  # the white of a camera of 12 bits, where 16 are written
DIM = 0.3  # of white: where no picture of 16 bits is lighter, the white was probably another
FAINT = 0.1  # of white: what is drawn on transparency with less contrast to white is drawn in white


def load_folder(path: str | os.PathLike[str], size: int | tuple[int, int] = 28) -> ImageSet:
    """A folder of your own pictures, one sub-folder a class; the sub-folders' names, sorted, are the class names.

    Colours become grey, transparent places white (and what is drawn in white on them black), and each picture is
    brought to size, with a margin in the tone of its border if the proportions differ. If most of the border of all
    pictures is light, light is taken for paper and all are inverted, so that 0 is the background either way. Greys of
    16 bits are divided by 65,535, or by 4,095 if none in the folder is above that: a camera of 12 bits made them. An
    iPhone's HEIC files need the package pillow-heif. Of what moves, the first picture is taken.

    What is no picture, is broken, has more than Pillow's MAX_IMAGE_PIXELS or no known white, or lies beside the
    sub-folders or behind a link in them is left out, and the rest is used; one warning says what and why, unless all of
    it is hidden files. Few pictures, very many classes, classes called train and test or alike but for capitals, and a
    single class that holds folders call for a warning, too.

    Args:
        path: the folder. Pictures that lie deeper belong to the first sub-folder on their way. Where there is no
            sub-folder, the pictures in the folder are one class, and it gives the name.
        size: (height, width), or one side, in pixels

    Returns:
        An ImageSet.

    Raises:
        ValueError: For a bad size.
        DataUnavailable: For a folder without a usable picture.
    """
    sides = tuple(size) if isinstance(size, tuple | list) else (size, size)
    if len(sides) != 2 or not all(_is_whole(side) and side >= 1 for side in sides):
        raise ValueError(f"size must be (height, width) in whole pixels; got {size!r}. Try size=(28, 28).")
    with contextlib.suppress(ImportError):
        import_module("pillow_heif").register_heif_opener()
    path = Path(os.path.abspath(os.path.expanduser(path)))
    left_out: dict[Path, str] = {}
    greys: list[NDArray[np.float32]] = []
    classes: list[str] = []
    whites: list[float] = []
    labels: list[int] = []
    every = _classes(path, left_out)
    for folder, files in every:
        before = len(greys)
        for file in files:
            try:
                grey, white = _grey(file, *sides)
            # Pillow answers broken files with a dozen unrelated exceptions.
            except Exception as error:
                left_out[file] = _why(file, error)
            else:
                greys.append(grey)
                whites.append(white)
                labels.append(len(classes))
        if len(greys) > before:
            classes.append(_printable(folder.name))
        elif not files:
            left_out[folder] = "holds no pictures"
    if not greys:
        raise DataUnavailable(
            f"{path} has no pictures that can be used. {_listed(path, left_out)}Make a sub-folder for each class, and "
            f"put that class's pictures there ({', '.join(sorted(IMAGE_ENDINGS))})."
        )
    inner = {file.relative_to(folder).parts[0] for folder, files in every for file in files if file.parent != folder}
    for message in _worries(path, left_out, whites, classes, sorted(inner)):
        warnings.warn(message, stacklevel=2)
    images = np.stack(greys)
    if 0 < max(whites) <= TWELVE_BITS:
        images[np.array(whites) > 0] /= TWELVE_BITS
    images = images.clip(0, 1)  # what is brought to size by a bicubic filter may reach beyond
    if np.median(np.concatenate([_border(image) for image in images])) > 0.5:
        images = 1 - images
    name = _printable(path.name)
    return ImageSet(images, np.array(labels, np.int64), name, "Images of the reader's own.", tuple(classes))


def _is_whole(side: object) -> bool:
    return isinstance(side, int | np.integer) and not isinstance(side, bool)


def _classes(path: Path, left_out: dict[Path, str]) -> list[tuple[Path, list[Path]]]:
    """The sub-folders, each with the pictures below it, in the order of their names; or the folder itself."""
    try:
        inside = _visible(path.iterdir(), left_out)
    except OSError as error:
        raise DataUnavailable(f"{path} cannot be listed ({error.strerror}). Check the path and its rights.") from error
    folders = [file for file in inside if file.is_dir()]
    loose = _pictures((file for file in inside if file not in folders), left_out)
    if not folders:
        return [(path, loose)]
    left_out |= dict.fromkeys(loose, "lies beside the folders")
    return [(folder, _pictures(_below(folder, left_out), left_out)) for folder in folders]


def _below(folder: Path, left_out: dict[Path, str]) -> list[Path]:
    """All visible files below a folder, sorted."""

    def unlisted(error: OSError) -> None:
        left_out[Path(error.filename)] = f"cannot be listed: {error.strerror}"

    found = []
    for root, folders, files in os.walk(folder, onerror=unlisted):
        inside = _visible((Path(root, name) for name in folders), left_out)
        left_out |= {inner: "a link to a folder" for inner in inside if inner.is_symlink()}
        folders[:] = [inner.name for inner in inside]  # of which `walk` enters no link, lest it goes round for ever
        found += _visible((Path(root, name) for name in files), left_out)
    return sorted(found)


def _visible(files: Iterable[Path], left_out: dict[Path, str]) -> list[Path]:
    every = sorted(files)
    hidden = [file for file in every if file.name.startswith(".") or file.name in LITTER]
    left_out |= dict.fromkeys(hidden, HIDDEN)
    return [file for file in every if file not in hidden]


def _pictures(files: Iterable[Path], left_out: dict[Path, str]) -> list[Path]:
    every = list(files)
    left_out |= {file: "not named like a picture" for file in every if file.suffix.lower() not in IMAGE_ENDINGS}
    return [file for file in every if file.suffix.lower() in IMAGE_ENDINGS]


def _grey(path: Path, height: int, width: int) -> tuple[NDArray[np.float32], float]:
    """One picture as (height, width), about in [0, 1], and the largest of its greys if it has 16 bits of them, or 0."""
    if not path.is_file():  # a pipe would be waited for
        raise ValueError("no file, or a link to nothing")
    with warnings.catch_warnings():
        # Pillow raises above twice its limit of pixels, and only warns below that.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path) as file:
            cut = any(
                ";16" in str(tile[-1]) for tile in getattr(file, "tile", ())
            )  # of colours in 16 bits Pillow keeps the first 8
            image = ImageOps.exif_transpose(file)
    if image.mode.startswith("I;16") or (image.mode == "I" and file.format in ("PNG", "PPM")):  # it would clip at 255
        deep = np.asarray(image, np.float32) / 65535
        seen = np.asarray(image) != image.info.get("transparency", -1)
        return _fit(Image.fromarray(deep.clip(~seen)), height, width), float(deep.max(where=seen, initial=0))
    if image.mode in ("I", "F"):
        raise ValueError(f"pixels of kind {image.mode} have no known white")
    if "A" in image.getbands() or "transparency" in image.info:
        image = _on_paper(image.convert("RGBA"))
    grey = image.convert("L")
    return _fit(grey, height, width) / np.float32(255), np.asarray(grey).max() / 255 if cut else 0.0


def _on_paper(image: Image.Image) -> Image.Image:
    """A picture with transparent places, in grey, on white; what is drawn in white, in black."""
    on_white, on_black = (
        Image.alpha_composite(Image.new("RGBA", image.size, tone), image).convert("L") for tone in ("white", "black")
    )
    faint = np.asarray(on_white).min() > (1 - FAINT) * 255 and np.asarray(on_black).min() == 0
    return ImageOps.invert(on_black) if faint else on_white


def _fit(image: Image.Image, height: int, width: int) -> NDArray[np.float32]:
    """The picture, as large as fits into (height, width), in the middle of a page of its border's tone."""
    margin = np.median(_border(np.asarray(image)))
    page = Image.new(image.mode, (width, height), float(margin) if image.mode == "F" else int(margin))
    share = min(height / image.height, width / image.width)
    w, h = (max(1, round(share * side)) for side in image.size)
    page.paste(image.resize((w, h), Image.Resampling.BICUBIC), (round((width - w) / 2), round((height - h) / 2)))
    return np.asarray(page, np.float32)


def _border(image: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([image[[0, -1]].ravel(), image[:, [0, -1]].ravel()])


def _why(path: Path, error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        needs = {
            ".heic": "pip install pillow-heif",
            ".heif": "pip install pillow-heif",
            ".avif": "Pillow 11.3 or later",
        }
        need = needs.get(path.suffix.lower())
        return "broken, or no picture" + (f", or to be read with {need}" if need else "")
    return f"{type(error).__name__}: {error}"


def _listed(path: Path, left_out: dict[Path, str]) -> str:
    """What is left out and why, hidden files last, as a sentence; or nothing."""
    every = sorted(left_out, key=lambda file: (left_out[file] == HIDDEN, file))
    named = [f"{_printable(str(file.relative_to(path)))} ({left_out[file]})" for file in every[:NAMED]]
    more = f" and {len(every) - NAMED} more" if len(every) > NAMED else ""
    return f"Left out: {', '.join(named)}{more}. " if named else ""


def _worries(
    path: Path, left_out: dict[Path, str], whites: list[float], classes: list[str], inner: list[str]
) -> Iterable[str]:
    """What the reader should know before anything is trained."""
    if set(left_out.values()) - {HIDDEN}:
        yield f"{_listed(path, left_out)}The other {len(whites)} are used."
    if len(whites) < FEW:
        yield f"So few pictures ({len(whites)}) are too few to learn from. A hundred of a kind is a beginning."
    dim = sum(0 < white <= float(TWELVE_BITS) for white in whites)
    if dim and max(whites) > TWELVE_BITS:
        yield f"{dim} pictures of 16 bits are nearly black, and others are not. Has a camera of 12 bits made those?"
    reach = max(whites) / (float(TWELVE_BITS) if max(whites) <= TWELVE_BITS else 1)
    if 0 < reach <= DIM:
        yield f"The lightest picture of 16 bits reaches {reach:.0%} of white. Has a camera of 10 or 14 bits made them?"
    if len(classes) == 1 and len(inner) > 1:
        yield (
            f"All pictures are of one class, {classes[0]}. If the classes are the folders in it "
            f"({', '.join(map(_printable, inner[:3]))} …), load {path / classes[0]}."
        )
    alike = Counter(_plain(name) for name in classes)
    for name, times in alike.items():
        if times > 1:
            twins = " and ".join(repr(c) for c in classes if _plain(c) == name)
            yield f"The classes {twins} are called nearly the same. If they are one, join their folders."
    if len(classes) > MANY:
        yield f"{path} has {len(classes)} classes. Is there one sub-folder for each kind of picture?"
    splits = sorted((c for c in classes if c.lower() in SPLITS), key=lambda c: not c.lower().startswith("train"))
    if len(splits) > 1:
        yield (
            f"Classes are called {' and '.join(splits)}: these look like splits of one set. Load one of them, such as "
            f"{path / splits[0]}, if the classes are the folders in it."
        )


def _printable(name: str) -> str:
    """A name on one line; one in bytes of an older alphabet cannot be printed as it is."""
    return " ".join(name.encode(errors="replace").decode().split("\n"))


def _plain(name: str) -> str:
    """A name without what nobody sees, or tells apart: capitals, spaces at its ends, two ways to write an ä."""
    return unicodedata.normalize("NFC", name).casefold().strip()
