"""A Sphinx extension: what a chapter asks, a page asks; what answers it stays shut until the reader has committed.

A chapter asks in paragraphs that begin with **Predict:** and, at its end, in questions with folded answers. What the
page needs to take an answer stands in that Markdown cell's metadata, in the order of the paragraphs. So notebooks,
slides, paper and a page without scripts show the plain text, and everything.

    {"predict": [{"name": "halfway", "kind": "choice", "options": [{"text": …, "but": …}, …], "shown": …, "after": …}]}
    {"recall": [{"kind": "choice", "options": […]}, null, …]}        null asks for a sentence in one's own words

    name      unique in the chapter; with the chapter's it is the name under which an answer is kept, and an anchor
    after     one or two sentences below the answer: what the difference means
    open      how many blocks below the paragraph belong to the question, and so are not shut; 0 if left out
    shown     of a choice: a piece of the code, the text or the output below that shows which is right

    kind      what else it has
    choice    options, each a text; whoever chose one that is wrong hears "but": what is right about it, and what not
    number    ask, the name of the slider; min, max, step; unit; near, how far off is still right (a tenth of the range)
    order     ask; items, each a text and a truth: they are put in order from the largest to the smallest; near, how
              far apart two may be and still stand either way (0)
    curve     ask; x and y, the names of the axes; min and max of y; near
    point     ask; x and y, the names of the plane's axes, both from min to max; marks, texts that stand at places of it
    text      ask

What was measured is not written down again: "truth" is a regular expression, and the number that its group finds in
what the chapter prints below the question is the truth. That of a curve or a point has two groups, named x and y; a
curve's is found once for each of its points.

A question's outcome reaches to the next heading or the next question.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from bs4 import BeautifulSoup, Tag
from slides import asks, blocks_of
from sphinx.util import logging
from strict_pages import parse

ROOT = Path(__file__).resolve().parents[2]
HEADINGS = re.compile("h[1-6]")
KINDS = {
    "choice": {"options"},
    "number": {"ask", "min", "max", "step", "truth"},
    "order": {"ask", "items"},
    "curve": {"ask", "x", "y", "min", "max", "truth"},
    "point": {"ask", "x", "y", "min", "max", "truth"},
    "text": set(),
}
OPTIONAL = {"unit", "near", "ask", "marks"}
SIGNS = {
    **{rf"\{name}": sign for name, sign in zip(("sigma", "mu", "beta", "varepsilon"), "σμβε", strict=True)},
    **{r"\log": "log", r"\mid": "|", r"\,": " ", r"\(": "", r"\)": "", "{": "", "}": ""},
}

Question = dict[str, Any]


@dataclass
class Asked:
    """A question of a chapter: the heading above it, its metadata, what was printed below it, and all that tells it."""

    heading: str
    question: Question | None
    printed: str = ""
    told: str = ""


def plain(text: str) -> str:
    """A paragraph's text on one line, without marks of formulas."""
    for written, sign in SIGNS.items():
        text = text.replace(written, sign)
    text = re.sub(r"\s+", " ", text.removeprefix("Predict:")).strip()
    return text[:1].upper() + text[1:]


def of_chapter(notebook: nbformat.NotebookNode) -> list[Asked]:
    """What the **Predict:** paragraphs of a chapter ask, in their order."""
    asked: list[Asked] = []
    heading, current, left_open = "", None, 0
    for cell in notebook.cells:
        if cell.cell_type == "code":
            if current:
                printed = "".join(o.text for o in cell.outputs if o.output_type == "stream")
                current.printed += printed
                current.told += f"{cell.source}\n{printed}"
            continue
        given = iter(cell.metadata.get("predict", []))
        for block in blocks_of(cell.source):
            if HEADINGS.fullmatch(block.name):
                heading, current = block.get_text(), None
            elif asks(block):
                current = Asked(heading, next(given, None))
                left_open = (current.question or {}).get("open", 0)
                asked.append(current)
            elif left_open:
                left_open -= 1
            elif current:
                current.told += f"{block.get_text()}\n"
        if (spare := next(given, None)) is not None:
            raise ValueError(f"{spare.get('name')}: its cell has no paragraph for it that begins with **Predict:**.")
    return asked


def recalled(notebook: nbformat.NotebookNode) -> tuple[str, list[Question]]:
    """The heading and the questions at the end of a chapter; none where nothing is declared."""
    for cell in notebook.cells:
        if "recall" in cell.metadata:
            blocks = blocks_of(cell.source)
            given = cell.metadata["recall"]
            count = sum(block.name == "details" for block in blocks)
            if len(given) != count:
                raise ValueError(f"recall has {len(given)} entries for {count} folded answers; null is one, too.")
            questions = enumerate((q or {"kind": "text"} for q in given), start=1)
            return blocks[0].get_text(), [{"name": f"recall-{i}", "after": "", **q} for i, q in questions]
    return "", []


def check(question: Question) -> None:
    """Raises ValueError for a question that cannot be asked."""
    name, kind = question.get("name", "a question"), question.get("kind")
    if kind not in KINDS:
        raise ValueError(f"{name}: kind is {kind!r}; it must be one of {', '.join(KINDS)}.")
    allowed = KINDS[kind] | OPTIONAL | {"name", "kind", "after", "open", "shown"}
    if wrong := (KINDS[kind] - question.keys()) | (question.keys() - allowed):
        raise ValueError(f"{name}: a {kind} has {', '.join(sorted(KINDS[kind]))}; look at {', '.join(sorted(wrong))}.")
    if not re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ValueError(f"{name}: a name is made of small letters, digits and hyphens.")
    options: list[dict[str, str]] = question.get("options") or question.get("items") or []
    texts = [option["text"] for option in options]
    if len(set(texts)) != len(texts) or (options and len(texts) < 2):
        raise ValueError(f"{name}: write two different texts or more.")
    if kind == "choice" and sum("but" not in option for option in options) != 1:
        raise ValueError(f"{name}: one option is right and has no 'but'; every other says what is wrong with it.")


def measured(name: str, pattern: str, printed: str) -> float:
    """The one number that a pattern finds. Raises ValueError where there is none, or more than one."""
    numbers = {match[1] for match in re.finditer(pattern, printed, re.MULTILINE)}
    if len(numbers) != 1:
        raise ValueError(f"{name}: {pattern!r} finds {len(numbers)} numbers in what is printed below it, not one.")
    return number(numbers.pop())


def number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


def with_truth(question: Question, printed: str) -> Question:
    """A question with the truth that the chapter printed. Raises ValueError where it is not found."""
    check(question)
    name = question["name"]
    kept = {key: value for key, value in question.items() if key not in ("shown", "open")}
    if question["kind"] == "number":
        kept["truth"] = measured(name, question["truth"], printed)
        if not question["min"] <= kept["truth"] <= question["max"]:
            raise ValueError(f"{name}: the truth, {kept['truth']}, lies outside the slider. Widen it.")
    elif question["kind"] == "curve":
        matches = re.finditer(question["truth"], printed, re.MULTILINE)
        kept["truth"] = [[match["x"], number(match["y"])] for match in matches]
        if len(kept["truth"]) < 3:
            raise ValueError(f"{name}: {question['truth']!r} finds fewer than three points below it.")
    elif question["kind"] == "point":
        places = {(number(match["x"]), number(match["y"])) for match in re.finditer(question["truth"], printed)}
        if len(places) != 1:
            raise ValueError(f"{name}: {question['truth']!r} finds {len(places)} places below it, not one.")
        kept["truth"] = list(places.pop())
        if not all(question["min"] <= value <= question["max"] for value in kept["truth"]):
            raise ValueError(f"{name}: the truth, {kept['truth']}, lies outside the plane. Widen it.")
    elif question["kind"] == "order":
        kept["items"] = [
            {"text": item["text"], "value": measured(name, item["truth"], printed)} for item in question["items"]
        ]
    return kept


def element(soup: BeautifulSoup, question: Question, text: str, **more: Any) -> Tag:
    """The element that asks a question."""
    asked = soup.new_tag("book-question", attrs={"data-name": question["name"]})
    data = soup.new_tag("script", type="application/json")
    data.string = json.dumps({**question, "question": plain(text), **more}, ensure_ascii=False).replace("<", "\\u003c")
    asked.append(data)
    return asked


def outcome(paragraph: Tag, left_open: int) -> tuple[Tag, list]:
    """The last block of a question, and what stands below it, up to the next heading or question."""
    last = paragraph
    for _ in range(left_open):
        last = last.find_next_sibling() or last
    shut = []
    for node in last.next_siblings:
        if isinstance(node, Tag) and (node.name == "section" or HEADINGS.fullmatch(node.name) or asks(node)):
            break
        shut.append(node)
    return last, shut


def paragraphs(body: Tag) -> Iterator[Tag]:
    """The paragraphs of a page that ask."""
    return (p for p in body.find_all("p") if asks(p))


def ask(body: BeautifulSoup, stem: str, notebook: nbformat.NotebookNode) -> list[str]:
    """Adds to a chapter's page what asks its questions. Returns what is wrong; such questions stay plain text."""
    wrong = []
    for paragraph, asked in zip(paragraphs(body), of_chapter(notebook), strict=True):
        if asked.question is None:
            continue
        last, shut = outcome(paragraph, asked.question.get("open", 0))
        printed = "\n".join(
            pre.get_text() for node in shut if isinstance(node, Tag) for pre in node.select(".output.stream pre")
        )
        try:
            question = with_truth(asked.question, printed)
        except ValueError as error:
            wrong.append(str(error))
            continue
        question["name"] = f"{stem}-{question['name']}"
        paragraph["id"] = f"predict-{question['name']}"
        wrapped = body.new_tag("book-outcome", attrs={"data-of": question["name"]})
        last.insert_after(element(body, question, paragraph.get_text()), wrapped)
        wrapped.extend(shut)
    heading, questions = recalled(notebook)
    title = next((h for h in body.find_all("h2") if h.get_text().startswith(heading)), None) if questions else None
    if title is not None and title.parent is not None:
        for question, details in zip(questions, title.parent.find_all("details"), strict=True):
            check(question)
            question["name"] = details["data-of"] = f"{stem}-{question['name']}"
            above = details.find_previous_sibling("p")
            details.insert_before(element(body, question, above.get_text() if above else "", recall=True))
    return wrong


def add_questions(app, pagename: str, template: str, context: dict, doctree) -> None:
    """Adds the questions of a chapter to its page, and the scripts that ask them."""
    text = context.get("body", "")
    path = ROOT / f"{pagename}.ipynb"
    if path.exists():
        body = parse(text)
        for sentence in ask(body, path.stem, nbformat.read(path, as_version=4)):
            logging.getLogger(__name__).warning(f"{pagename}: {sentence}")
        context["body"] = text = str(body)
    if "<book-question" in text or "above-input" in text:
        if '"kind": "point"' in text:
            app.add_js_file("predict-point.js")
        app.add_js_file("predict.js")  # not deferred: what is shut is shut before it is seen
        app.add_css_file("predict.css")
    if "<book-answers" in text:
        app.add_js_file("predict-report.js", loading_method="defer")
        app.add_css_file("predict.css")


def setup(app) -> dict[str, bool]:
    app.connect("html-page-context", add_questions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
