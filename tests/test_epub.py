"""The book as an EPUB: all of it, whole by the standard, with nothing that needs a script or another host."""

import posixpath
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import urldefrag
from xml.etree import ElementTree

import nbformat
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
HTML = ROOT / "_build" / "html"
sys.path.insert(0, str(ROOT / "book" / "tools"))

import epub  # noqa: E402
from bound import pages as names_of_pages  # noqa: E402

CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))
XHTML, OPF, MATH = (
    "{http://www.w3.org/1999/xhtml}",
    "{http://www.idpf.org/2007/opf}",
    "{http://www.w3.org/1998/Math/MathML}",
)


@pytest.fixture(scope="module")
def book(chromium):
    assert (HTML / "index.html").exists(), "build the book first: make book"
    done = subprocess.run([sys.executable, ROOT / "book/tools/epub.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(ROOT / "dist/latent-space.epub") as archive:
        assert archive.testzip() is None
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type, first.extra) == ("mimetype", zipfile.ZIP_STORED, b"")
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def opf(book):
    assert book["mimetype"] == b"application/epub+zip"
    container = ElementTree.fromstring(book["META-INF/container.xml"])
    (root,) = [node.attrib["full-path"] for node in container.iter() if node.tag.endswith("rootfile")]
    return ElementTree.fromstring(book[root])


@pytest.fixture(scope="module")
def pages(book):
    """The pages of the book by their topic, as trees: so each is XML."""
    return {Path(name).stem: ElementTree.fromstring(data) for name, data in book.items() if name.endswith(".xhtml")}


def squeezed(text):
    return re.sub(r"[\W_]", "", text)


def written(tree):
    """The words of a page, without its code and formulas."""
    skipped = {XHTML + "pre", XHTML + "code", MATH + "math"}

    def walk(node):
        if node.tag not in skipped:
            yield node.text or ""
            for child in node:
                yield from walk(child)
                yield child.tail or ""

    return "".join(walk(tree.find(f"{XHTML}body")))


def test_every_file_is_listed_and_every_page_comes_in_its_order(book, opf):
    items = {item.attrib["id"]: item.attrib for item in opf.iter(f"{OPF}item")}
    listed = sorted(f"book/{item['href']}" for item in items.values())
    assert listed == sorted(
        name for name in book if name not in ("mimetype", "META-INF/container.xml", "book/package.opf")
    )
    read = [items[ref.attrib["idref"]]["href"] for ref in opf.iter(f"{OPF}itemref")]
    assert read == ["nav.xhtml", *(f"{posixpath.basename(name)}.xhtml" for name in names_of_pages())]
    assert [item["href"] for item in items.values() if item.get("properties") == "nav"] == ["nav.xhtml"]
    for item in items.values():
        assert ("mathml" in item.get("properties", "")) == (b"<math" in book[f"book/{item['href']}"]), item


def test_nothing_needs_a_script_or_another_host(book, pages):
    for name, tree in pages.items():
        for node in tree.iter():
            tag = node.tag.rpartition("}")[2]
            assert tag not in ("script", "iframe", "object", "embed", "form", "input", "button", "video", "audio"), name
            assert not [a for a in node.attrib if a.startswith("on") or a in ("srcset", "poster", "style")], (
                name,
                node.attrib,
            )
            if "src" in node.attrib or tag == "link":
                address = node.attrib.get("src") or node.attrib["href"]
                assert f"book/{address}" in book, f"{name} shows {address}"
    assert b"url(" not in book["book/style.css"] and b"@import" not in book["book/style.css"]


def test_links_lead_to_places_in_the_book_or_into_the_web(pages):
    marks = {name: {node.attrib["id"] for node in tree.iter() if "id" in node.attrib} for name, tree in pages.items()}
    inside = 0
    for name, tree in pages.items():
        ids = [node.attrib["id"] for node in tree.iter() if "id" in node.attrib]
        assert len(ids) == len(set(ids)), name
        assert not list(tree.iterfind(f".//{XHTML}dt//{XHTML}dl")), name
        for link in tree.iter(f"{XHTML}a"):
            address, mark = urldefrag(link.attrib.get("href", ""))
            if not address.startswith(("https://", "http://", "mailto:")):
                inside += 1
                topic = address.removesuffix(".xhtml") or name
                assert topic in pages and (not mark or mark in marks[topic]), f"{name} leads to {link.attrib['href']}"
    assert inside > 300


def led(body, pictures=None):
    """A page of the book, "book/a", whose links and pictures were led; "book/b" has one mark, "here"."""
    article = epub.first(epub.parse(f"<article>{body}</article>"), "article")
    epub.leads_within(article, "book/a", {"book/a": {"top"}, "book/b": {"here"}}, {} if pictures is None else pictures)
    return article.decode_contents()


def test_links_and_pictures_are_led_into_the_book_and_what_leads_nowhere_is_refused():
    assert led('<a href="b.html#here">b</a>') == '<a href="b.xhtml#here">b</a>'
    assert led('<a href="b.html">b</a><a href="#top">a</a>') == '<a href="b.xhtml">b</a><a href="#top">a</a>'
    kept = '<a id="top">a</a><a href="https://example.org/#x">x</a>'
    assert led(kept) == kept and led('<a href="../genindex.html">x</a>') == "x"
    with pytest.raises(ValueError, match=r"b\.html#gone, which has no such mark"):
        led('<a href="b.html#gone">b</a>')
    pictures = {}
    led('<img src="one/a.png"/><img src="one/a.png"/>', pictures)
    assert list(pictures) == ["images/a.png"]
    with pytest.raises(ValueError, match="rename one of them"):
        led('<img src="two/a.png"/>', pictures)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_a_chapter_is_all_there_and_open(pages, path):
    tree, cells = pages[path.stem], nbformat.read(path, as_version=4).cells
    text, markdown = written(tree), [cell for cell in cells if cell.cell_type == "markdown"]
    titles = [squeezed("".join(h.itertext())) for level in "123" for h in tree.iter(f"{XHTML}h{level}")]
    source = re.sub(r"(?s)```.*?```", "", "\n".join(cell.source for cell in markdown))
    for heading in re.findall(r"(?m)^#{1,3} ([^$\n]+)$", source):
        assert squeezed(re.sub(r"\]\(.*?\)", "", heading)) in titles, heading
    for cell in markdown:
        for question in cell.metadata.get("predict", []):
            if not re.search(r"[$`*\\_\[]", question.get("shown", "")):
                assert squeezed(question.get("shown", "")) in squeezed("".join(tree.itertext()))
    code = [cell for cell in cells if cell.cell_type == "code" and "remove-cell" not in cell.metadata.get("tags", [])]
    everything = squeezed("".join(tree.itertext()))
    assert all(squeezed(cell.source) in everything for cell in code), "folded code is open"
    assert not list(tree.iter(f"{XHTML}details"))
    answers = re.findall(r"<summary>Answer</summary>\n\n(\w+ \w+)", cells[-1].source)
    assert answers and all(answer in text for answer in answers)
    figures = sum(str(o.get("data", {}).get("text/html")).count("<img") for c in cells for o in c.get("outputs", []))
    pictures = list(tree.iter(f"{XHTML}img"))
    assert len(pictures) == figures and all(len(picture.attrib["alt"]) >= 10 for picture in pictures)
    assert "JavaScript" not in text


def test_formulas_are_mathml_and_none_is_left_as_tex(pages):
    formulas = [math for tree in pages.values() for math in tree.iter(f"{MATH}math")]
    asked = sum(
        len(re.findall(r'class="(?:[\w -]* )?math ', p.read_text("utf-8"))) for p in (HTML / "book").glob("*.html")
    )
    assert len(formulas) >= asked > 800
    for math in formulas:
        assert not [node for node in math.iter() if node.tag == f"{MATH}merror"], math.attrib["alttext"]
        assert "".join(math.itertext()).strip() and "\\" not in "".join(math.itertext()), math.attrib["alttext"]
    for name, tree in pages.items():
        left = re.search(r"\\[(\[a-z]|\$\$|\$[^$\n]+\$", written(tree))
        assert left is None, f"{name}: {left}"
