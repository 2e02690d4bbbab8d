"""The book on paper: one PDF of all pages, in which nothing is missing, shut, or left pointing outside."""

import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import nbformat
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
HTML = ROOT / "_build" / "html"
sys.path.insert(0, str(ROOT / "book" / "tools"))

import pdf  # noqa: E402
from pypdf import PdfReader  # noqa: E402

CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))


@pytest.fixture(scope="module")
def book(chromium):
    assert (HTML / "index.html").exists(), "build the book first: make book"
    done = subprocess.run([sys.executable, ROOT / "book/tools/pdf.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return PdfReader(ROOT / "dist/latent-space.pdf")


@pytest.fixture(scope="module")
def texts(book):
    """The letters of each page of the book, by the page's name."""
    starts = [book.get_destination_page_number(entry) for entry in book.outline if not isinstance(entry, list)]
    ends = [*starts[1:], len(book.pages)]
    words = [squeezed(page.extract_text()) for page in book.pages]
    return {name: "".join(words[a:b]) for name, a, b in zip(pdf.pages(), starts, ends, strict=True)}


def squeezed(text):
    """Letters and digits alone: lines break where the paper ends, quotes are turned, and fi is one letter."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text))


def cells(path, kind):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def test_every_heading_of_every_chapter_is_a_bookmark_that_leads_to_it(book):
    entries = list(pdf.bookmarks(book.outline))
    for path in CHAPTERS:
        source = "\n".join(re.sub(r"(?s)```.*?```", "", cell.source) for cell in cells(path, "markdown"))
        for heading in re.findall(r"(?m)^#{1,3} (.+)$", source):
            plain = re.sub(r"[`*]|\$.*?\$|\]\(.*?\)|\[", "", heading).strip()
            marks = [entry for _, entry in entries if squeezed(plain) in squeezed(entry.title) or "$" in heading]
            assert marks, f"{path.stem}: {heading}"
    for level, entry in entries:
        number = book.get_destination_page_number(entry)
        if level and not re.search(r"[^\w\s:,.?'’()–-]", entry.title):
            # Chromium names the foot of the page before where a heading was pushed overleaf.
            words = squeezed("".join(page.extract_text() for page in book.pages[number : number + 2]))
            lost = [word for word in entry.title.split() if squeezed(word) not in words]
            assert not lost, f"{entry.title}, said to stand on page {number + 1}"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_what_the_page_asks_and_shuts_is_open_on_paper(texts, path):
    text = texts[f"book/{path.stem}"]
    for cell in cells(path, "markdown"):
        for question in cell.metadata.get("predict", []):
            shown = question.get("shown", "")
            if not re.search(r"[$`*\\_\[]", shown):
                assert squeezed(shown) in text, shown
    answers = re.findall(r"<summary>Answer</summary>\n\n(\w+ \w+)", cells(path, "markdown")[-1].source)
    assert answers and all(squeezed(answer) in text for answer in answers)
    for said in ("undefined", "objectObject", "Justshowme", "Mathprocessingerror"):
        assert said not in text


def test_figures_and_stills_of_what_lives_are_there(book):
    starts = [book.get_destination_page_number(entry) for entry in book.outline if not isinstance(entry, list)]
    spans = dict(zip(pdf.pages(), zip(starts, [*starts[1:], len(book.pages)], strict=True), strict=True))
    for path in CHAPTERS:
        outputs = [output for cell in cells(path, "code") for output in cell.outputs if "data" in output]
        pictures = sum(str(output.data.get("text/html")).count("<img") for output in outputs)
        first, end = spans[f"book/{path.stem}"]
        printed = sum(len(page.images) for page in book.pages[first:end])
        assert printed >= pictures > 0, path.stem


def test_links_stay_in_the_book_or_lead_to_the_web(book):
    inside = 0
    for page in book.pages:
        for link in pdf.links(page):
            address = str(link.get("/A", {}).get("/URI", ""))
            assert not address or address.startswith(("https://", "http://", "mailto:")), address
            inside += "/Dest" in link
    assert inside > 200
    chapter = book.get_destination_page_number(
        next(e for e in book.outline if "Three pixels" in getattr(e, "title", ""))
    )
    map_of_the_course = [
        link["/Dest"][0].get_object() for page in book.pages[:6] for link in pdf.links(page) if "/Dest" in link
    ]
    assert book.pages[chapter].get_object() in map_of_the_course
