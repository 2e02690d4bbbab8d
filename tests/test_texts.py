"""The pages beside the chapters: the notation names what exists, the library is whole, chapters end in questions."""

import ast
import importlib
import importlib.util
import re
from pathlib import Path

import nbformat
import pytest
import torch
from sphinx.ext.napoleon import GoogleDocstring

from vaecourse import LatentExplorer, evidence, interpolation, load_pretrained
from vaecourse.interpolation import scoring as scorecard
from vaecourse.views import mover as views
from vaecourse.views import protocol

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
CHAPTERS = sorted(BOOK.glob("*.ipynb"))
COUNTED = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def tables(page):
    """The rows of all tables of a page, each a list of cells."""
    rows = [line for line in (BOOK / page).read_text("utf-8").splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


@pytest.fixture(scope="module")
def names():
    """What the page of the notation says its names stand for."""
    model = load_pretrained("strokes-2d")
    x = model.decode(torch.zeros(1, 2)).mean.detach()
    g = torch.Generator().manual_seed(0)
    two = torch.zeros(2), torch.ones(2)
    return {
        **vars(views),
        **{"model": model, "x": x, "images": x, "z": torch.zeros(1, 2), "codes": torch.zeros(1, 2), "k": 2, "g": g},
        **{"generator": g, "plane": LatentExplorer(load_pretrained("strokes-2d-page")), "a": two[0], "b": two[1]},
        **{"steps": 5, "f": lambda z: model.decode(z).mean, "t": 0.5, "torch": torch, "evidence": evidence},
        **{"estimate": evidence.quadrature(model, x), "interpolation": interpolation, "scorecard": scorecard},
        "protocol": protocol,
    }


def test_names_of_the_notation_exist(names):
    """Each name of the column "in code" is computed; a bare word must be a name in the library."""
    words = set()
    for path in (ROOT / "vaecourse").rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        words |= {n.id for n in nodes if isinstance(n, ast.Name)} | {n.arg for n in nodes if isinstance(n, ast.arg)}
    checked = 0
    for row in tables("notation.md"):
        for code in re.findall(r"`([^`]+)`", row[1]) if len(row) == 4 else []:
            checked += 1
            if code.isidentifier():
                assert code in words, code
            elif code == ".mean()":
                continue
            else:
                eval(code, dict(names))
    assert checked > 40


def test_a_symbol_is_named_once():
    rows = [row for row in tables("notation.md") if len(row) == 4 and "$" in row[0]]
    symbols = [row[0] for row in rows]
    twice = {s for s in symbols if symbols.count(s) > 1}
    assert not twice


def test_all_that_is_public_stands_on_the_page_of_the_library():
    text = (BOOK / "api.md").read_text("utf-8")
    on_page = set(re.findall(r"auto\w+:: ([\w.]+)", text))
    listed = {name.removeprefix("vaecourse.").split(".")[0] for name in on_page}
    ground = {"images", "files", "memory", "names"}  # what wings stand on
    shell = {"__main__", "commands"}
    for path in sorted((ROOT / "vaecourse").iterdir()):
        if path.suffix == ".py" or (path / "__init__.py").exists():
            assert path.stem in listed | ground | shell | {"__init__"}, f"book/api.md lacks vaecourse.{path.stem}"
    for name in re.findall(r"automodule:: ([\w.]+)", text):
        importlib.import_module(name)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_a_chapter_ends_with_five_questions(path):
    last = nbformat.read(path, as_version=4).cells[-1]
    assert last.source.startswith("## Five questions to recall")
    assert re.findall(r"(?m)^\*\*(\d)\.\*\*", last.source) == list("12345")
    folded = re.findall(r"<details>\n<summary>Answer</summary>\n\n(.+?)\n</details>", last.source, re.DOTALL)
    assert len(folded) == 5 and all(20 < len(answer) < 400 for answer in folded)


DOCSTRING = """First line of `code`, with x_i* and P(x|z) and d_.

    z ~ P(z) = N(0, I)

    x | z

On it goes.

Args:
    one_thing: what one means, with *all shapes,
        on two lines
    two: what `two` means

Raises:
    ValueError: If P(x|z) is none.

Example:
    In prose, x|z:

    >>> x_ = [
    ...     "*"]

    That was it*.
"""

SET = r"""First line of ``code``, with x_i\* and P(x\|z) and d\_.

::

    z ~ P(z) = N(0, I)

    x | z

On it goes.

:param one_thing: what one means, with \*all shapes,
                  on two lines
:param two: what ``two`` means

:raises ValueError: If P(x\|z) is none.

.. rubric:: Example

In prose, x\|z:

>>> x_ = [
...     "*"]

That was it\*.
"""


def test_a_docstring_is_set_as_it_was_meant():
    spec = importlib.util.spec_from_file_location("api_pages", BOOK / "tools" / "api_pages.py")
    api_pages = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(api_pages)
    lines = DOCSTRING.split("\n")
    api_pages.set_docstring(None, "function", "f", None, None, lines)
    assert str(GoogleDocstring(lines)) == SET
    lines = ["An estimate."]
    api_pages.set_docstring(None, "class", "Estimate", evidence.Estimate, None, lines)
    assert "``log_p_x``" in lines and "(N," in "".join(lines), "the fields of a tuple with the comments beside them"


def test_the_first_page_tells_the_verdicts_as_they_came_out():
    """What the chapter on uses printed as wins, level or loses, row for row."""
    cells = nbformat.read(BOOK / "what-it-is-good-for.ipynb", as_version=4).cells
    printed = "".join(o.get("text", "") for c in cells if c.cell_type == "code" for o in c.outputs)
    came_out = re.findall(r"(?m)^ +ahead by .*: (wins|level|loses)$", printed)
    page = (BOOK / "index.md").read_text("utf-8")
    told = [row[2] for row in tables("index.md") if len(row) == 3 and row[2] in {"wins", "level", "loses"}]
    assert len(told) == 18 and told == came_out
    counts = re.search(r"eighteen tasks.*It wins (\w+), loses (\w+),\s+and is level in (\w+)", page, re.DOTALL)
    assert [counts[n] for n in (1, 2, 3)] == [COUNTED[told.count(verdict)] for verdict in ("wins", "loses", "level")]


def test_every_source_is_cited_and_every_mention_of_one_is_a_link():
    known = set(re.findall(r"^@\w+\{(\w+),", (BOOK / "references.bib").read_text("utf-8"), re.MULTILINE))
    texts = {path.stem: path.read_text("utf-8") for path in BOOK.glob("*.md")}
    for path in CHAPTERS:
        cells = nbformat.read(path, as_version=4).cells
        texts[path.stem] = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    cited = {key for text in texts.values() for key in re.findall(r"references\.md#(\w+)", text)}
    assert cited == known
    for name, text in texts.items():
        plain = re.sub(r"\[[^\]]*\]\([^)]*\)", "", text)
        # "Neal (2001)", "Laine's, 2018", "Dai and Wipf 2019", "Ho et al., 2020"
        unlinked = re.findall(r"(?:et al\.|and others|\b[A-Z][a-z][\w’'-]*),? \(?(?:19|20)\d\d(?!\d)", plain)
        assert not unlinked, f"{name}: link {unlinked}"
