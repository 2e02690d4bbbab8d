"""The house rules that a machine can check."""

import ast
import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import nbformat
import pytest
import yaml

import vaecourse

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
LIBRARY = sorted((ROOT / "vaecourse").rglob("*.py"))
CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))


def pyproject():
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def requirements():
    """Everything that pyproject.toml asks for, extras included."""
    project = pyproject()["project"]
    return [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]


def floors():
    """{wing: its floor}, from the top down, as import-linter is told."""
    contracts = pyproject()["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return {wing.strip(): floor for floor, layer in enumerate(layers) for wing in layer.split("|")}


def test_arrows_point_down_and_wings_are_entered_by_their_doors():
    done = subprocess.run([BIN / "lint-imports"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", LIBRARY, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_examples_use_what_stands_below_them_and_say_what_is_public(path):
    """What import-linter does not see: imports in docstrings. An example may use its own floor, and doors."""
    text = path.read_text("utf-8")
    wing = path.relative_to(ROOT / "vaecourse").with_suffix("").parts[0]
    for line in re.findall(r">>> (?:from|import) vaecourse(?:\.(\w+))?", text):
        if line and wing in floors():
            assert floors()[line] >= floors()[wing], f"an example in {wing} uses {line}, which stands above it"
    if path.stem not in ("__init__", "__main__"):
        assert "__all__" in text, "say what is public"
    elif path.stem == "__init__" and path.parent.name != "vaecourse":
        assert len(ast.get_docstring(ast.parse(text)).splitlines()[0]) > 40, "a door says what its wing is about"


def test_no_module_stands_beside_a_function_of_its_name():
    for path in LIBRARY:
        defined = {node.name for node in ast.parse(path.read_text("utf-8")).body if hasattr(node, "name")}
        beside = {p.stem for p in path.parent.glob("*.py")} | {p.name for p in path.parent.iterdir() if p.is_dir()}
        assert not defined & beside, f"{path.name}: {defined & beside}"


def test_importing_the_course_loads_nothing_that_is_not_used():
    """`import vaecourse` costs nothing beside `import torch`: its wings load when they are first asked for."""
    code = "import sys, vaecourse; print(sorted(m for m in sys.modules if m.startswith(('torch', 'vaecourse.'))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_the_top_promises_is_there():
    for name in vaecourse.__all__:
        assert getattr(vaecourse, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        vaecourse.nonsense  # noqa: B018


def test_benchmarks_and_tests_know_nothing_of_each_other():
    names = {folder: {p.stem for p in (ROOT / folder).glob("*.py")} for folder in ("tests", "benchmarks")}
    for folder, other in (("tests", "benchmarks"), ("benchmarks", "tests")):
        for path in (ROOT / folder).glob("*.py"):
            nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
            imported = {n.module or "" for n in nodes if isinstance(n, ast.ImportFrom)}
            imported |= {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
            assert not imported & (names[other] - names[folder]), path.name


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


TEMPLATE = ROOT / "book/tools/template.ipynb"


def shown_code(path):
    """The lines of code that a page shows: of cells, of solutions, and of the library where a chapter lists it."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and "remove-cell" not in cell.metadata.get("tags", []):
            yield from cell.source.splitlines()
        listed = [output.get("data", {}).get("text/markdown", "") for output in cell.get("outputs", [])]
        for text in [cell.source, *listed]:
            for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
                yield from block.splitlines()


@pytest.mark.parametrize("path", [*CHAPTERS, TEMPLATE], ids=lambda p: p.stem)
def test_no_line_of_code_is_cut_on_the_page(path):
    lines = list(shown_code(path))
    assert lines and not [line for line in lines if len(line) > 80]


def test_the_template_is_formatted_as_chapters_are():
    done = subprocess.run([BIN / "ruff", "format", "--check", "--config", ROOT / "book/ruff.toml", TEMPLATE])
    assert done.returncode == 0


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


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github").rglob("*.yml")), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_what_runs_elsewhere_runs_known_code_with_few_rights_and_comes_to_an_end(path):
    text = path.read_text("utf-8")
    for used in re.findall(r"(?m)uses: (.*)$", text):
        assert re.fullmatch(r"\./\.github/.*|[\w/-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", used), (
            f"{used}: a tag can be moved"
        )
    workflow = yaml.safe_load(text)
    if "jobs" in workflow:
        assert workflow["permissions"] == {"contents": "read"}, "let the job that needs more ask for it"
        assert all("timeout-minutes" in job for job in workflow["jobs"].values() if "steps" in job)


def test_no_pickle_is_loaded():
    for path in [*LIBRARY, *(ROOT / "book" / "tools").glob("*.py")]:
        text = path.read_text("utf-8")
        assert not re.search(
            r"pickle|torch\.load\(|allow_pickle|joblib|broadcast_object|all_gather_object|marshal",
            text.replace("never a pickle", "").replace("A pickle runs", "").replace("would load pickles", ""),
        ), path.name
