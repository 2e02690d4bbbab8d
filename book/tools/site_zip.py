"""make site-zip: the built book as one archive, for a room without a network. Unpack it and open index.html.

python book/tools/site_zip.py        writes dist/latent-space.zip from _build/html
"""

from __future__ import annotations

import contextlib
import os
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NEEDLESS = (".buildinfo", "objects.inv")  # what only Sphinx reads; a page's source stays, for it is a notebook to run


def site(html: Path) -> dict[str, Path]:
    """The files of a built book, by their place below it."""
    files = (p for p in sorted(html.rglob("*")) if p.is_file() and p.name not in NEEDLESS)
    return {p.relative_to(html).as_posix(): p for p in files}


def pack(files: dict[str, Path], target: Path) -> Path:
    """Puts files into one archive, whole or not at all, under one folder that is called like it; or ends all."""
    temporary = target.with_suffix(".tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for place, file in files.items():
                archive.write(file, f"{target.stem}/{place}")
        os.replace(temporary, target)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise SystemExit(f"cannot make {target}: {error.strerror} ({error.filename}).") from error
    return target


def main() -> int:
    html = ROOT / "_build" / "html"
    if not (html / "index.html").exists():
        print("There is no built book yet. Build it first: make book", file=sys.stderr)
        return 1
    file = pack(site(html), ROOT / "dist" / "latent-space.zip")
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1e6:.0f} MB. Unpack it, and open index.html.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
