"""Files are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from uuid import uuid4

__all__ = ["write_whole"]

_LEFTOVER = 3600  # seconds after which a part is taken for that of a process that was killed


def write_whole(path: str | Path, data: bytes) -> None:
    """Writes data to path, whole or not at all: under another name first, then moved. Makes the folder. Raises OSError.

    A process that is killed leaves its part behind; the next one that writes this very file clears it away, and
    touches no other file.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The same folder, so that the move is a rename; a name of its own, so that two writers do not mix.
    part = path.with_name(f".{path.name}.part-{uuid4().hex}")
    try:
        with part.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())  # or a power cut could leave the new name on an empty file
        now = part.stat().st_mtime  # the folder's own clock: this machine's may be wrong
        for other in path.parent.iterdir():
            if re.fullmatch(re.escape(f".{path.name}.part-") + "[0-9a-f]{32}", other.name):
                with contextlib.suppress(OSError):
                    if now - other.stat().st_mtime > _LEFTOVER:
                        other.unlink()
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
