"""The formats of the published files, read so that no file can do worse than be refused.

The numbers that come out are compared with their SHA-256 by who calls; here it is seen to that getting at them is safe.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
import zlib
from pathlib import Path, PureWindowsPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .downloads import DataDamaged

__all__ = ["glance_at_idx", "read_idx", "read_views"]

GZIP = b"\x1f\x8b"  # how a gzip file begins
MEMBER_LIMIT = 2**17  # bytes that are read of an image in a zip: eight times what 128 × 128 pixels take


def read_idx(data: bytes, size: int, sha256: str) -> NDArray[np.uint8]:
    """The array in an IDX file of size bytes, packed by gzip or not: two zero bytes, 8 for uint8, the number of axes,
    each length as a big-endian uint32, then the values, last axis fastest (LeCun, Cortes and Burges, "The MNIST
    database", file formats).

    Never unpacks much more than size.

    Raises:
        DataDamaged: For any other content than the one of this digest.
    """
    try:
        content = gzip.GzipFile(fileobj=io.BytesIO(data)).read(size + 1) if data.startswith(GZIP) else data
    except (OSError, EOFError, zlib.error) as error:
        raise DataDamaged(f"it cannot be unpacked as gzip ({error}).") from error
    if len(content) != size:
        found = f"more than {size:,}" if len(content) > size else f"{len(content):,} instead of {size:,}"
        raise DataDamaged(f"it holds {found} bytes.{_web_page(data)}")
    _check_digest(content, sha256)
    axes = content[3]
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(np.frombuffer(content, ">u4", axes, offset=4))


def glance_at_idx(path: Path, size: int) -> bool:
    """Whether the file at path says that it holds size bytes: a gzip file does so in its last four."""
    with path.open("rb") as stream:
        if stream.read(2) != GZIP:
            return path.stat().st_size == size
        stream.seek(-4, io.SEEK_END)
        return int.from_bytes(stream.read(), "little") == size


def read_views(data: bytes, sha256: str, objects: int = 20, views: int = 72, side: int = 128) -> NDArray[np.uint8]:
    """The (objects · views, side, side) images obj{1…}__{0…}.png in a zip file, by object, then view.

    Nothing is written to disk, so the folders in members' names mean nothing.

    Raises:
        DataDamaged: For a zip that is broken, lacks an image, or holds other pixels than those of this digest.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {PureWindowsPath(m.filename).name: m for m in archive.infolist()}  # which parts at either slash
            wanted = [f"obj{i}__{j}.png" for i in range(1, objects + 1) for j in range(views)]
            pixels = np.stack([_view(archive, members[name], side) for name in wanted])
    # zipfile and Pillow answer broken files with a dozen unrelated exceptions.
    except Exception as error:
        raise DataDamaged(
            f"it cannot be read as a zip of PNG images ({type(error).__name__}: {error}).{_web_page(data)}"
        ) from error
    _check_digest(pixels.data, sha256)
    return pixels


def _view(archive: zipfile.ZipFile, member: zipfile.ZipInfo, side: int) -> NDArray[np.uint8]:
    # zipfile bounds what it unpacks for these two methods only, and an image is unpacked once its size is known.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{member.filename} is neither stored nor deflated")
    with archive.open(member) as stream:
        image = Image.open(io.BytesIO(stream.read(MEMBER_LIMIT)), formats=["PNG"])
    if image.size != (side, side) or image.mode != "L":
        raise ValueError(f"{member.filename} is {image.mode} {image.size}, not a grey {side} × {side} image")
    return np.asarray(image)


def _check_digest(content: bytes | memoryview, sha256: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise DataDamaged(f"its content has SHA-256 {found}; expected {sha256}.")


def _web_page(data: bytes) -> str:
    return " It begins like a web page." if data.lstrip()[:1] == b"<" else ""
