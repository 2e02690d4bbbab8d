"""A Sphinx extension: pages that work under a Content-Security-Policy which names only the site itself.

Such a policy lets through neither scripts, handlers and styles that stand in the page, nor pictures in data addresses.
The theme, MyST-NB and the chapters write all four. Here they become files beside the pages, each named by its content,
in the order in which they stood; a picture that several pages show is stored, and fetched, once.
"""

from __future__ import annotations

import html
import re
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

SCRIPT = re.compile(r"<script(?![^>]*\b(?:src|type)=)[^>]*>(.*?)</script>", re.DOTALL)
HANDLER = re.compile(r'(<[a-z][^>]*?)\son([a-z]+)="([^"]*)"')
STYLE = re.compile(r'(<[a-z][^>]*?)\sstyle="([^"]*)"([^>]*>)')
PICTURE = re.compile(r'src="data:image/(png|svg\+xml);base64,([^"]*)"')
VERBATIM = re.compile(r"(<script[^>]*\btype=[^>]*>.*?</script>)", re.DOTALL)  # state, to be left alone


class Files:
    """Files that a page refers to, named by their content."""

    def __init__(self, folder: Path, prefix: str):
        self.folder, self.prefix = folder, prefix
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, content: bytes, suffix: str) -> str:
        """Writes a file unless it is there already; returns its address, seen from the page."""
        name = f"{sha256(content).hexdigest()[:16]}.{suffix}"
        path = self.folder / name
        if not path.exists():
            path.write_bytes(content)
        return f"{self.prefix}{self.folder.name}/{name}"


def strict(page: str, files: Files) -> str:
    """A page's text with nothing left in it that a strict policy would stop."""
    parts = VERBATIM.split(page)
    handlers: dict[str, str] = {}
    styles: dict[str, str] = {}

    def script(found: re.Match) -> str:
        return f'<script src="{files.add(found[1].encode(), "js")}"></script>'

    def handler(found: re.Match) -> str:
        key = f"{found[2]}-{sha256(found[3].encode()).hexdigest()[:8]}"
        on = f'for (const node of document.querySelectorAll("[data-{key}]")) node.on{found[2]}'
        handlers[key] = f"{on} = () => {{ {html.unescape(found[3])} }};"
        return f'{found[1]} data-{key}=""'

    def style(found: re.Match) -> str:
        key = f"s{sha256(found[2].encode()).hexdigest()[:8]}"
        styles[key] = f"[data-{key}] {{ {html.unescape(found[2])} }}"
        return f'{found[1]} data-{key}=""{found[3]}'

    def picture(found: re.Match) -> str:
        return f'src="{files.add(b64decode(found[2]), found[1].removesuffix("+xml"))}"'

    for i in range(0, len(parts), 2):
        for pattern, change in ((SCRIPT, script), (HANDLER, handler), (STYLE, style), (PICTURE, picture)):
            parts[i] = pattern.sub(change, parts[i])
    page = "".join(parts)
    if styles:
        link = files.add("\n".join(styles.values()).encode(), "css")
        page = page.replace("</head>", f'<link rel="stylesheet" href="{link}">\n</head>', 1)
    if handlers:
        source = files.add("\n".join(handlers.values()).encode(), "js")
        page = page.replace("</body>", f'<script src="{source}"></script>\n</body>', 1)
    return page


def rewrite(app, error: Exception | None) -> None:
    """Rewrites every page that was built."""
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for path in out.rglob("*.html"):
        text = path.read_text("utf-8")
        up = "../" * (len(path.relative_to(out).parts) - 1)
        new = strict(text, Files(out / "_inline", up))
        if new != text:
            path.write_text(new, "utf-8")


def setup(app) -> dict[str, bool]:
    app.connect("build-finished", rewrite)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
