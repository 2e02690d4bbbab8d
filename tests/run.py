"""make test: runs every test and says at the end what passed, and what took long.

1. style, types and imports: ruff on the library, the tests and the notebooks; mypy; import-linter;
2. the library, and the examples in its docstrings;
3. the notebooks, executed and compared with their stored outputs, where the real data are;
4. the book: from those outputs, or, without the real data, by executing the chapters, whose own asserts must hold;
   then opened in a real browser;
5. the front end in web/, where there is npm: types, style, tests, and whether what is built from it is fresh.

    python tests/run.py --check     the first two only, without the tests marked slow: make check
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from vaecourse.data import resolve

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
# What they need.
_BROWSER = (
    "site",
    "strict_pages",
    "slides",
    "pdf",
    "epub",
    "explorer_page",
    "own_page",
    "own_path",
    "sound",
    "turning",
    "hosts",
)
PAGES = [ROOT / f"tests/test_{name}.py" for name in _BROWSER]
WORKERS = min(os.cpu_count() or 1, 4)  # more would need more memory than a laptop has

Command = list[str | Path]


def pytest(*arguments: str | Path) -> Command:
    """A run of pytest on all cores: a file stays with one worker, since its tests share what is dear to make."""
    return [BIN / "pytest", "-q", "-n", str(WORKERS), "--dist", "loadfile", "--durations=5", *arguments]


def quick(check: bool = False) -> dict[str, Command]:
    library = pytest(
        ROOT / "tests",
        ROOT / "benchmarks",
        *(f"--ignore={page}" for page in PAGES),
        *(["-m", "not slow"] if check else []),
    )
    return {
        "style": [BIN / "ruff", "check", ROOT],
        "format": [BIN / "ruff", "format", "--check", ROOT],
        "types": [BIN / "mypy"],
        "imports": [BIN / "lint-imports"],
        "library": library,
        "examples": pytest("--doctest-modules", ROOT / "vaecourse"),
    }


def thorough() -> dict[str, Command]:
    stages: dict[str, Command] = {}
    if npm := shutil.which("npm"):  # only who changes the front end needs it, and CI
        web = [npm, "--prefix", ROOT / "web"]
        wanted, there = ROOT / "web/package-lock.json", ROOT / "web/node_modules/.package-lock.json"
        if not there.exists() or there.stat().st_mtime < wanted.stat().st_mtime:
            stages["web"] = [*web, "ci"]
        stages |= {f"web {script}": [*web, "run", script] for script in ("check", "lint", "test", "fresh")}
    elif os.environ.get("CI"):
        stages["web"] = [sys.executable, "-c", "raise SystemExit('npm is missing, and CI must not skip its tests')"]
    build: Command = [sys.executable, ROOT / "book/tools/build.py"]
    if resolve("mnist") == "mnist" and resolve("coil-20") == "coil-20":
        sanitize = f"--nbval-sanitize-with={ROOT / 'tests/nbval.cfg'}"
        chapters = sorted((ROOT / "book").glob("*.ipynb"), key=lambda path: -path.stat().st_size)  # long ones first
        stages["notebooks"] = pytest("--nbval", "--nbval-cell-timeout=1800", sanitize, *chapters)
        build.append("--stored")  # the stage before has executed every chapter, and seen that the outputs hold
    return stages | {"book": build, "site": pytest(*PAGES)}


def main(arguments: list[str]) -> int:
    stages = quick(check=True) if "--check" in arguments else quick() | thorough()
    # Several workers with several threads each would only wait for one another.
    environment = os.environ | {"PYTHONUTF8": "1", "OMP_NUM_THREADS": "1"}
    results = {}
    for name, command in stages.items():
        print(f"\n=== {name}", flush=True)
        start = time.monotonic()
        code = subprocess.run([str(c) for c in command], cwd=ROOT, env=environment).returncode
        results[name] = (code, time.monotonic() - start)
    print()
    for name, (code, seconds) in results.items():
        print(f"{name:10s} {'failed' if code else 'passed':7s} {seconds:5.0f} s")
    failed = sum(code != 0 for code, _ in results.values())
    print(f"stages: {len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
