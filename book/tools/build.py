"""make book: executes the chapters, builds the HTML, and says which file to open.

    python book/tools/build.py --stored     builds the pages from the outputs that stand in the repository: half a
                                            minute, for tests that have just seen every chapter run to these outputs

jupyter-cache remembers what each chapter printed, but knows nothing of the library or the data under it. So the cache
carries a key made of both, and is emptied when the key changes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml

from vaecourse.data import resolve

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "_build"


def key(datasets: list[str]) -> str:
    """A digest of all that a chapter's output hangs on, the chapter itself aside."""
    digest = hashlib.sha256(" ".join([sys.version, *datasets]).encode())
    library = [p for p in (ROOT / "vaecourse").rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    for path in sorted([*library, ROOT / "book/claims.toml", ROOT / "constraints.txt"]):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def unexecuted() -> Path:
    """A copy of the book's configuration that executes only chapters with plain widgets, whose state nobody stores."""
    settings = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    chapters = (ROOT / "book").glob("*.ipynb")
    settings["execute"]["exclude_patterns"] = [p.name for p in chapters if "ipywidgets" not in p.read_text("utf-8")]
    # Paths to extensions are read from where the configuration stands.
    extensions = settings["sphinx"]["local_extensions"]
    settings["sphinx"]["local_extensions"] = {name: str(ROOT / path) for name, path in extensions.items()}
    BUILD.mkdir(exist_ok=True)
    path = BUILD / "stored.yml"
    path.write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
    return path


def main(stored: bool = False) -> int:
    start = time.monotonic()
    datasets = [resolve("mnist"), resolve("coil-20")]
    if "strokes" in datasets:  # said once here, and on each page by the chapter's own first cell
        os.environ["VAECOURSE_OFFLINE"] = "1"  # the chapters need not wait for the network again
    stamp, current = BUILD / "key", key(datasets)
    if not stamp.exists() or stamp.read_text() != current:
        shutil.rmtree(BUILD, ignore_errors=True)
        BUILD.mkdir()
        stamp.write_text(current)
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", "-W", "--keep-going", str(ROOT)]
    command += ["--all", "--config", str(unexecuted())] if stored else []
    os.environ.setdefault("PYTHONWARNINGS", "ignore:::debugpy")
    failed = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}).returncode
    page = BUILD / "html" / "index.html"
    if failed or not page.exists():
        print("\nThe book was not built; what went wrong stands above.", file=sys.stderr)
        return 1
    print(f"\nBuilt in {time.monotonic() - start:.0f} s. Open {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main("--stored" in sys.argv[1:]))
