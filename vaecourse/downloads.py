"""Files that others made: where they come from, and how they are checked before anything is believed.

A file is looked for in the folder that VAECOURSE_DATA names, then in the cache, then on its public mirrors. All three
pass the same check: the SHA-256 of the *content*, that is of the unpacked numbers. The digest of a .gz or .zip would
not do, because somebody who packs the same images again gets another one.
"""

import contextlib
import hashlib
import io
import os
import threading
import warnings
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pooch
import requests

__all__ = ["DataDamaged", "DataError", "DataUnavailable", "cache_folder", "check_digest", "obtain", "write_whole"]

TIMEOUT = (5, 30)  # seconds: to reach a mirror, and between two pieces of its answer
WINDOW, SLOWEST = 30, 2**12  # seconds, bytes a second: a mirror that is slower for so long is given up
LEFTOVER = 3600  # seconds after which a file half written is taken for that of a process that was killed


class DataError(RuntimeError):
    """A data set cannot be used; the message says why and what to do next."""


class DataUnavailable(DataError):
    """The data cannot be had here: no network, no such folder."""


class DataDamaged(DataError):
    """There is a file, and it is not what it should be."""


def cache_folder():
    """The folder that downloads are kept in, laid out like VAECOURSE_DATA; the variable VAECOURSE_CACHE moves it."""
    return _folder("VAECOURSE_CACHE") or Path(pooch.os_cache("vaecourse"))


def _folder(variable):
    """The folder that an environment variable names, or None."""
    name = os.environ.get(variable, "").strip()  # Windows line ends leave a \r behind the name
    return Path(os.path.expanduser(name)) if name else None


def obtain(file, mirrors, read, limit):
    """One data file, from the first place that has it: VAECOURSE_DATA, the cache, the mirrors.

    Warns if a download cannot be kept.

    Args:
        file: its path below VAECOURSE_DATA and below the cache, e.g. "mnist/t10k-labels-idx1-ubyte.gz"
        mirrors: addresses that serve it: each is put before the file's name
        read: function of the file's bytes: returns the checked array, or raises DataDamaged
        limit: the most bytes the file may have

    Returns:
        What `read` returns.

    Raises:
        DataDamaged: If the copy in VAECOURSE_DATA is damaged (a damaged copy in the cache is fetched again).
        DataUnavailable: If the file cannot be had.
    """
    own, cached = _folder("VAECOURSE_DATA"), cache_folder() / file
    if own:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            return _read_own(own / file, mirrors, read, limit)
    with contextlib.suppress(DataDamaged, OSError):
        return _read_file(cached, read, limit)
    try:
        return _fetch(cached, mirrors, read, limit)
    except DataUnavailable as error:
        place = f"{own}, which VAECOURSE_DATA names," if own else "a folder that the variable VAECOURSE_DATA names,"
        raise DataUnavailable(
            f"{file} cannot be had here: {error}. To use it, connect to the internet, or put it into {place} as {file}."
        ) from error


def _read_own(path, mirrors, read, limit):
    """A bad file that the reader put there is reported, not passed over: they believe that they use it."""
    again = f"Get it again from {mirrors[0]}{path.name}, or delete it and the course will."
    try:
        return _read_file(path, read, limit)
    except DataDamaged as error:
        raise DataDamaged(f"{path} is damaged: {error} {again}") from error
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise DataUnavailable(f"{path} cannot be read ({error.strerror}). Check its rights. {again}") from error


def _read_file(path, read, limit):
    with path.open("rb") as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise DataDamaged(f"it is larger than {limit:,} bytes.")
    return read(data)


def _fetch(path, mirrors, read, limit):
    """What `read` makes of a file from the first mirror that has it right; the file is kept at path."""
    if os.environ.get("VAECOURSE_OFFLINE", "").strip() not in ("", "0"):
        raise DataUnavailable("VAECOURSE_OFFLINE is set, so nothing is downloaded until you unset it")
    failures = []
    for mirror in mirrors:  # each once: the next mirror is the better second try
        try:
            data = _download(mirror + path.name, limit)
            found = read(data)
        except (OSError, ValueError, DataDamaged) as error:  # ValueError: headers that make no sense
            failures.append(f"{urlsplit(mirror).netloc} {_in_words(error)}")
            continue
        _keep(path, data)
        return found
    raise DataUnavailable("; ".join(failures))


def _download(url, limit):
    """The bytes at url, at most limit. Raises requests.Timeout if they come too slowly, DataDamaged if there are more.

    TIMEOUT bounds the silence between two bytes only, so one thread reads and another looks at the clock.
    """
    body, failures = _Bounded(limit), []
    # A server that unpacks a .gz on the way would send other bytes than the file's.
    options = {"timeout": TIMEOUT, "headers": {"Accept-Encoding": "identity"}}

    def work():
        try:
            pooch.HTTPDownloader(progressbar=True, chunk_size=2**13, **options)(url, body, None)
        except Exception as error:
            failures.append(error)

    worker = threading.Thread(target=work, daemon=True)  # a daemon, lest a mirror without end keeps Python from ending
    worker.start()
    try:
        while worker.is_alive():
            before = body.tell()
            worker.join(WINDOW)
            if worker.is_alive() and body.tell() - before < WINDOW * SLOWEST:
                raise requests.Timeout
    finally:
        body.limit = 0  # whether done, too slow or interrupted: nothing more is taken
    if failures:
        raise failures[0]
    return body.getvalue()


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
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"answered {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "took too long"
    if isinstance(error, requests.TooManyRedirects):
        return "redirected in a circle"
    if isinstance(error, requests.exceptions.SSLError):
        return f"could not prove who it is (is the clock of this machine right? It says {date.today()})"
    return "could not be reached, or the connection broke"


def _keep(path, data):
    """Put a download into the cache. A folder that is full or read-only stops nobody: the data are at hand."""
    try:
        write_whole(path, data)
    except OSError as error:
        warnings.warn(
            f"{path.name} can be used now, but not kept for the next time: {path.parent} cannot be written to "
            f"({error.strerror}). Make room there, or name another folder in the variable VAECOURSE_CACHE.",
            stacklevel=2,
        )


def write_whole(path, data):
    """Write data (bytes) to path, whole or not at all: under another name first, then moved. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The same folder, so that the move is a rename; a name of its own, so that two writers do not mix.
    temporary = path.with_name(f".vaecourse-{uuid4().hex}")
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())  # or a power cut could leave the new name on an empty file
        now = temporary.stat().st_mtime  # the folder's own clock: this machine's may be wrong
        for other in path.parent.glob(".vaecourse-*"):
            with contextlib.suppress(OSError):
                if now - other.stat().st_mtime > LEFTOVER:
                    other.unlink()
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def check_digest(content, sha256):
    """Raise DataDamaged unless the SHA-256 of content (bytes or a contiguous array) is the given one."""
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise DataDamaged(f"its content has SHA-256 {found}; expected {sha256}.")
