"""Files that others made: where they come from, and how they are checked before anything is believed.

A file is looked for in the folder that VAECOURSE_DATA names, then in the cache, then on its public mirrors. All three
pass the same check: the SHA-256 of the *content*, that is of the unpacked numbers. The digest of a .gz or .zip would
not do, because somebody who packs the same images again gets another one.
"""

import functools
import gzip
import hashlib
import io
import math
import os
import re
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import numpy as np
import pooch
import requests
from PIL import Image

__all__ = ["DataDamaged", "DataError", "DataUnavailable", "cache_folder", "check_digest", "inflate", "obtain"]
__all__ += ["parse_idx", "unzip_views"]

TIMEOUT = (5, 30)  # seconds: to reach a mirror, and between two pieces of its answer
MEMBER_LIMIT = 2**17  # bytes that are unpacked of an image in a zip: eight times what 128 × 128 pixels take


class DataError(RuntimeError):
    """A data set cannot be used; the message says why and what to do next."""


class DataUnavailable(DataError):
    """The data cannot be had here: no network, no space, no such folder."""


class DataDamaged(DataError):
    """There is a file, and it is not what it should be."""


def cache_folder():
    """The folder that downloads are kept in, laid out like VAECOURSE_DATA; the variable VAECOURSE_CACHE moves it."""
    chosen = os.environ.get("VAECOURSE_CACHE")
    return Path(chosen).expanduser() if chosen else Path(pooch.os_cache("vaecourse"))


def obtain(file, mirrors, read, limit):
    """One data file, from the first place that has it: VAECOURSE_DATA, the cache, the mirrors.

    file      its path below VAECOURSE_DATA and below the cache, e.g. "mnist/t10k-labels-idx1-ubyte.gz"
    mirrors   addresses that serve it: each is put before the file's name
    read      function of the file's bytes: returns the checked array, or raises DataDamaged
    limit     the most bytes the file may have

    Returns what `read` returns. Raises DataDamaged if the copy in VAECOURSE_DATA is damaged (a damaged copy in the
    cache is fetched again), DataUnavailable if the file cannot be had.
    """
    own = os.environ.get("VAECOURSE_DATA")
    local, cached = Path(own or ".").expanduser() / file, cache_folder() / file
    try:
        if own and local.exists():
            return _read_own(local, mirrors, read, limit)
        if cached.exists():
            try:
                return _read_file(cached, read, limit)
            except DataDamaged:
                cached.unlink()
        _fetch(cached, mirrors, read, limit)
        return _read_file(cached, read, limit)
    except (DataUnavailable, OSError) as error:
        place = f"{own}, which VAECOURSE_DATA names," if own else "a folder that the variable VAECOURSE_DATA names,"
        raise DataUnavailable(
            f"{file} cannot be had here: {error}. To use it, connect to the internet, or put it into {place} as {file}."
        ) from error


def _read_own(path, mirrors, read, limit):
    """A damaged file that the reader put there is reported, not passed over: they believe that they use it."""
    try:
        return _read_file(path, read, limit)
    except DataDamaged as error:
        raise DataDamaged(
            f"{path} is damaged: {error} Get it again from {mirrors[0]}{path.name}, or delete it and the course will."
        ) from error


def _read_file(path, read, limit):
    with path.open("rb") as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise DataDamaged(f"it is larger than {limit:,} bytes.")
    return read(data)


def _fetch(path, mirrors, read, limit):
    """Store a file that passes `read` at path, whole or not at all."""
    if os.environ.get("VAECOURSE_OFFLINE", "0") not in ("", "0"):
        raise DataUnavailable("VAECOURSE_OFFLINE is set, so nothing is downloaded until you unset it")
    failures = []
    for mirror in mirrors:  # each once: the next mirror is the better second try
        shelf = pooch.create(path=path.parent, base_url=mirror, registry={path.name: None})
        try:
            shelf.fetch(path.name, downloader=functools.partial(_download, read=read, limit=limit))
            return
        # A requests error is an OSError too: this clause must come first. ValueError: headers that make no sense.
        except (requests.RequestException, ValueError, DataDamaged) as error:
            failures.append(f"{urlsplit(mirror).netloc} {_in_words(error)}")
        except OSError as error:
            raise DataUnavailable(
                f"{path.parent} cannot be written to ({error.strerror or type(error).__name__}); make room there, or "
                "name another folder in the variable VAECOURSE_CACHE"
            ) from error
    raise DataUnavailable("; ".join(failures))


def _download(url, path, _pooch, *, read, limit):
    """What pooch calls to fill its temporary file, which it moves to its place only if this raises nothing."""
    body = _Bounded(limit)
    # A server that unpacks a .gz on the way would send other bytes than the file's.
    headers = {"Accept-Encoding": "identity"}
    pooch.HTTPDownloader(progressbar=True, chunk_size=2**16, timeout=TIMEOUT, headers=headers)(url, body, _pooch)
    read(body.getvalue())
    Path(path).write_bytes(body.getvalue())


class _Bounded(io.BytesIO):
    """A file in memory that a stranger cannot fill without end."""

    def __init__(self, limit):
        super().__init__()
        self.limit = limit

    def write(self, data):
        if self.tell() + len(data) > self.limit:
            raise DataDamaged(f"it is larger than {self.limit:,} bytes.")
        return super().write(data)


def _in_words(error):
    """A network error as the end of a sentence that begins with the mirror's name."""
    if isinstance(error, DataDamaged):
        return f"sent something else ({str(error).rstrip('.')})"
    if isinstance(error, requests.HTTPError):
        return f"answered {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "took too long to answer"
    if isinstance(error, requests.TooManyRedirects):
        return "redirected in a circle"
    return "could not be reached, or the connection broke"


def check_digest(content, sha256):
    """Raise DataDamaged unless the SHA-256 of content (bytes or a contiguous array) is the given one."""
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise DataDamaged(f"its content has SHA-256 {found}; expected {sha256}.")


def inflate(data, size):
    """The size bytes that a gzip file holds. Raises DataDamaged for any other number, and never unpacks many more."""
    try:
        content = gzip.GzipFile(fileobj=io.BytesIO(data)).read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        page = " It begins like a web page." if data.lstrip()[:1] == b"<" else ""
        raise DataDamaged(f"it cannot be unpacked as gzip ({error}).{page}") from error
    if len(content) != size:
        raise DataDamaged(f"it unpacks to {'more' if len(content) > size else len(content)} instead of {size:,} bytes.")
    return content


def parse_idx(data):
    """The uint8 array in an IDX file: two zero bytes, 8 for uint8, the number of axes, each length as a big-endian
    uint32, then the values, last axis fastest (LeCun, Cortes and Burges, "The MNIST database", file formats).

    Raises DataDamaged unless data is exactly that, with 1 to 3 axes and no empty one.
    """
    if len(data) < 4 or data[:3] != b"\x00\x00\x08" or not 1 <= data[3] <= 3:
        raise DataDamaged(f"it begins with {data[:4].hex(' ') or 'nothing'}, not with 00 00 08 and 1 to 3 axes.")
    start = 4 + 4 * data[3]
    shape = tuple(int.from_bytes(data[i : i + 4], "big") for i in range(4, start, 4))
    if len(data) != start + math.prod(shape) or 0 in shape:
        raise DataDamaged(f"its header promises the shape {shape} and {len(data) - start:,} bytes follow.")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def unzip_views(data, objects=20, views=72, side=128):
    """The (objects · views, side, side) uint8 images obj{1…}__{0…}.png in a zip file, by object, then view.

    Nothing is written to disk, so the folders in members' names mean nothing. Raises DataDamaged for a zip that is
    broken or holds other images than these, each once.
    """
    found = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                if match := re.fullmatch(r"obj(\d{1,3})__(\d{1,3})\.png", PurePosixPath(member.filename).name):
                    key = tuple(map(int, match.groups()))
                    if key in found:
                        raise DataDamaged(f"it holds {member.filename} twice.")
                    found[key] = _view(archive, member, side)
    # zipfile and Pillow answer broken files with a dozen unrelated exceptions.
    except Exception as error:
        if isinstance(error, DataDamaged):
            raise
        raise DataDamaged(f"it cannot be read as a zip of PNG images ({error}).") from error
    wanted = [(i, j) for i in range(1, objects + 1) for j in range(views)]
    if set(found) != set(wanted):
        missing = len(set(wanted) - set(found))
        raise DataDamaged(
            f"of {len(wanted):,} views it lacks {missing:,} and adds {len(found) - len(wanted) + missing:,}."
        )
    return np.stack([found[key] for key in wanted])


def _view(archive, member, side):
    # zipfile bounds what it unpacks for these two methods only.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataDamaged(f"its member {member.filename} is neither stored nor deflated.")
    with archive.open(member) as stream:
        image = Image.open(io.BytesIO(stream.read(MEMBER_LIMIT)), formats=["PNG"])
    if image.size != (side, side) or image.mode != "L":
        raise DataDamaged(
            f"its member {member.filename} is {image.mode} {image.size}, not a grey {side} × {side} image."
        )
    return np.asarray(image)
