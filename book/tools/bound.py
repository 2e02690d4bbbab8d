"""The whole book in one file, made of the built pages, as `make pdf` and `make epub` do it: its order, and how such a
file comes about.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import yaml
from chromium import find_chromium

from vaecourse.files import write_whole

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"


class Section(NamedTuple):
    """A caption of the book's contents, and the pages under it by their names; the first page has no caption."""

    caption: str
    names: list[str]


def contents(root: Path = ROOT) -> list[Section]:
    """The book's pages in their order and under their captions, as _toc.yml names them."""
    toc = yaml.safe_load((root / "_toc.yml").read_text("utf-8"))
    parts = [Section(part["caption"], [chapter["file"] for chapter in part["chapters"]]) for part in toc["parts"]]
    return [Section("", [toc["root"]]), *parts]


def pages(root: Path = ROOT) -> list[str]:
    """The names of all pages in their order."""
    return [name for section in contents(root) for name in section.names]


def make(ending: str, bind: Callable[[str], tuple[bytes, str]]) -> int:
    """Writes dist/latent-space with that ending, whole or not at all, and says what became of it.

    Args:
        bind: takes the path of a Chromium; gives the file, and what is in it in a few words

    Returns:
        What a command returns: 0, or 1 after a sentence that says what to do.
    """
    if not (HTML / "index.html").exists():
        print("There is no built book yet. Build it first: make book", file=sys.stderr)
        return 1
    browser = find_chromium()
    if browser is None:
        print("This needs a Chromium to set the pages with. Install one: apt install chromium", file=sys.stderr)
        return 1
    file = ROOT / "dist" / f"latent-space.{ending}"
    whole, about = bind(browser)
    try:
        write_whole(file, whole)
    except OSError as error:
        print(f"cannot write {file}: {error.strerror}. Close it where it is open, or make room.", file=sys.stderr)
        return 1
    print(f"{file.relative_to(ROOT)}: {about}, {file.stat().st_size / 1e6:.0f} MB.")
    return 0
