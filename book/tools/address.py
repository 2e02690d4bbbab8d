"""make address URL=...: says where this copy of the course lives. A fork does this once.

python book/tools/address.py https://github.com/you/course    sets the address
python book/tools/address.py                                  writes again what follows from it

The one place that holds the address is `repository: url` in _config.yml. What follows from it is written here: the
address of the pages, the cell that fetches the package in Colab and Binder, the package's links and the citation.
Launch buttons, page titles and the sitemap follow when the book is built. The cell names the tag of this version, so
at the end it is said if the repository has none of that name: until then the cell fails.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import yaml
from number import ROOT, write

TAG = "fetch-the-package"  # marks the cell in every chapter
CELL = """\
# In Colab and Binder this fetches the course's package; where it is installed,
# nothing happens.
import importlib.util

if importlib.util.find_spec("vaecourse") is None:
    {how}"""
NOWHERE = """\
raise SystemExit(
        "This copy of the course has no address to fetch its "
        "package from. Clone it and run: make lab"
    )"""


def read(root: Path = ROOT) -> str:
    """The address of the repository, or the empty string when nobody has set one."""
    return (yaml.safe_load((root / "_config.yml").read_text("utf-8")).get("repository") or {}).get("url") or ""


def pages(url: str) -> str:
    """Where the pages of a repository at GitHub are published; the empty string for other hosts."""
    found = re.fullmatch(r"https://github\.com/([\w-]+)/([\w.-]+)", url)
    return f"https://{found[1].lower()}.github.io/{found[2]}/" if found else ""


def cell(url: str, version: str) -> str:
    """What the first cell of every chapter says: the package at the tag of this version, with nothing upgraded."""
    fetch = f'%pip install --quiet "vaecourse @ git+{url}@v{version}"'
    return CELL.format(how=fetch if url else NOWHERE)


def chapter(path: Path, url: str, version: str) -> str:
    """A chapter's text with its first code cell up to date."""
    notebook = nbformat.read(path, as_version=4)
    code = [c for c in notebook.cells if c.cell_type == "code"]
    if TAG not in code[0].metadata.get("tags", []):
        new = nbformat.v4.new_code_cell(id=f"{path.stem}-fetch", metadata={"tags": ["remove-cell", TAG]})
        notebook.cells.insert(notebook.cells.index(code[0]), new)
        code.insert(0, new)
    code[0].source = cell(url, version)
    return nbformat.writes(notebook) + "\n"


def released(root: Path = ROOT) -> str:
    """The version of the package."""
    return re.findall(r'__version__ = "(.*?)"', (root / "vaecourse/__init__.py").read_text("utf-8"))[0]


def tagged(url: str, tag: str) -> str:
    """A sentence: does the repository have the tag from which the package is fetched, and what to do if it has not."""
    command = ["git", "ls-remote", "--tags", url, f"refs/tags/{tag}"]
    quiet = os.environ | {"GIT_TERMINAL_PROMPT": "0"}  # where there is no such repository, git would ask for a password
    then = f"Make it of the commit that you publish: git tag {tag} && git push origin {tag}"
    needed = f"at which Colab and Binder fetch the package. {then}"
    try:
        asked = subprocess.run(command, env=quiet, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return f"{url} could not be asked whether it has the tag {tag}, {needed}"
    return f"{url} has the tag {tag}." if asked.stdout else f"{url} has no tag {tag}, {needed}"


def follow(root: Path = ROOT) -> dict[Path, str]:
    """All that follows from the address and the version: files, and what they should hold."""
    url, version = read(root), released(root)
    texts = {}
    path = root / "_config.yml"
    texts[path] = re.sub(r"(?m)^(  baseurl:).*$", rf'\1 "{pages(url)}"', path.read_text("utf-8"))
    path = root / "pyproject.toml"
    links = f'[project.urls]\nRepository = "{url}"\n\n' if url else ""
    text = re.sub(r"\[project\.urls\]\nRepository = .*\n\n", "", path.read_text("utf-8"))
    texts[path] = text.replace("[project.scripts]", f"{links}[project.scripts]")
    path = root / "CITATION.cff"
    text = re.sub(r"(?m)^repository-code: .*\n", "", path.read_text("utf-8"))
    text = re.sub(r"(?m)^version: .*$", f"version: {version}", text)
    texts[path] = text + (f"repository-code: {url}\n" if url else "")
    return texts | {path: chapter(path, url, version) for path in sorted((root / "book").glob("*.ipynb"))}


def main(arguments: list[str], root: Path = ROOT) -> int:
    path = root / "_config.yml"
    if arguments:
        url = arguments[0].removesuffix("/").removesuffix(".git")
        if not re.fullmatch(r"https://[\w.-]+(/[\w.-]+)+", url):
            print(f"{url!r} is no address of a repository. Try https://github.com/you/course.", file=sys.stderr)
            return 1
        write({path: re.sub(r"(?m)^(  url:).*$", rf'\1 "{url}"', path.read_text("utf-8"))}, root)
    write(follow(root), root)
    if url := read(root):
        print(tagged(url, f"v{released(root)}"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
