"""make classroom-zip: the course with its data, for a room where people run the notebooks without a network.

python book/tools/classroom_zip.py        writes dist/classroom.zip

It holds what the repository holds (notebooks, library, trained models; files that are new and not ignored, too) and the
data that this machine has. The packages are not in it: run `make book` on each machine while it still has a network.
Afterwards, in the room:

    VAECOURSE_DATA=data make lab
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from site_zip import pack

from vaecourse.data import cache_folder, resolve

ROOT = Path(__file__).resolve().parents[2]


def data_files() -> dict[str, Path]:
    """The files of the real data on this machine, by their place below VAECOURSE_DATA; fetched first if they can be."""
    folders = {"mnist": "mnist/*.gz", "coil-20": "coil-20/*.zip"}
    places = [p for p in (os.environ.get("VAECOURSE_DATA"), cache_folder()) if p]
    found: dict[str, Path] = {}
    for name, pattern in folders.items():
        if resolve(name) == name:
            for place in map(Path, reversed(places)):  # the reader's own folder comes last, and so it wins
                found |= {p.relative_to(place).as_posix(): p for p in place.glob(pattern)}
    return found


def course_files(root: Path) -> dict[str, Path]:
    """The files of the course by their place below `root`, as they stand there, whether git knows them yet or not.

    Raises SystemExit where git does not know the course.
    """
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = os.fsdecode(subprocess.run(command, cwd=root, capture_output=True, check=True).stdout)
        found = {name: root / name for name in listed.split("\0") if (root / name).is_file()}  # some are removed by now
        why = "" if "Makefile" in found else f"the repository around {root} is another's"
    except OSError as error:
        why = str(error)
    except subprocess.CalledProcessError as error:
        why = os.fsdecode(error.stderr).strip()
    if why:
        raise SystemExit(f"git lists what the archive holds, and cannot here: {why}. Use a clone of the course.")
    return found


def main() -> int:
    course = course_files(ROOT)
    data = data_files()
    file = pack(course | {f"data/{name}": path for name, path in data.items()}, ROOT / "dist" / "classroom.zip")
    has = "with " + ", ".join(sorted({n.split("/")[0] for n in data})) if data else "without MNIST and COIL-20"
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1e6:.0f} MB, {has}.")
    print("Mind the terms: MNIST is CC BY-SA 3.0, COIL-20 is offered for research use.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
