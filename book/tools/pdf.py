"""make pdf: the whole book as one PDF, printed by Chromium from the built pages, with bookmarks and links within it.

python book/tools/pdf.py        writes dist/latent-space.pdf from _build/html

Everything is open: what a page asks and shuts, solutions, folded code. Explorers print as the pictures that stand in
their place without scripts.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from bound import HTML, make, pages
from playwright.sync_api import Page, PdfMargins, sync_playwright
from pypdf import PageObject, PdfReader, PdfWriter
from pypdf.generic import ArrayObject, Destination, DictionaryObject, Fit, NameObject, NullObject
from tqdm import tqdm

UNASKED = """localStorage.setItem("vaecourse-switches", '{"ask": false}')"""
READY = """async () => {
  await window.MathJax?.startup.promise;
  for (const part of document.querySelectorAll("details")) part.open = true;
  for (const image of document.images) image.loading = "eager";
  await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
}"""
# Chromium makes bookmarks, but their words run together where a heading goes on in a second line.
TITLES = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].filter((title) => title.checkVisibility())
  .map((title) => {
    const copy = title.cloneNode(true);
    for (const link of copy.querySelectorAll(".headerlink, .report")) link.remove();
    return copy.textContent.replace(/\\s+/g, " ").trim();
  })"""
STILL = "* { animation: none !important; transition: none !important; }"  # or what was just opened is still pale
MARGIN: PdfMargins = {"top": "18mm", "bottom": "18mm", "left": "16mm", "right": "16mm"}


class Part(NamedTuple):
    """A built page on paper, and the words of its headings."""

    paper: PdfReader
    titles: list[str]


def printed(page: Page, file: Path) -> Part:
    """Prints a built page."""
    page.goto(file.as_uri())
    page.emulate_media(media="print", color_scheme="light")
    page.add_style_tag(content=STILL)
    page.evaluate(READY)
    titles = page.evaluate(TITLES)
    return Part(PdfReader(io.BytesIO(page.pdf(format="A4", margin=MARGIN, outline=True, tagged=True))), titles)


def bookmarks(outline: list, level: int = 0) -> Iterator[tuple[int, Destination]]:
    """The entries of an outline, each with how deep it lies."""
    for entry in outline:
        if isinstance(entry, list):
            yield from bookmarks(entry, level + 1)
        else:
            yield level, entry


def number_of(paper: PdfReader, place: Destination) -> int:
    """The page on which a place is, counted from 0."""
    number = paper.get_destination_page_number(place)
    assert number is not None, f"{place.title} is on none of the pages"
    return number


def links(page: PageObject) -> Iterator[DictionaryObject]:
    """The links of a page of paper."""
    for annotation in page.get("/Annots", ()):
        link = annotation.get_object()
        if link.get("/Subtype") == "/Link":
            yield link


def point(link: DictionaryObject, target: PageObject, top: object) -> None:
    """Has a link lead to a place in the book: by the page itself, since names may come twice."""
    link.pop("/A", None)
    place = [target.indirect_reference, NameObject("/XYZ"), NullObject(), top, NullObject()]
    link[NameObject("/Dest")] = ArrayObject(place)


def bind(parts: dict[Path, Part]) -> PdfWriter:
    """One document of all built pages, by their file: with bookmarks, and links between them that stay in it."""
    book, first = PdfWriter(), {}
    for file, (part, titles) in parts.items():
        first[file] = len(book.pages)
        book.append(part, import_outline=False)
        above: list[Any] = [None]
        for (level, entry), title in zip(bookmarks(part.outline), titles, strict=True):
            number, fit = first[file] + number_of(part, entry), Fit.xyz(top=entry.top)
            mark = book.add_outline_item(title=title, page_number=number, parent=above[level], fit=fit)
            above[level + 1 :] = [mark]
    for file, (part, _) in parts.items():
        names = part.named_destinations
        for page in book.pages[first[file] : first[file] + len(part.pages)]:
            for link in links(page):
                address = urlsplit(str(link.get("/A", {}).get("/URI", "")))
                other = Path(unquote(address.path)) if address.scheme == "file" else None
                if "/Dest" in link and str(link["/Dest"]) in names:
                    place = names[str(link["/Dest"])]
                    point(link, book.pages[first[file] + number_of(part, place)], place.get("/Top", NullObject()))
                elif other in first:
                    point(link, book.pages[first[other]], NullObject())
    return book


def whole(browser: str) -> tuple[bytes, str]:
    """The whole PDF, and how long it is."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page()
        page.add_init_script(UNASKED)
        files = [(HTML / f"{name}.html").resolve() for name in pages()]
        book = bind({file: printed(page, file) for file in tqdm(files, "printing", unit="page")})
        chromium.close()
    data = io.BytesIO()
    book.write(data)
    return data.getvalue(), f"{len(book.pages)} pages"


if __name__ == "__main__":
    sys.exit(make("pdf", whole))
