"""Begins a chapter from the template, with checks for its exercises.

    python book/tools/new_chapter.py 12 how-much-ink

Writes book/12-how-much-ink.ipynb and vaecourse/exercises/chapter_12.py, and enters the checks with the others. What is
left to do by hand is printed, and stands in CONTRIBUTING.md.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
LEFT = "Now add {chapter} to _toc.yml and to the map in book/index.md, run make address, and write."


def begin(number: str, topic: str, root: Path = ROOT) -> list[Path]:
    """The files written. Raises ValueError for a number or topic that makes no name, or for a chapter that exists."""
    if not (re.fullmatch(r"\d\d", number) and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", topic)):
        raise ValueError(f"wanted two digits and a topic such as 12 how-much-ink; got {number} {topic}.")
    exercises = root / "vaecourse" / "exercises"
    chapter, checks, known = root / f"book/{number}-{topic}.ipynb", exercises / f"chapter_{number}.py", "__init__.py"
    if checks.exists() or any((root / "book").glob(f"{number}-*")):
        raise ValueError(f"there is a chapter {number} already. Take another number.")
    tools = root / "book" / "tools"
    notebook = nbformat.read(tools / "template.ipynb", as_version=4)
    for cell in notebook.cells:
        cell.source = re.sub(r"\bNN\b", number, cell.source)
    last = re.compile(r"( +(?:\*\*)?)chapter_\d\d((?:\.CHECKS)?,\n)(?=[)}])")  # of the imports, and of all checks
    entered = last.sub(rf"\g<0>\1chapter_{number}\2", (exercises / known).read_text("utf-8"))
    texts = {
        chapter: nbformat.writes(notebook) + "\n",
        checks: re.sub(r"\bNN\b", number, (tools / "template_checks.py").read_text("utf-8")),
        exercises / known: entered,
    }
    for path, text in texts.items():
        temporary = path.with_suffix(".tmp")
        temporary.write_text(text, "utf-8")
        os.replace(temporary, path)
    return list(texts)


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 1
    number, topic = arguments
    try:
        written = begin(number, topic)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(f"wrote {path.relative_to(ROOT)}" for path in written))
    print(LEFT.format(chapter=f"book/{written[0].stem}"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
