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
import re
import sys
from pathlib import Path

import nbformat
from bs4 import Tag
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbconvert import SlidesExporter
from nbconvert.preprocessors import Preprocessor
from nbformat.v4 import new_raw_cell
from number import chapters
from strict_pages import parse

ROOT = Path(__file__).resolve().parents[2]
NEW = ("slide", "subslide")
TYPES = (*NEW, "fragment", "notes", "skip", "-")
KEYS = (
    "<p>Arrow keys, space and Page Down move. F fills the screen, B makes it black, Esc shows all slides. On an "
    "explorer that you have clicked on, arrow keys move the point: go on with Page Down.</p>"
)


def formula(content: str, how: dict) -> str:
    """A formula as MathJax finds it."""
    left, right = (r"\[", r"\]") if how["display_mode"] else (r"\(", r"\)")
    return html.escape(left + content + right)


# Not nbconvert's own Markdown, but that of the pages: a slide must not differ from the chapter.
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table").use(dollarmath_plugin, renderer=formula)


def parsed(text: str) -> list[Tag]:
    """The outermost elements of a piece of HTML."""
    return parse(text).find_all(True, recursive=False)


def joined(blocks: list[Tag]) -> str:
    return "\n".join(map(str, blocks))


def blocks_of(source: str) -> list[Tag]:
    """The blocks of a Markdown text: headings, paragraphs, lists, formulas, folded answers, ..."""
    blocks = parsed(MARKDOWN.render(source))
    for link in (link for block in blocks for link in block.select("a[href]")):
        link["href"] = re.sub(r"^([\w-]+)\.(ipynb|md)\b", r"../book/\1.html", str(link["href"]))
    return blocks


def asks(block: Tag) -> bool:
    """Whether a block asks the reader for a prediction."""
    return any(word.get_text().startswith("Predict:") for word in block.select("strong"))


def of_folded(question: str, details: Tag) -> tuple[str, str, str]:
    """A question, and as its answer what is folded below it."""
    if details.summary:
        details.summary.extract()
    return question, f'<div class="answer">{details.decode_contents()}</div>', ""


def of_markdown(blocks: list[Tag], chosen: list[int] | None) -> list[tuple[str, str, str]]:
    """For each slide that a Markdown cell without its heading makes: what it shows, an answer to come, and notes."""
    folded = [i for i, block in enumerate(blocks) if block.name == "details"]
    if folded:
        ends = sorted({folded[0], folded[-1]})
        return [of_folded(joined(blocks[max(i - 1, 0) : i]), blocks[i]) for i in ends]
    questions = [i for i, block in enumerate(blocks, start=1) if asks(block)]
    chosen = chosen or questions or [1][: len(blocks)]  # a cell may hold a heading alone
    if not set(chosen) <= set(range(1, len(blocks) + 1)):
        raise ValueError(f"blocks {chosen} are wanted of a cell that has {len(blocks)}: count them below its heading.")
    shown = joined([blocks[i - 1] for i in chosen])
    if chosen == questions:
        shown = f'<div class="asks">{shown}</div>'
    return [(shown, "", joined([block for i, block in enumerate(blocks, start=1) if i not in chosen]))]


def preformatted(text: str) -> str:
    """Text as typed or printed, by lines, and the length of the longest: the style sheet makes it as large as fits."""
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    spans = "\n".join(f"<span>{html.escape(line)}</span>" for line in lines)
    return f'<pre style="--columns: {max(map(len, lines), default=0)}">{spans}</pre>'


def hints(figure: str) -> str:
    """What an explorer says that one should try, which no slide has room for."""
    states = [json.loads(state.text) for block in parsed(figure) for state in block.select("script")]
    return "".join(f"<p>{html.escape(state['spec']['caption'])}</p>" for state in states if "spec" in state)


def of_code(cell: nbformat.NotebookNode) -> tuple[str, str, str]:
    """What a slide shows of a code cell, no answer, and notes."""
    figures, notes, printed = "", "", ""
    for output in cell.outputs:
        data = output.get("data", {})
        if "text/html" in data:
            figures += f'<div class="figure" data-prevent-swipe>{data["text/html"]}</div>'
            notes += hints(data["text/html"])
        elif "text/markdown" in data:  # a listing, in its fences
            printed += re.sub("^```.*\n?", "", data["text/markdown"], flags=re.MULTILINE)
        else:
            printed += output.get("text") or data.get("text/plain", "")
    words = preformatted(printed) if printed.strip() else ""
    if "slide-code" in cell.metadata.get("tags", []):
        return preformatted(cell.source), "", words
    return (figures, "", notes + words) if figures else (words, "", "")


def slide_type(cell: nbformat.NotebookNode) -> str:
    """The mark of a cell. Raises ValueError for one that means nothing."""
    kind = cell.metadata.get("slideshow", {}).get("slide_type", "skip")
    if kind not in TYPES:
        raise ValueError(f"slide_type is {kind!r}; it must be one of {', '.join(TYPES)}.")
    return kind


def is_marked(notebook: nbformat.NotebookNode) -> bool:
    """Whether a chapter marks slides."""
    return any(slide_type(cell) not in ("skip", "-") for cell in notebook.cells)


class Lecture(Preprocessor):
    """Makes of a chapter's marked cells what slides hold: cells of HTML, marked in the same way, for nbconvert."""

    def preprocess(self, nb, resources):
        """The notebook with these cells alone. Raises ValueError where a mark cannot be followed."""
        made: list[nbformat.NotebookNode] = []

        def add(kind: str, *parts: str) -> None:
            cell = new_raw_cell("\n".join(parts), metadata={"slideshow": {"slide_type": kind}})
            place = len(made)
            while kind == "notes" and slide_type(made[place - 1]) == "fragment":
                place -= 1  # after a fragment, notes would be those of the fragment alone
            if any(parts) or kind == "slide":
                made.insert(place, cell)

        heading = asked = ""
        for cell in nb.cells:
            kind, blocks = slide_type(cell), blocks_of(cell.source) if cell.cell_type == "markdown" else []
            if blocks and re.fullmatch("h[1-6]", blocks[0].name):
                nb.metadata.setdefault("title", blocks[0].get_text())
                heading = str(blocks.pop(0))
            if kind in ("skip", "-"):
                continue
            if kind not in NEW and not made:
                raise ValueError(
                    f"a cell is marked {kind!r}, but no slide stands before it. Mark an earlier one 'slide'."
                )
            if kind == "notes":
                add("notes", of_code(cell)[0] if cell.cell_type == "code" else joined(blocks))
                continue
            chosen = cell.metadata["slideshow"].get("blocks")
            parts = [of_code(cell)] if cell.cell_type == "code" else of_markdown(blocks, chosen)
            for shown, answer, notes in parts:
                if kind in NEW:
                    add("slide", heading, shown)
                    add("notes", "<p>They were asked:</p>" * bool(asked), asked)
                    asked = joined([block for block in parsed(shown) if asks(block)])
                else:
                    add("fragment", shown)
                add("fragment", answer)
                add("notes", notes)
        if made:  # the first slide leads to the chapter, and its notes say how to go on
            chapter = f"../book/{resources['metadata']['name']}.html"
            made[0].source += f'\n<p class="chapter"><a href="{chapter}">The chapter</a></p>'
            made[1:1] = [new_raw_cell(KEYS, metadata={"slideshow": {"slide_type": "notes"}})]
        nb.cells = made
        return nb, resources


def deck(notebook: nbformat.NotebookNode, name: str) -> str:
    """The deck of the chapter `name` as a page of its own; empty when the chapter marks no slides."""
    try:
        if not is_marked(notebook):
            return ""
        template = str(Path(__file__).with_name("slides.html.j2"))
        exporter = SlidesExporter(template_file=template, preprocessors=[Lecture])
        return exporter.from_notebook_node(notebook, {"metadata": {"name": name}})[0]
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def build(app, error: Exception | None) -> None:
    """Writes the decks beside the pages."""
    if error or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "slides"
    folder.mkdir(exist_ok=True)
    for path in chapters():
        if page := deck(nbformat.read(path, as_version=4), path.stem):
            (folder / f"{path.stem}.html").write_text(page, "utf-8")


def add_link(app, pagename: str, template: str, context: dict, doctree) -> None:
    """Leads from the foot of a chapter to its slides, if it marks any, and to the library."""
    path = ROOT / f"{pagename}.ipynb"
    if path.exists() and is_marked(nbformat.read(path, as_version=4)):
        up = "../" * pagename.count("/")
        slides = f'<a href="{up}slides/{path.stem}.html">Slides of this chapter</a>'
        context["body"] += f'<p class="slides">{slides} · <a href="{up}book/api.html">Its functions</a></p>'


def setup(app) -> dict[str, bool]:
    app.connect("html-page-context", add_link)
    app.connect("build-finished", build)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def main() -> int:
    """Lists the decks, which the book's build has written."""
    for path in sorted((ROOT / "_build" / "html" / "slides").glob("*.html")):
        print(f"{path.relative_to(ROOT)}: {path.read_text('utf-8').count('<section>')} slides")
    return 0


if __name__ == "__main__":
    sys.exit(main())
