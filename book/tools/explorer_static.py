"""Builds the explorer's front end from its small modules, for its hosts.

    python book/tools/explorer_static.py

vaecourse/explorer/explorer.js      one ES module, for notebooks (anywidget takes one file and no imports) and for
                                    pages of the reader's own (LatentExplorer.save_page)
vaecourse/explorer/turning.js       the same for the turning object
book/static/explorer/page.js        a classic script, for the book's pages: a page opened from disk may load no module
book/static/explorer/explorer.css   the same style sheet as in notebooks
book/static/explorer/NAME.js        the weights of NAME, wrapped as a script for the same reason

Readers and builders use the files that stand in the repository; a test says when they are stale.
"""

from __future__ import annotations

import os
import re
import sys
from base64 import b64encode
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXPLORER, STATIC = ROOT / "vaecourse/explorer", ROOT / "book/static/explorer"
MODELS = ("mnist-2d-page", "strokes-2d-page")
DEFAULT = re.compile(r"^export default .*\n", re.MULTILINE)  # what a notebook's host asks for
IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
BANNER = "// Built by book/tools/explorer_static.py from vaecourse/explorer/src. Edit those files.\n\n"


def bundle(entry: str) -> str:
    """The module `entry` with all that it imports, each once and after what it needs, in one scope."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name not in order:
            for needed in IMPORT.findall((EXPLORER / "src" / name).read_text("utf-8")):
                visit(needed)
            order.append(name)

    visit(entry)
    parts = []
    for name in order:
        text = IMPORT.sub("", (EXPLORER / "src" / name).read_text("utf-8"))
        text = DEFAULT.sub("", text)
        text = re.sub(r"^export (?=(async )?(function|class|const) )", "", text, flags=re.MULTILINE)
        if "\nexport " in text or "\nimport " in text:
            raise ValueError(f"{name} imports or exports in a way that this small bundler does not know.")
        parts.append(text.strip())
    return "\n\n".join(parts)


def built() -> dict[Path, str]:
    """The text of every file that is built."""
    files = {
        EXPLORER / "explorer.js": f"{BANNER}{bundle('own.js')}\n\nexport default {{ render }};\n",
        EXPLORER / "turning.js": f"{BANNER}{bundle('turning.js')}\n\nexport default {{ render: renderTurning }};\n",
        STATIC / "page.js": f'{BANNER}(() => {{\n"use strict";\n\n{bundle("page.js")}\n}})();\n',
        STATIC / "explorer.css": (EXPLORER / "explorer.css").read_text("utf-8"),
    }
    for name in MODELS:
        weights = b64encode((ROOT / f"vaecourse/weights/{name}.safetensors").read_bytes()).decode()
        files[STATIC / f"{name}.js"] = f'latentExplorerWeights["{name}"]("{weights}");\n'
    return files


def main() -> int:
    for path, text in built().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.tmp")
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
        print(f"{path.relative_to(ROOT)}: {len(text) / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
