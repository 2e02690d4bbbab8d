"""The house rules that a machine can check."""

import ast
import re
import subprocess
import tomllib
from itertools import chain
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = sorted((ROOT / "vaecourse").rglob("*.py"))
CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))

# Arrows point down only: a room may import from its own floor and from those below it.
FLOORS = {
    **dict.fromkeys(
        ["strokes", "turntable", "vae", "views", "claims", "downloads", "imageset", "curves", "interpolation"], 0
    ),
    **{"classifier": 0, "formats": 0, "distributed": 0, "scorecard": 1, "seeds": 2},
    **dict.fromkeys(
        ["datasets", "training", "view_training", "checkpoints", "evidence", "plane", "sampling", "modes", "inputs"], 1
    ),
    **dict.fromkeys(
        ["measures", "protocol", "plots", "preflight", "view_recipes", "recipes", "twin", "turning", "explorer"], 2
    ),
}


def floor_of(room):
    """The floor of a room; each chapter's exercises have a room of their own, on the top floor."""
    return 2 if re.fullmatch(r"chapter_\d\d|asking|linear|exercises", room) else FLOORS[room]


def pyproject():
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def requirements():
    """Everything that pyproject.toml asks for, extras included."""
    project = pyproject()["project"]
    return [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]


def own_imports(path):
    """The rooms of ours that a module imports."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield from [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            assert not any(n.split(".")[0] in ("vaecourse", "book") for n in names), f"{path}: import relatively"


@pytest.mark.parametrize("path", LIBRARY, ids=lambda p: p.name)
def test_imports_point_down_and_files_fit_an_evening(path):
    assert len(path.read_text("utf-8").splitlines()) <= 260
    if path.stem in ("__init__", "__main__"):
        return
    floor = floor_of(path.stem)
    for name in own_imports(path):
        if name != "__version__":
            assert floor_of(name) <= floor, f"{path.stem} must not import {name}, which stands above it"
    assert "__all__" in path.read_text("utf-8"), "say what is public"


def test_the_library_has_no_circle():
    arrows = {p.stem: {n for n in own_imports(p) if n in FLOORS} for p in LIBRARY if p.stem in FLOORS}
    while arrows:
        free = [name for name, needs in arrows.items() if not needs & arrows.keys()]
        assert free, f"these import each other: {sorted(arrows)}"
        for name in free:
            del arrows[name]


def test_environment_and_pyproject_ask_for_the_same():
    project = pyproject()["project"]
    wanted = {*requirements(), "-e ."}
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    given = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert set(given) == wanted
    assert f"python{project['requires-python']}" in environment["dependencies"]


def test_only_jupyter_book_has_an_upper_bound():
    everything = requirements()
    assert [e for e in everything if "<" in e or "==" in e] == ["jupyter-book>=1.0.4,<2"]
    names = {re.split(r"[<>=]", e)[0] for e in everything}
    assert {"torch", "jupyter-book", "ipywidgets", "matplotlib", "numpy", "scipy", "nbval"} <= names


def test_constraints_pin_every_package_exactly():
    lines = [n for n in (ROOT / "constraints.txt").read_text().splitlines() if n and not n.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[^=\s]+", line) for line in lines)
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    assert {re.split(r"[<>=]", e)[0] for e in requirements()} <= pinned


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_chapters_are_whole(path):
    """Outputs stored and in order, no widget state, no error, no cell longer than a screen, alt text on every image."""
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    assert "widgets" not in book.metadata
    code = [c for c in book.cells if c.cell_type == "code"]
    assert [c.execution_count for c in code] == list(range(1, len(code) + 1)), "run it from top to bottom: make execute"
    assert sum(bool(c.outputs) for c in code) >= len(code) / 3
    for cell in code:
        assert len(cell.source.splitlines()) <= 40, f"does not fit on a screen: {cell.source[:60]}"
        for output in cell.outputs:
            assert output.output_type != "error"
            text = "".join(output.get("data", {}).get("text/html", ""))
            for image in re.findall(r"<img[^>]*>", text):
                assert re.search(r'alt="[^"]{10,}"', image), "a figure without alt text"
            assert "image/png" not in output.get("data", {}), "show figures with plots.show, which asks for alt text"
    words = "\n".join(c.source for c in book.cells if c.cell_type == "markdown")
    assert words.count("<details>") == words.count("</details>") >= 3, "three exercises at least, with solutions"
    assert "**Predict" in words, "ask before you show"
    assert "```{" not in words and ":::" not in words, "plain Markdown only: Colab renders no directives"


def test_no_path_of_a_machine_and_no_registry_in_any_file():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    path = re.compile(r"(?<![\w.])/(home|root|Users|work)/\w|/tmp/\w+")
    host = re.compile("|".join(["pythonhosted" + r"\.org", "pypi" + r"\.org", "registry" + r"\.npmjs"]))
    for name in listed:
        if "vendor/" in name or not (ROOT / name).exists():
            continue
        try:
            text = (ROOT / name).read_text("utf-8")
        except UnicodeDecodeError:
            continue
        for pattern in (path, host):
            found = pattern.search(text)
            assert not found or name == "tests/test_house.py", f"{name}: {found.group(0)}"


def test_no_pickle_is_loaded():
    for path in [*LIBRARY, *(ROOT / "book" / "tools").glob("*.py")]:
        text = path.read_text("utf-8")
        assert not re.search(
            r"pickle|torch\.load\(|allow_pickle|joblib", text.replace("never a pickle", "").replace("A pickle runs", "")
        ), path.name
