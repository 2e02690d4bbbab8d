"""Files that others made: where they come from, and how they are checked before anything is believed.

A file is looked for in the folder that VAECOURSE_DATA names, then in the cache, then on its public mirrors. All three
pass the same check: the SHA-256 of the *content*, that is of the unpacked numbers. The digest of a .gz or .zip, which
Pooch could compare by itself, would not do: somebody who packs the same images again gets another one.
"""

from __future__ import annotations

import io
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pooch
import requests
from numpy.typing import NDArray

from ..files import write_whole

__all__ = ["DataDamaged", "DataError", "DataUnavailable", "Published", "at_hand", "cache_folder", "obtain"]

TIMEOUT = (5, 30)  # seconds: to reach a mirror, and between two pieces of its answer
PATIENCE, SLOWEST = 30, 2**12  # a mirror that has sent less than SLOWEST bytes a second after so many seconds: given up


class DataError(RuntimeError):
    """A data set cannot be used; the message says why and what to do next."""


class DataUnavailable(DataError):
    """The data cannot be had here: no network, no such folder."""


class DataDamaged(DataError):
    """There is a file, and it is not what it should be."""


@dataclass(frozen=True)
class Published:
    """A file that others published.

    Args:
        place: where it lies below VAECOURSE_DATA and below the cache, e.g. "mnist/t10k-labels-idx1-ubyte.gz"; a file
            that ends in .gz may lie in VAECOURSE_DATA unpacked, too, without that ending
        mirrors: addresses that serve it: each is put before the file's name
        read: function of the file's bytes: returns the numbers once they are checked, or raises DataDamaged
        glance: function of a path: does this look like the whole file? In a millisecond, and without a guarantee
        limit: the most bytes the file may have, packed or not
    """

    place: str
    mirrors: tuple[str, ...]
    read: Callable[[bytes], NDArray[np.uint8]]
    glance: Callable[[Path], bool]
    limit: int


def cache_folder() -> Path:
    """The folder that downloads are kept in, laid out like VAECOURSE_DATA; the variable VAECOURSE_CACHE moves it.

    Who has no home on this machine (as in some containers) gets a folder among the temporary ones.
    """
    usual, home = Path(pooch.os_cache("vaecourse")), Path(os.path.expanduser("~"))
    if usual.is_relative_to(home) and not home.is_dir():
        usual = Path(tempfile.gettempdir(), "vaecourse")
    return _folder("VAECOURSE_CACHE") or usual


def _folder(variable: str) -> Path | None:
    """The folder that an environment variable names."""
    name = os.environ.get(variable, "").strip()  # Windows line ends leave a \r behind the name
    return Path(os.path.expanduser(name)) if name else None


def at_hand(file: Published) -> bool:
    """Whether a file lies here and looks whole, so that it need not be fetched. `obtain` is what makes sure of it."""
    path = _own(file) or cache_folder() / file.place
    try:
        return path.stat().st_size <= file.limit and file.glance(path)
    except OSError:
        return False


def obtain(file: Published) -> NDArray[np.uint8]:
    """What a published file holds, from the first place that has it: VAECOURSE_DATA, the cache, the mirrors.

    Warns if a download cannot be kept.

    Raises:
        DataDamaged: If the copy in VAECOURSE_DATA is damaged (a damaged copy in the cache is fetched again).
        DataUnavailable: If the file cannot be had.
    """
    if own := _own(file):
        return _read_own(own, file)
    try:
        return _read(cache_folder() / file.place, file)
    except (DataDamaged, OSError):
        return _fetch(file)


def _own(file: Published) -> Path | None:
    """The reader's copy in VAECOURSE_DATA, if there is one."""
    folder = _folder("VAECOURSE_DATA")
    places = [folder / file.place, folder / file.place.removesuffix(".gz")] if folder else []
    return next((path for path in places if os.path.lexists(path)), None)


def _read_own(path: Path, file: Published) -> NDArray[np.uint8]:
    """A bad file that the reader put there is reported, not passed over: they believe that they use it."""
    again = f"Get it again from {file.mirrors[0]}{Path(file.place).name}, or delete it and the course will."
    try:
        return _read(path, file)
    except DataDamaged as error:
        raise DataDamaged(f"{path} is damaged: {error} {again}") from error
    except OSError as error:
        raise DataUnavailable(f"{path} cannot be read ({error.strerror}). Check its rights. {again}") from error


def _read(path: Path, file: Published) -> NDArray[np.uint8]:
    with path.open("rb") as stream:
        body = _Bounded(file.limit)
        body.write(stream.read(file.limit + 1))
    return file.read(body.getvalue())


def _fetch(file: Published) -> NDArray[np.uint8]:
    """What a file from the first mirror that has it right holds; the file is kept in the cache."""
    path, failures = cache_folder() / file.place, []
    if os.environ.get("VAECOURSE_OFFLINE", "").strip() not in ("", "0"):
        failures.append("VAECOURSE_OFFLINE is set, so nothing is downloaded until you unset it")
    else:
        for mirror in file.mirrors:  # each once: the next mirror is the better second try
            body = _Bounded(file.limit)
            # A server that unpacks a .gz on the way would send other bytes than the file's. Small pieces, because the
            # clock is looked at after each.
            download = pooch.HTTPDownloader(
                progressbar=True, chunk_size=2**8, timeout=TIMEOUT, headers={"Accept-Encoding": "identity"}
            )
            try:
                download(mirror + path.name, body, None)
                found = file.read(body.getvalue())
            except (OSError, ValueError, DataDamaged) as error:  # ValueError: headers that make no sense
                failures.append(f"{urlsplit(mirror).netloc} {_in_words(error)}")
                continue
            _keep(path, body.getvalue())
            return found
    own = _folder("VAECOURSE_DATA")
    place = f"{own}, which VAECOURSE_DATA names," if own else "a folder that the variable VAECOURSE_DATA names,"
    raise DataUnavailable(
        f"{file.place} cannot be had here: {'; '.join(failures)}. To use it, connect to the internet, or put it into "
        f"{place} as {file.place}."
    )


class _Bounded(io.BytesIO):
    """A file in memory that a stranger can fill neither without end nor for ever."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit, self.begun = limit, time.monotonic()

    def write(self, data: bytes) -> int:  # type: ignore[override]
        size, seconds = self.tell() + len(data), time.monotonic() - self.begun
        if size > self.limit:
            raise DataDamaged(f"it is larger than {self.limit:,} bytes.")
        if seconds > PATIENCE and size < SLOWEST * seconds:
            raise requests.Timeout
        return super().write(data)


def _in_words(error: Exception) -> str:
    """What went wrong as the end of a sentence that begins with the mirror's name."""
    if isinstance(error, DataDamaged):
        return f"sent something else ({str(error).rstrip('.')})"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"answered {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "took too long"
    if isinstance(error, requests.exceptions.SSLError):
        return "could not prove who it is (is the clock of this machine right?)"
    return "could not be reached, or the connection broke"


def _keep(path: Path, data: bytes) -> None:
    """Puts a download into the cache. A folder that is full or read-only stops nobody: the data are at hand."""
    try:
        write_whole(path, data)
    except OSError as error:
        warnings.warn(
            f"what is downloaded can be used now, but not kept for the next time: {path.parent} cannot be written to "
            f"({error.strerror}). Make room there, or name another folder in the variable VAECOURSE_CACHE.",
            stacklevel=2,
        )
