"""The formats of the published files, gzip, IDX and zip, read so that no file can do worse than be refused."""

import gzip
import io
import math
import re
import zipfile
import zlib
from pathlib import PureWindowsPath

import numpy as np
from PIL import Image, UnidentifiedImageError

from .downloads import DataDamaged

__all__ = ["inflate", "parse_idx", "unzip_views"]

MEMBER_LIMIT = 2**17  # bytes that are unpacked of an image in a zip: eight times what 128 × 128 pixels take


def inflate(data, size):
    """The size bytes that a gzip file holds. Raises DataDamaged for any other number, and never unpacks many more."""
    try:
        content = gzip.GzipFile(fileobj=io.BytesIO(data)).read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataDamaged(f"it cannot be unpacked as gzip ({error}).{_web_page(data)}") from error
    if len(content) != size:
        found = f"more than {size:,}" if len(content) > size else f"{len(content):,} instead of {size:,}"
        raise DataDamaged(f"it unpacks to {found} bytes.")
    return content


def _web_page(data):
    return " It begins like a web page." if data.lstrip()[:1] == b"<" else ""


def parse_idx(data):
    """The uint8 array in an IDX file: two zero bytes, 8 for uint8, the number of axes, each length as a big-endian
    uint32, then the values, last axis fastest (LeCun, Cortes and Burges, "The MNIST database", file formats).

    Raises:
        DataDamaged: Unless data is exactly that, with 1 to 3 axes and no empty one.
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

    Nothing is written to disk, so the folders in members' names mean nothing.

    Raises:
        DataDamaged: For a zip that is broken or holds other images than these, each once.
    """
    wanted = [(i, j) for i in range(1, objects + 1) for j in range(views)]
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = _members(archive)
            if missing := set(wanted) - members.keys():
                raise DataDamaged(f"of {len(wanted):,} views it lacks {len(missing):,}.")
            if len(members) > len(wanted):  # a zip can hold a million members that share their bytes
                raise DataDamaged(f"it holds {len(members):,} views instead of {len(wanted):,}.")
            return np.stack([_view(archive, members[key], side) for key in wanted])
    # zipfile and Pillow answer broken files with a dozen unrelated exceptions.
    except Exception as error:
        if isinstance(error, DataDamaged):
            raise
        raise DataDamaged(f"it cannot be read as a zip of PNG images ({error}).{_web_page(data)}") from error


def _members(archive):
    """{(object, view): member}"""
    found = {}
    for member in archive.infolist():
        name = PureWindowsPath(member.filename).name  # which parts at either slash
        if match := re.fullmatch(r"obj(\d{1,3})__(\d{1,3})\.png", name):
            key = tuple(map(int, match.groups()))
            if key in found:
                raise DataDamaged(f"it holds {member.filename} twice.")
            found[key] = member
    return found


def _view(archive, member, side):
    # zipfile bounds what it unpacks for these two methods only.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataDamaged(f"its member {member.filename} is neither stored nor deflated.")
    try:
        with archive.open(member) as stream:
            image = Image.open(io.BytesIO(stream.read(MEMBER_LIMIT)), formats=["PNG"])
    except UnidentifiedImageError as error:
        raise DataDamaged(f"its member {member.filename} is no PNG image.") from error
    if image.size != (side, side) or image.mode != "L":
        raise DataDamaged(
            f"its member {member.filename} is {image.mode} {image.size}, not a grey {side} × {side} image."
        )
    return np.asarray(image)
