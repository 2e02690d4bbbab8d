"""make epub: the whole book as one EPUB, for an e-reader or a phone, made of the built pages.

python book/tools/epub.py        writes dist/latent-space.epub from _build/html

Nothing in it needs a script or another host. Formulas are MathML, which MathJax makes of the pages' TeX. What lives in
a page is the picture that stands in its place without scripts, and what a page asks, folds and shuts is open. The
standard is EPUB 3.3, https://www.w3.org/TR/epub-33.
"""

from __future__ import annotations

import html
import io
import posixpath
import re
import sys
import time
import zipfile
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit
from uuid import NAMESPACE_URL, uuid5

import yaml
from bound import HTML, ROOT, Section, contents, make
from bs4 import Tag
from playwright.sync_api import sync_playwright
from strict_pages import parse

from vaecourse import __version__

MATHJAX = HTML / "_static/vendor/mathjax/tex-chtml.js"
TO_MATHML = """async (formulas) => {
  await MathJax.startup.promise;
  return formulas.map(([tex, display]) => MathJax.tex2mml(tex, { display }));
}"""
# What only a page with scripts, or one that is a place in the web, has a use for.
USELESS = (
    "script, style, link, button, noscript, .headerlink, .report, book-question, book-answers, details.hide > summary"
)
NEEDS_SCRIPTS, INSTEAD = "; in a page of the book, turn JavaScript on.", ", or open the book's pages in a browser."
CSS = """body { line-height: 1.4; } img { max-width: 100%; height: auto; } h1, h2, h3, dt { text-align: left; }
pre { font-size: .75em; line-height: 1.3; white-space: pre-wrap; border-left: 3px solid #aaa; padding-left: .6em; }
.cell_output pre { border-left-style: dotted; }
table { border-collapse: collapse; font-size: .9em; } th, td { border: 1px solid #bbb; padding: .2em .5em; }
.fold { border-left: 3px double #aaa; padding-left: .6em; } .lx-still p { font-style: italic; }
[display="block"] { margin: .8em 0; max-width: 100%; overflow-x: auto; font-size: .9em; }
"""
PAGE = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en">
<head><title>{title}</title><link rel="stylesheet" href="style.css" type="text/css"/></head>
<body>
{body}
</body>
</html>
"""
CONTAINER = """<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".svg": "image/svg+xml", ".xhtml": "application/xhtml+xml"}
TYPES |= {".css": "text/css"}


def first(tag: Tag, selector: str) -> Tag:
    """The first part of a page that a CSS selector finds. Raises ValueError when there is none."""
    found = tag.select_one(selector)
    if found is None:
        raise ValueError(f"a page has no {selector}: has the theme changed?")
    return found


def words(tag: Tag) -> str:
    """The words of a heading, on one line."""
    return html.escape(" ".join(tag.get_text().split()))


def opened(article: Tag) -> None:
    """Shows all that a page folds or shuts, and pictures in place of what lives; leaves out what needs scripts."""
    for tag in article.select(USELESS):
        tag.decompose()
    for still in article.select(".lx-still > p"):
        still.string = still.get_text().replace(NEEDS_SCRIPTS, INSTEAD)
    for details in article.select("details"):
        if details.summary:  # not that of folded code, which is gone
            details.summary.name = "p"
            details["class"] = "fold"
        details.name = "div"
        del details["open"]
    for tag in article.find_all(re.compile("-")):
        tag.name = "div"
    for tag in article.select("dt dl, dt dd"):  # a signature on several lines, which is no list of definitions
        tag.name = "span"
    for span in article.select("pre span"):  # the colours of code
        span.unwrap()
    for tag in article.find_all(True):
        tag.attrs = {name: value for name, value in tag.attrs.items() if not re.match("data-|aria-|on|role$", name)}


def formulas(articles: list[Tag], browser: str) -> None:
    """Puts MathML in place of all formulas."""
    tags = [tag for article in articles for tag in article.select(".math")]
    found = [re.fullmatch(r"\s*\\([(\[])(.*)\\[)\]]\s*", tag.get_text(), re.DOTALL) for tag in tags]
    given = [(match[2], match[1] == "[") for match in found if match]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page()
        page.add_script_tag(content="window.MathJax = { startup: { typeset: false } }")
        page.add_script_tag(path=MATHJAX)
        made = page.evaluate(TO_MATHML, given)
        chromium.close()
    for tag, (tex, _), mathml in zip(tags, given, made, strict=True):
        math = first(parse(re.sub(r' (data-[\w-]+|class)="[^"]*"', "", mathml)), "math")
        math["alttext"] = " ".join(tex.split())
        tag.replace_with(math)


def leads_within(article: Tag, name: str, marks: dict[str, set[str]], pictures: dict[str, Path]) -> None:
    """Points links to pages of the book or to the web, and pictures to files of the book; notes which files.

    Raises:
        ValueError: For two pictures of one file name, and a mark that its page does not have.
    """
    folder = posixpath.dirname(name)
    for image in article.select("img[src]"):
        file = HTML / posixpath.normpath(posixpath.join(folder, unquote(str(image["src"]))))
        image["src"] = shown = f"images/{file.name}"
        if pictures.setdefault(shown, file) != file:
            raise ValueError(f"{name} shows {file}, but {shown} in the book is {pictures[shown]}: rename one of them.")
        image.attrs.setdefault("alt", "")
    for link in article.select("a[href]"):
        address, mark = urldefrag(str(link["href"]))
        page = posixpath.normpath(posixpath.join(folder, address)).removesuffix(".html") if address else name
        if urlsplit(address).scheme in ("http", "https", "mailto"):
            continue
        if page not in marks:  # what the site has beside the book: an index, a file to load down
            link.unwrap()
        elif not mark:
            link["href"] = place(page)
        elif mark in marks[page]:
            link["href"] = f"{place(page) if address else ''}#{mark}"
        else:
            raise ValueError(f"{name} leads to {link['href']}, which has no such mark.")


def place(name: str) -> str:
    """The file of a page within the EPUB."""
    return f"{posixpath.basename(name)}.xhtml"


def navigation(parts: list[Section], articles: dict[str, Tag]) -> str:
    """The table of contents: captions, pages, and the sections of each."""

    def entry(name: str) -> str:
        article = articles[name]
        sections = [(words(first(part, "h2")), part["id"]) for part in article.select("section:has(> h2)")]
        inner = "".join(f'<li><a href="{place(name)}#{mark}">{title}</a></li>' for title, mark in sections)
        inner = f"<ol>{inner}</ol>" if inner else ""
        return f'<li><a href="{place(name)}">{words(first(article, "h1"))}</a>{inner}</li>'

    lists = []
    for part in parts:
        entries = "".join(map(entry, part.names))
        lists.append(
            f"<li><span>{html.escape(part.caption)}</span><ol>{entries}</ol></li>" if part.caption else entries
        )
    body = f'<nav epub:type="toc" id="toc"><h1>Contents</h1><ol>{"".join(lists)}</ol></nav>'
    return PAGE.format(title="Contents", body=body)


def package(files: dict[str, bytes], order: list[str]) -> str:
    """The list of all files, the order of reading, and what the book is."""
    settings = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    day = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime((HTML / "index.html").stat().st_mtime))
    items = []
    for number, (path, data) in enumerate(files.items()):
        has = {"nav": path == "nav.xhtml", "mathml": path.endswith(".xhtml") and b"<math" in data}
        properties = " ".join(name for name, there in has.items() if there)
        properties = f' properties="{properties}"' if properties else ""
        items.append(f'<item id="f{number}" href="{path}" media-type="{TYPES[Path(path).suffix]}"{properties}/>')
    numbers = {path: number for number, path in enumerate(files)}
    spine = "".join(f'<itemref idref="f{numbers[path]}"/>' for path in order)
    features = ("alternativeText", "MathML", "structuralNavigation", "tableOfContents")
    about = "".join(f'<meta property="schema:accessibilityFeature">{feature}</meta>' for feature in features)
    about += "".join(f'<meta property="schema:accessMode">{mode}</meta>' for mode in ("textual", "visual"))
    about += '<meta property="schema:accessModeSufficient">textual</meta>'
    about += '<meta property="schema:accessibilityHazard">none</meta>'
    return f"""<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:{uuid5(NAMESPACE_URL, settings["title"] + __version__)}</dc:identifier>
<dc:title>{html.escape(settings["title"])}</dc:title><dc:language>en</dc:language>
<dc:creator>{html.escape(settings["author"])}</dc:creator><dc:rights>CC BY 4.0; code: MIT</dc:rights>
<meta property="dcterms:modified">{day}</meta>{about}
</metadata>
<manifest>{"".join(items)}</manifest>
<spine>{spine}</spine>
</package>
"""


def bind(browser: str) -> tuple[bytes, str]:
    """The whole EPUB, and of how many pages it is made."""
    parts = contents()
    names = [name for part in parts for name in part.names]
    articles = {name: first(parse((HTML / f"{name}.html").read_text("utf-8")), "article.bd-article") for name in names}
    for article in articles.values():
        opened(article)
    formulas(list(articles.values()), browser)
    marks = {name: {str(tag["id"]) for tag in article.select("[id]")} for name, article in articles.items()}
    pictures: dict[str, Path] = {}
    for name, article in articles.items():
        leads_within(article, name, marks, pictures)
    texts = {"nav.xhtml": navigation(parts, articles), "style.css": CSS}
    texts |= {
        place(name): PAGE.format(title=words(first(article, "h1")), body=article.decode_contents(formatter="minimal"))
        for name, article in articles.items()
    }
    files = {path: text.encode() for path, text in texts.items()}
    files |= {path: file.read_bytes() for path, file in pictures.items()}
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)  # first, and as it is
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("book/package.opf", package(files, ["nav.xhtml", *map(place, names)]))
        for path, data in files.items():
            archive.writestr(f"book/{path}", data)
    return whole.getvalue(), f"{len(names)} chapters and pages"


if __name__ == "__main__":
    sys.exit(make("epub", bind))
