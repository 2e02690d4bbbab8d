"""make test: runs every test and says at the end what passed.

1. ruff on the library, the tests and the notebooks, and mypy on the library and the tools;
2. the library, and the examples in its docstrings;
3. the book: built as `make book` does, then opened in a real browser;
4. the notebooks, compared with their stored outputs where the real data are (without them, building the book has
   executed them, and their own asserts have held).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from vaecourse.datasets import resolve

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent


def stages() -> dict[str, list[str | Path]]:
    pytest = [BIN / "pytest", "-q"]
    browser = ("site", "strict_pages", "slides", "explorer_page", "own_page", "turning", "hosts")  # they need one
    pages = [ROOT / f"tests/test_{name}.py" for name in browser]
    chapters = sorted((ROOT / "book").glob("*.ipynb"))
    checks = {
        "style": [BIN / "ruff", "check", ROOT],
        "format": [BIN / "ruff", "format", "--check", ROOT],
        "types": [BIN / "mypy"],
        "library": [*pytest, ROOT / "tests", *(f"--ignore={page}" for page in pages)],
        "examples": [*pytest, "--doctest-modules", ROOT / "vaecourse"],
        "book": [sys.executable, ROOT / "book/tools/build.py"],
        "site": [*pytest, *pages],
    }
    if node := shutil.which("node"):  # only who changes the front end needs it, and CI
        checks["front end"] = [node, "--test", "tests/js/"]
    elif os.environ.get("CI"):
        checks["front end"] = ["node", "--test"]  # fails, as it must
    if resolve("mnist") == "mnist" and resolve("coil-20") == "coil-20":
        sanitize = f"--nbval-sanitize-with={ROOT / 'tests/nbval.cfg'}"
        checks["notebooks"] = [*pytest, "--nbval", "--nbval-cell-timeout=900", sanitize, *chapters]
    return checks


def main() -> int:
    results = {}
    for name, command in stages().items():
        print(f"\n=== {name}", flush=True)
        start = time.monotonic()
        code = subprocess.run([str(c) for c in command], cwd=ROOT, env=os.environ | {"PYTHONUTF8": "1"}).returncode
        results[name] = (code, time.monotonic() - start)
    print()
    for name, (code, seconds) in results.items():
        print(f"{name:10s} {'failed' if code else 'passed':7s} {seconds:5.0f} s")
    failed = sum(code != 0 for code, _ in results.values())
    print(f"stages: {len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
