"""A Sphinx extension: pages that work under a Content-Security-Policy which names only the site itself.

Such a policy lets through neither scripts, handlers and styles that stand in the page, nor pictures in data addresses.
The theme, MyST-NB and the chapters write all four. Here they become files beside the pages, each named by its content,
in the order in which they stood; a picture that several pages show is stored, and fetched, once.

Two things differ. A handler is attached when the page has been read: what befell its element before goes unheard. And a
style that stood in a tag is not undone by a script that empties the tag's style.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from bs4 import BeautifulSoup, Tag
from bs4.formatter import EntitySubstitution, HTMLFormatter

# Python's own parser rather than lxml or html5lib: no further package, and it takes a page as it stands instead of
# mending it (no element is added or moved), so that what is not rewritten here is written back as it came.
PARSER: dict[str, Any] = {
    "features": "html.parser",
    "on_duplicate_attribute": "ignore",  # a browser, too, takes the first of two
    "multi_valued_attributes": None,  # the spaces in a class stay
    "preserve_whitespace_tags": {"html", "pre", "textarea"},  # and so do those between tags, anywhere in a page
}

SCRIPT_TYPE = re.compile(r"(module|(text|application)/(x-)?(java|ecma|j|live)script[\d.]*)?")  # others hold data
ADDRESSES = ("src", "href", "xlink:href", "poster")
URL = re.compile(r"""\burl\(\s*(["']?)(.*?)\1\s*\)""")  # in a style sheet

# `this`, `event` and the names in reach are those of a handler in the page; so is what `return false` does.
HANDLER = """\
for (const node of document.querySelectorAll('[data-{name}="{key}"]')) node.{name} = function (event) {{
  with (document) with (this.form ?? {{}}) with (this) {{
{code}
  }}
}};
"""
# A style in the page outranks the rules of style sheets: two ids that nobody bears give it that rank here, too.
STYLE = '[data-style="{key}"]:not(#_#_) {{ {code} }}'


class AsWritten(HTMLFormatter):
    """Writes attributes in the order in which they came, not in that of the alphabet."""

    def attributes(self, tag: Tag) -> Iterable[tuple[str, Any]]:
        return tag.attrs.items()


AS_WRITTEN = AsWritten(entity_substitution=EntitySubstitution.substitute_xml)


class Files:
    """The files that a page refers to, in `out`/_inline, named by their content."""

    def __init__(self, out: Path, page: str):
        self.folder, self.page = out / "_inline", page
        self.folder.mkdir(parents=True, exist_ok=True)

    def add(self, content: bytes, suffix: str) -> str:
        """Writes a file unless it is there already; returns its address, seen from the page."""
        path = self.folder / f"{digest(content)}.{suffix}"
        if not path.exists():
            path.write_bytes(content)
        return f"{'../' * self.page.count('/')}_inline/{path.name}"

    def add_data(self, address: str) -> str:
        """The same for what stands in a data address."""
        with urlopen(address) as data:  # asks nobody: urllib reads the address itself
            return self.add(data.read(), data.headers.get_content_subtype().split("+")[0])

    def add_css(self, css: str) -> str:
        """The same for rules that stood in the page, with the addresses in them seen from where they stand now."""
        here = posixpath.dirname(self.page)

        def moved(found: re.Match) -> str:
            address = found[2]
            if address.startswith("data:"):
                address = posixpath.basename(self.add_data(address))
            elif not address.startswith(("/", "#")) and ":" not in address:
                address = posixpath.normpath(posixpath.join("..", here, address))
            return f'url("{address}")'

        return self.add(URL.sub(moved, css).encode(), "css")


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()[:16]


def parse(page: str) -> BeautifulSoup:
    return BeautifulSoup(page, **PARSER)


def move_script(tag: Tag, files: Files) -> None:
    """Makes a script in the page one that is loaded at the same place."""
    code = "".join(map(str, tag.contents))
    kind = str(tag.get("type", "")).strip().lower()
    inside_svg = tag.find_parent("svg") is not None
    if {"src", "href"} & tag.attrs.keys() or not SCRIPT_TYPE.fullmatch(kind):
        return
    tag.attrs.pop("async", None)  # in the page they meant nothing; with an address they would change the order
    tag.attrs.pop("defer", None)
    tag.clear()
    tag["href" if inside_svg else "src"] = files.add(code.encode(), "js")


def move_style(tag: Tag, files: Files, soup: BeautifulSoup) -> None:
    """Makes a style element a link at the same place; one in a drawing, where links mean nothing, stands before it."""
    if tag.get("type", "text/css") != "text/css":
        return
    kept = {name: str(value) for name, value in tag.attrs.items() if name != "type"}
    address = files.add_css("".join(map(str, tag.contents)))
    link = soup.new_tag("link", attrs=kept | {"rel": "stylesheet", "href": address})
    drawings = tag.find_parents("svg")
    (drawings[-1] if drawings else tag).insert_before(link)
    tag.extract()


def strict(page: str, files: Files) -> str:
    """A page's text with nothing left in it that a strict policy would stop."""
    soup = parse(page)
    styles: dict[str, str] = {}
    handlers: dict[str, None] = {}
    for tag in soup.find_all(True):
        for name, value in [(name, str(value)) for name, value in tag.attrs.items()]:
            key = digest(value.encode())
            if name == "style":
                styles[key] = STYLE.format(key=key, code=value)
            elif re.fullmatch("on[a-z]+", name) and value.strip():
                handlers[HANDLER.format(name=name, key=key, code=value)] = None
            elif name in ADDRESSES and value.startswith("data:"):
                tag[name] = files.add_data(value)
                continue
            else:
                continue
            del tag[name]
            tag[f"data-{name}"] = key
        if tag.name == "script":
            move_script(tag, files)
        elif tag.name == "style":
            move_style(tag, files, soup)
    if styles:
        link = soup.new_tag("link", rel="stylesheet", href=files.add_css("\n".join(styles.values())))
        (soup.head or soup).append(link)
    for code in handlers:  # each in its file, so that a mistake in one stops no other
        (soup.body or soup).append(soup.new_tag("script", src=files.add(code.encode(), "js")))
    return soup.decode(formatter=AS_WRITTEN)


def rewrite(app, error: Exception | None) -> None:
    """Rewrites every page that was built."""
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for path in out.rglob("*.html"):
        place = path.relative_to(out).as_posix()
        if not place.startswith("_"):  # _static and the like are no pages
            path.write_text(strict(path.read_text("utf-8"), Files(out, place)), "utf-8")


def setup(app) -> dict[str, bool]:
    app.connect("build-finished", rewrite, priority=900)  # after whoever writes pages then, as slides.py does
    return {"parallel_read_safe": True, "parallel_write_safe": True}
