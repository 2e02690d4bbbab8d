"""make execute: runs chapters in place, so that the outputs in the repository are fresh and light.

python book/tools/execute.py                        all chapters
python book/tools/execute.py training objects       those whose names begin so

Ends with 1 when a chapter took longer than its first lines promise.
"""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient
from number import chapters as all_chapters

from vaecourse.course import speed
from vaecourse.data import resolve


def is_progress(output: dict) -> bool:
    """Whether an output is a tqdm bar, which in a notebook is a widget whose plain text begins with its percentage."""
    return re.match(r"\s*\d+%\|", output.get("data", {}).get("text/plain", "")) is not None


def promised(path: Path) -> float:
    """The seconds that a chapter says it takes on this machine (see `vaecourse.preflight`)."""
    minutes = re.findall(r"cpu_minutes=([\d.]+)", path.read_text("utf-8"))[0]
    return 60 * float(minutes) / speed()


def execute(path: Path) -> None:
    """Runs one chapter in an empty folder and writes it back, whole or not at all."""
    notebook = nbformat.read(path, as_version=4)
    with TemporaryDirectory() as folder:
        NotebookClient(notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook.cells):
        cell.id = f"{path.stem}-{number:03d}"  # a cell that did not change must not differ
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            # Progress bars are for the one who waits; widget views are made anew by whoever opens the chapter.
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr" and not is_progress(o)]
            for output in cell.outputs:
                output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    temporary = path.with_suffix(".tmp")
    nbformat.write(notebook, temporary)
    os.replace(temporary, path)


def main(prefixes: list[str]) -> int:
    if folder := os.environ.get("VAECOURSE_DATA"):  # each chapter runs in another folder, where a relative one is not
        os.environ["VAECOURSE_DATA"] = os.path.abspath(os.path.expanduser(folder))
    if resolve("mnist") != "mnist" or resolve("coil-20") != "coil-20":
        print("The outputs in the repository come from the real data. Set VAECOURSE_DATA first.", file=sys.stderr)
        return 1
    chapters = [p for p in all_chapters() if p.name.startswith(tuple(prefixes) or "")]
    late = []
    for number, path in enumerate(chapters, start=1):
        allowed, start = promised(path), time.monotonic()
        print(f"[{number}/{len(chapters)}] {path.name} ...", end=" ", flush=True)
        execute(path)
        took = time.monotonic() - start
        print(f"{took:.0f} s; it promises {allowed:.0f} s")
        if took > allowed:
            late.append(path.name)
    if late:
        print(f"Over their minutes: {', '.join(late)}. On a quiet machine make them faster, or promise more.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
