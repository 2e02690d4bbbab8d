"""A deck of slides for each chapter, from the cells that the chapter marks. A Sphinx extension, and make slides.

A cell is marked by its metadata, as Jupyter does it (JupyterLab: Property Inspector, Slide Type):

    {"slideshow": {"slide_type": "slide"}}

    slide, subslide       a new slide
    fragment              more of the slide before, at the next key press
    notes                 for the speaker alone (S opens the speaker's window)
    skip, and no mark     left out

A slide holds one idea, so of a marked cell it shows one thing; what is left of the cell goes to the speaker's notes:

    Markdown              the question, if a paragraph begins with **Predict:**; else the first block below the heading
    ... with "blocks"     those blocks: {"slide_type": "slide", "blocks": [1, 3]} shows the first and the third
    ... with <details>    the first and the last question, each on its own slide, with the answer as a fragment
    code                  its figures and explorers; where it has none, what it printed
    ... tagged slide-code its source

Each slide stands under the chapter's last heading. A question is told again in the notes of the slide that answers it.

The decks show the outputs that the notebooks store. The tests compare these with a fresh run, they come from the real
data, and they are at hand without running anything: what a lecturer has rehearsed is what the room will see.
"""

from __future__ import annotations

import html
import json
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from number import chapters
from strict_pages import Files, strict

ROOT = Path(__file__).resolve().parents[2]
CAPTION = re.compile(
    r'"caption": ("(?:[^"\\]|\\.)*")'
)  # an explorer's hint on what to try, which no slide has room for
NEW = ("slide", "subslide")
TYPES = (*NEW, "fragment", "notes", "skip", "-")
KEYS = (
    "<p>Arrow keys, space and Page Down move. F fills the screen, B makes it black, Esc shows all slides. On an "
    "explorer that you have clicked on, arrow keys move the point: go on with Page Down.</p>"
)
PAGE = """\
<!doctype html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: slides</title>
<link rel="icon" href="../_static/favicon.svg">
<link rel="stylesheet" href="../_static/vendor/reveal/reveal.css">
<link rel="stylesheet" href="../_static/explorer/explorer.css">
<link rel="stylesheet" href="../_static/slides.css">
<script defer src="../_static/vendor/reveal/reveal.js"></script>
<script defer src="../_static/vendor/reveal/plugin/notes/notes.js"></script>
<script defer src="../_static/explorer/page.js"></script>
<script defer src="../_static/slides.js"></script>
<script defer src="../_static/vendor/mathjax/tex-chtml.js"></script>
</head>
<body>
<main><div class="reveal"><div class="slides">
{slides}
</div></div></main>
</body>
</html>
"""


@dataclass
class Slide:
    """What one slide shows below its heading, and what only its speaker sees; pieces of HTML."""

    heading: str
    shown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def html(self) -> str:
        notes = f'<aside class="notes">{"".join(self.notes)}</aside>'
        return "\n".join(["<section>", self.heading, *self.shown, notes, "</section>"])


def formula(content: str, how: dict) -> str:
    """A formula as MathJax finds it."""
    left, right = (r"\[", r"\]") if how["display_mode"] else (r"\(", r"\)")
    return html.escape(left + content + right)


MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table").use(dollarmath_plugin, renderer=formula)


def blocks_of(source: str) -> list[str]:
    """The blocks of a Markdown text (headings, paragraphs, lists, formulas, ...) as HTML."""
    blocks, tokens, start = [], MARKDOWN.parse(source), 0
    for end, token in enumerate(tokens, start=1):
        if token.level == 0 and token.nesting <= 0:
            blocks.append(MARKDOWN.renderer.render(tokens[start:end], MARKDOWN.options, {}))
            start = end
    return [re.sub(r'href="([\w-]+)\.(?:ipynb|md)\b', r'href="../book/\1.html', block) for block in blocks]


def question_and_answer(blocks: list[str]) -> list[tuple[str, str]]:
    """Each block before a <details>, and what is folded into it."""
    opens = [i for i, block in enumerate(blocks) if block.startswith("<details>")]
    closes = [i for i, block in enumerate(blocks) if block.startswith("</details>")]
    return [(blocks[i - 1], "".join(blocks[i + 1 : j])) for i, j in zip(opens, closes, strict=True)]


def of_markdown(blocks: list[str], chosen: list[int] | None) -> list[tuple[list[str], list[str]]]:
    """For each slide that a Markdown cell without its heading makes: what is shown, and what is for the notes."""
    if any(block.startswith("<details>") for block in blocks):
        first, *_, last = question_and_answer(blocks)
        return [([q, f'<div class="fragment answer">{a}</div>'], []) for q, a in (first, last)]
    questions = [i for i, block in enumerate(blocks, start=1) if "<strong>Predict:" in block]
    chosen = chosen or questions or [1]
    if not set(chosen) <= set(range(1, len(blocks) + 1)):
        raise ValueError(f"blocks {chosen} are wanted of a cell that has {len(blocks)}: count them below its heading.")
    shown = [blocks[i - 1] for i in chosen]
    if chosen == questions:
        shown = [f'<div class="asks">{"".join(shown)}</div>']
    return [(shown, [block for i, block in enumerate(blocks, start=1) if i not in chosen])]


def preformatted(text: str) -> str:
    """Text as typed or printed, by lines, and the length of the longest: the style sheet makes it as large as fits."""
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    spans = "\n".join(f"<span>{html.escape(line)}</span>" for line in lines)
    return f'<pre style="--columns: {max(map(len, lines))}">{spans}</pre>'


def of_code(cell: nbformat.NotebookNode) -> tuple[list[str], list[str]]:
    """What a slide shows of a code cell, and what is for the notes."""
    pictures, printed, notes = [], "", []
    for output in cell.outputs:
        data = output.get("data", {})
        if "text/html" in data:
            pictures.append(f'<div class="figure" data-prevent-swipe>{data["text/html"]}</div>')
            notes += [f"<p>{html.escape(json.loads(hint))}</p>" for hint in CAPTION.findall(data["text/html"])]
        elif "text/markdown" in data:  # a listing, in its fences
            printed += re.sub("^```.*\n?", "", data["text/markdown"], flags=re.MULTILINE)
        else:
            printed += output.get("text") or data.get("text/plain", "")
    words = [preformatted(printed)] if printed.strip() else []
    if "slide-code" in cell.metadata.get("tags", []):
        return [preformatted(cell.source)], words
    return (pictures, notes + words) if pictures else (words, [])


def slides_of(notebook: nbformat.NotebookNode) -> list[Slide]:
    """The slides that a chapter's marked cells make. Raises ValueError where a mark cannot be followed."""
    slides: list[Slide] = []
    heading = asked = ""
    for cell in notebook.cells:
        mark = cell.metadata.get("slideshow", {})
        kind = mark.get("slide_type", "skip")
        if kind not in TYPES:
            raise ValueError(f"slide_type is {kind!r}; it must be one of {', '.join(TYPES)}.")
        blocks = blocks_of(cell.source) if cell.cell_type == "markdown" else []
        if blocks and re.match("<h[1-6]>", blocks[0]):
            heading = blocks.pop(0)
        if kind in ("skip", "-"):
            continue
        if kind not in NEW and not slides:
            raise ValueError(f"a cell is marked {kind!r}, but no slide stands before it. Mark an earlier one 'slide'.")
        if kind == "notes":
            slides[-1].notes += blocks or of_code(cell)[0]
            continue
        for shown, notes in of_markdown(blocks, mark.get("blocks")) if blocks else [of_code(cell)]:
            if kind in NEW:
                slides.append(Slide(heading, notes=[f"<p>They were asked:</p>{asked}"] if asked else []))
                asked = "".join(block for block in shown if "<strong>Predict:" in block)
                slides[-1].shown += shown
            else:
                slides[-1].shown.append(f'<div class="fragment">{"".join(shown)}</div>')
            slides[-1].notes += notes
    return slides


def deck(name: str, slides: list[Slide]) -> str:
    """A deck as a page of its own. The first slide leads to the chapter."""
    title = re.sub("<.*?>", "", slides[0].heading).strip()
    slides[0].shown.append(f'<p class="chapter"><a href="../book/{name}.html">The chapter</a></p>')
    slides[0].notes.insert(0, KEYS)
    return PAGE.format(title=title, slides="\n".join(slide.html() for slide in slides))


def build(out: Path) -> list[Path]:
    """Writes a deck beside the pages in `out` for each chapter that marks slides; returns the files."""
    written = []
    for path in chapters():
        try:
            slides = slides_of(nbformat.read(path, as_version=4))
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from error
        if slides:
            target = out / "slides" / f"{path.stem}.html"
            target.parent.mkdir(exist_ok=True)
            temporary = target.with_suffix(".tmp")
            temporary.write_text(strict(deck(path.stem, slides), Files(out / "_inline", "../")), "utf-8")
            os.replace(temporary, target)
            written.append(target)
    return written


def build_with_the_book(app, error: Exception | None) -> None:
    if not error and app.builder.format == "html":
        build(Path(app.outdir))


def add_link(app, pagename: str, template: str, context: dict, doctree) -> None:
    """Leads from the foot of a chapter to its slides, if it marks any, and to the library."""
    path = ROOT / f"{pagename}.ipynb"
    if path.exists() and slides_of(nbformat.read(path, as_version=4)):
        up = "../" * pagename.count("/")
        slides = f'<a href="{up}slides/{path.stem}.html">Slides of this chapter</a>'
        context["body"] += f'<p class="slides">{slides} · <a href="{up}book/api.html">Its functions</a></p>'


def setup(app) -> dict[str, bool]:
    app.connect("html-page-context", add_link)
    app.connect("build-finished", build_with_the_book)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def main() -> int:
    out = ROOT / "_build" / "html"
    if not (out / "index.html").exists():
        print("There is no built book yet. Build it first: make book", file=sys.stderr)
        return 1
    for path in build(out):
        print(f"{path.relative_to(ROOT)}: {path.read_text('utf-8').count('<section>')} slides")
    return 0


if __name__ == "__main__":
    sys.exit(main())
