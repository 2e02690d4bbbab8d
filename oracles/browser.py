"""Pages with explorers, and the browser that opens them: for tests that look, and benchmarks that measure."""

import contextlib
import functools
import http.server
import shutil
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "tools"))

from chromium import find_chromium  # noqa: E402, F401  (for those who open pages)
from explorer_pages import write_front_end  # noqa: E402

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Explorer</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<link rel="stylesheet" href="explorer/explorer.css"></head><body><main><h1>Explorer</h1>'
)
TAIL = '</main><script src="explorer/page.js"></script></body></html>'


def front_end(folder):
    """Puts what explorers load where the pages of a folder look for it, as building the book does."""
    write_front_end(folder / "explorer")
    for script in ("page.js", "cube.js", "own-path.js", "sound.js", "lab.js"):
        shutil.copy(ROOT / "book/static/explorer" / script, folder / "explorer")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Strict(Quiet):
    """Forbids whatever the site does not hold itself."""

    def end_headers(self):
        self.send_header("Content-Security-Policy", "default-src 'self'")
        super().end_headers()


@contextlib.contextmanager
def served(folder, handler=Quiet):
    """The address of a folder, served on this machine."""
    serve = functools.partial(handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def place(page, z1, z2, extent=4):
    """Where on the screen a code lies."""
    field = page.locator(".lx-field")
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    x = box["x"] + box["width"] * (z1 / extent + 1) / 2
    return x, box["y"] + box["height"] * (1 - z2 / extent) / 2
