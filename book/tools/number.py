"""make number: the order of the chapters stands in _toc.yml, and everything that shows a number follows it.

python book/tools/number.py        writes the numbers again, after a chapter was added or moved

What carries a number is a chapter's title, "# 8 · Interpolating digits", and the text of a link to a chapter: "chapter
8", "8", or "8 · Interpolating digits". Files, cells, exercises and addresses are named by the topic.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
import yaml

from vaecourse.files import write_whole

ROOT = Path(__file__).resolve().parents[2]
TITLE = re.compile(r"^# \d+ · ")
LINK = re.compile(r"\[([Cc]hapter\s|)\d+(| · [^\]]*)\]\(((?:\.\./)?[\w/-]+)\.ipynb\b")


def chapters(root: Path = ROOT) -> list[Path]:
    """The chapters' files, in the order of _toc.yml."""
    parts = yaml.safe_load((root / "_toc.yml").read_text("utf-8"))["parts"]
    files = [root / f"{page['file']}.ipynb" for part in parts for page in part["chapters"]]
    return [path for path in files if path.exists()]


def renumbered(text: str, numbers: dict[str, int]) -> str:
    """A text whose links to chapters say the numbers of these topics. Raises ValueError for a link to no chapter."""

    def link(found: re.Match[str]) -> str:
        topic = found[3].rpartition("/")[2]
        if topic not in numbers:
            raise ValueError(f"{found[0]}) leads to no chapter of _toc.yml. Chapters are {', '.join(numbers)}.")
        return f"[{found[1]}{numbers[topic]}{found[2]}]({found[3]}.ipynb"

    return LINK.sub(link, text)


def chapter(path: Path, numbers: dict[str, int]) -> str:
    """A chapter's file as it should be."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = renumbered(TITLE.sub(f"# {numbers[path.stem]} · ", cell.source), numbers)
    return nbformat.writes(notebook) + "\n"


def follow(root: Path = ROOT) -> dict[Path, str]:
    """All files in which a chapter's number stands, and what they should hold."""
    numbers = {path.stem: number for number, path in enumerate(chapters(root), start=1)}
    pages = [*sorted((root / "book").glob("*.md")), *sorted(root.glob("*.md"))]
    texts = {path: renumbered(path.read_text("utf-8"), numbers) for path in pages}
    return texts | {path: chapter(path, numbers) for path in chapters(root)}


def write(texts: dict[Path, str], root: Path = ROOT) -> None:
    """Writes the files that hold something else, and says which. Ends the program where one cannot be written."""
    for path, text in texts.items():
        if not path.exists() or path.read_text("utf-8") != text:
            try:
                write_whole(path, text.encode())
            except OSError as error:
                raise SystemExit(f"cannot write {path}: {error.strerror}. Use a copy that you may write to.") from error
            print(f"wrote {path.relative_to(root)}")


def main() -> int:
    write(follow())
    return 0


if __name__ == "__main__":
    sys.exit(main())
