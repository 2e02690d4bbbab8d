"""Begins a chapter from the template, with checks for its exercises.

    python book/tools/new_chapter.py how-much-ink --after why-a-gaussian

Writes book/how-much-ink.ipynb and vaecourse/course/exercises/how_much_ink.py, enters the chapter into _toc.yml (without
--after as the last one), and numbers all chapters again. What is left to do by hand is printed, and stands in
CONTRIBUTING.md.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import nbformat
from number import ROOT, chapters, follow, write

LEFT = "Now add {chapter} to the map in book/index.md, lead there from the chapter before, run make address, and write."


def begin(topic: str, after: str | None = None, root: Path = ROOT) -> Path:
    """Writes all files; returns the chapter. Raises ValueError for a topic that is none or taken, or a bad `after`."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", topic):
        raise ValueError(f"wanted a topic such as how-much-ink; got {topic!r}.")
    topics = [path.stem for path in chapters(root)]
    after = after or topics[-1]
    if after not in topics:
        raise ValueError(f"there is no chapter {after!r} to follow. There are {', '.join(topics)}.")
    module = topic.replace("-", "_")
    chapter, checks = root / f"book/{topic}.ipynb", root / f"vaecourse/course/exercises/{module}.py"
    if chapter.exists() or checks.exists():
        raise ValueError(f"there is a chapter {topic} already. Take another topic.")
    notebook = nbformat.read(root / "book/tools/template.ipynb", as_version=4)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"{topic}-{number:03d}"
        cell.source = cell.source.replace("TOPIC", module)
    toc = root / "_toc.yml"
    place = re.compile(rf"(?m)^( *- file: book/){re.escape(after)}$")
    texts = {
        chapter: nbformat.writes(notebook) + "\n",
        checks: (root / "book/tools/template_checks.py").read_text("utf-8"),
        toc: place.sub(rf"\g<0>\n\g<1>{topic}", toc.read_text("utf-8")),
    }
    write(texts, root)
    write(follow(root), root)
    return chapter


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("topic", help="what its files are called, such as how-much-ink")
    parser.add_argument("--after", metavar="TOPIC", help="the chapter that it follows; without it, the last one")
    given = parser.parse_args(arguments)
    try:
        chapter = begin(given.topic, given.after)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print(LEFT.format(chapter=chapter.relative_to(ROOT)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
