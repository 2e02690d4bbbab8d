"""make book: builds the HTML, executes the chapters, and says which file to open.

    python book/tools/build.py --stored     builds the pages from the outputs that stand in the repository: half a
                                            minute, for tests that have just seen every chapter run to these outputs

Where there is no book yet, the pages are built from the stored outputs first: there is something to read within two
minutes, while the chapters run, and whatever cuts that short leaves a whole book behind.

jupyter-cache remembers what each chapter printed, but knows nothing of the library or the data under it. So what was
built carries keys. When the key of the library, the data and the packages changes, all of it goes; when only that of
the checks of one chapter's exercises does, that chapter is executed again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml
from jupyter_cache import get_cache
from number import chapters

from vaecourse.data import resolve
from vaecourse.files import write_whole

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "_build"
ALL = "all chapters"


def keys(datasets: list[str], root: Path = ROOT) -> dict[str, str]:
    """Digests of all that a chapter's output hangs on, itself aside: by topic of its own checks, and of the rest."""
    checks = root / "vaecourse/course/exercises"
    owner = {checks / f"{path.stem.replace('-', '_')}.py": path.stem for path in chapters(root)}
    digests = {ALL: hashlib.sha256(" ".join([sys.version, *datasets]).encode())}
    library = [p for p in (root / "vaecourse").rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    for path in sorted([*library, root / "book/claims.toml", root / "constraints.txt"]):
        digest = digests.setdefault(owner.get(path, ALL), hashlib.sha256())
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return {name: digest.hexdigest() for name, digest in digests.items()}


def forget_what_is_stale(current: dict[str, str], build: Path) -> None:
    """Removes from what was built that which other keys than the current ones were given. Raises OSError."""
    build.mkdir(exist_ok=True)
    stamp = build / "keys.json"
    known = json.loads(stamp.read_text("utf-8")) if stamp.exists() else {}
    if known.get(ALL) != current[ALL]:
        for path in build.iterdir():  # the folder itself stays, for it may be a link to a larger disk
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    else:
        cache = get_cache(build / ".jupyter_cache")
        for topic in {topic for topic in current if known.get(topic) != current[topic]}:
            (build / f".doctrees/book/{topic}.doctree").unlink(missing_ok=True)  # or Sphinx would not look at it again
            for record in cache.list_cache_records():
                if Path(record.uri).stem == topic:
                    cache.remove_cache(record.pk)
    write_whole(stamp, json.dumps(current).encode())


def unexecuted() -> Path:
    """A copy of the book's configuration that executes only chapters with plain widgets, whose state nobody stores."""
    settings = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    plain = [p.name for p in chapters() if "ipywidgets" not in p.read_text("utf-8")]
    settings["execute"]["exclude_patterns"] = plain
    # Paths to extensions are read from where the configuration stands.
    extensions = settings["sphinx"]["local_extensions"]
    settings["sphinx"]["local_extensions"] = {name: str(ROOT / path) for name, path in extensions.items()}
    path = BUILD / "stored.yml"
    path.write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
    return path


def jupyter_book(stored: bool, anew: bool) -> list[str]:
    """The command that builds the pages: from stored outputs, or by executing what the cache does not know; all of
    them anew, or those that changed.
    """
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", "-W", "--keep-going", str(ROOT)]
    if stored:
        command += ["--config", str(unexecuted())]
    return [*command, "--all"] if stored or anew else command


def run(command: list[str]) -> int | None:
    """Its return code; None where somebody has pressed Ctrl-C, of which the command itself need not hear."""
    env = os.environ | {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    with subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True) as started:
        try:
            return started.wait()
        except KeyboardInterrupt:
            started.terminate()  # its kernels end when they miss it
            return None


def main(stored: bool = False) -> int:
    start = time.monotonic()
    datasets = [resolve("mnist"), resolve("coil-20")]
    if "strokes" in datasets:  # said once here, and on each page by the chapter's own first cell
        os.environ["VAECOURSE_OFFLINE"] = "1"  # the chapters need not wait for the network again
    try:
        forget_what_is_stale(keys(datasets), BUILD)
    except OSError as error:
        print(
            f"cannot write into {BUILD}, where the book is built: {error.strerror}. Make it a folder that you may "
            "write to, or copy the course to where you may.",
            file=sys.stderr,
        )
        return 1
    os.environ.setdefault("PYTHONWARNINGS", "ignore:::debugpy")
    page = BUILD / "html" / "index.html"
    from_nothing = not stored and not page.exists()
    for from_store in [True, False] if from_nothing else [stored]:
        failed = run(jupyter_book(from_store, anew=from_nothing))
        if failed is None:
            print("\nStopped. The same command goes on: a chapter that has run need not run again.", file=sys.stderr)
            return 130
        if failed or not page.exists():
            print("\nThe book was not built; what went wrong stands above.", file=sys.stderr)
            return 1
        if from_store and not stored:
            print(
                f"\nThere is a book to read after {time.monotonic() - start:.0f} s. Open {page}\nIt shows the outputs "
                "that are stored with the chapters. Now the chapters run here, and then their pages are replaced.\n",
                flush=True,
            )
    print(f"\nBuilt in {time.monotonic() - start:.0f} s. Open {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main("--stored" in sys.argv[1:]))
