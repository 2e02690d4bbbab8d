"""A chapter's number stands in one place, _toc.yml; titles and links follow it, and files are named by the topic."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / "book" / "tools"
sys.path.insert(0, str(TOOLS))

import new_chapter  # noqa: E402
import number  # noqa: E402

TOPICS = {path.stem: n for n, path in enumerate(number.chapters(), start=1)}


@pytest.fixture
def copy(tmp_path):
    """A copy of all that a new chapter touches."""
    for name in ("book", "vaecourse/course/exercises"):
        skip = shutil.ignore_patterns("static", "__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=skip)
    for path in (ROOT / "_toc.yml", ROOT / "README.md"):
        shutil.copy(path, tmp_path)
    return tmp_path


def title(path):
    return nbformat.read(path, as_version=4).cells[0].source.splitlines()[0]


def prose(path):
    """What a reader sees of a page or a chapter, code included."""
    if path.suffix == ".md":
        return path.read_text("utf-8")
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)


def test_every_chapter_stands_in_the_table_of_contents():
    assert {path.stem for path in (ROOT / "book").glob("*.ipynb")} == TOPICS.keys()


def test_all_numbers_agree_with_the_table_of_contents():
    for path, text in number.follow().items():
        assert path.read_text("utf-8") == text, f"{path.name} has other numbers than _toc.yml. Run: make number"


@pytest.mark.parametrize("topic", TOPICS)
def test_a_title_bears_the_number_and_cells_the_topic(topic):
    path = ROOT / f"book/{topic}.ipynb"
    assert title(path).startswith(f"# {TOPICS[topic]} · ")
    cells = nbformat.read(path, as_version=4).cells
    assert [cell.id for cell in cells] == [f"{topic}-{n:03d}" for n in range(len(cells))]


def test_no_number_of_a_chapter_stands_outside_a_link():
    pages = [*number.chapters(), *(ROOT / "book").glob("*.md"), *ROOT.glob("*.md"), TOOLS / "template.ipynb"]
    for path in pages:
        plain = re.sub(r"\[[^\]]*\]\([^)]*\)", "", prose(path))
        found = re.search(r"(?i)\bchapters?\s+\d.*", plain)
        assert not found, f"{path.name}: make a link of {found[0]!r}, [chapter 8](interpolating-digits.ipynb)"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("In [chapter 7](b.ipynb) and [Chapter 7](a.ipynb).", "In [chapter 2](b.ipynb) and [Chapter 1](a.ipynb)."),
        ("chapters [9](a.ipynb) to [9](b.ipynb)", "chapters [1](a.ipynb) to [2](b.ipynb)"),
        (
            "| [9 · Bees](b.ipynb) | [Chapter\n9 · Ants](a.ipynb)",
            "| [2 · Bees](b.ipynb) | [Chapter\n1 · Ants](a.ipynb)",
        ),
        ("[chapter 3](../book/b.ipynb#hives)", "[chapter 2](../book/b.ipynb#hives)"),
        ("chapter 3, [bees](b.ipynb), [3](c.md), 3", "chapter 3, [bees](b.ipynb), [3](c.md), 3"),
    ],
)
def test_what_carries_a_number(text, wanted):
    assert number.renumbered(text, {"a": 1, "b": 2}) == wanted


def test_a_link_to_no_chapter_is_told():
    with pytest.raises(ValueError, match=r"\[chapter 3\]\(c\.ipynb\) leads to no chapter"):
        number.renumbered("[chapter 3](c.ipynb)", {"a": 1})


def test_a_new_chapter_takes_its_place_and_the_others_move(copy):
    chapter = new_chapter.begin("how-much-ink", "two-numbers", copy)
    assert chapter == copy / "book/how-much-ink.ipynb"
    assert (copy / "vaecourse/course/exercises/how_much_ink.py").exists()
    assert [path.stem for path in number.chapters(copy)][:3] == ["two-numbers", "how-much-ink", "three-pixels"]
    assert title(chapter) == "# 2 · A question in a few words"
    assert title(copy / "book/three-pixels.ipynb").startswith("# 3 · ")
    assert "[chapter 5](why-a-gaussian.ipynb)" in prose(chapter), "the template's own links are numbered, too"
    assert "course/exercises/how_much_ink.py" in prose(chapter) and "TOPIC" not in prose(chapter)
    assert all(path.read_text("utf-8") == text for path, text in number.follow(copy).items())
    before, after = ((root / "_toc.yml").read_text("utf-8").splitlines() for root in (ROOT, copy))
    assert [line for line in after if line not in before] == ["      - file: book/how-much-ink"]


@pytest.mark.slow
def test_the_template_runs_and_its_checks_pass_its_solutions(copy):
    """As a chapter that was begun from it: every cell, then every solution."""
    new_chapter.begin("how-much-ink", root=copy)
    assert number.chapters(copy)[-1].stem == "how-much-ink"
    notebook = nbformat.read(copy / "book/how-much-ink.ipynb", as_version=4)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    solutions = re.findall(r"```python\n(.*?)```", prose(copy / "book/how-much-ink.ipynb"), re.DOTALL)
    asks = "import sys; sys.path.insert(0, '.'); import how_much_ink; from vaecourse.course import exercises\n"
    asks += "exercises.all_checks().update(how_much_ink.CHECKS)\n"
    source = (copy / "vaecourse/course/exercises/how_much_ink.py").read_text("utf-8")
    (copy / "how_much_ink.py").write_text(source.replace("from .asking", "from vaecourse.course.exercises.asking"))
    told = [re.sub(r"(?m)^(check\(.*\))$", r"print(\1)", part) for part in (*code, *solutions)]
    run = subprocess.run([sys.executable, "-c", asks + "\n".join(told)], cwd=copy, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("Nothing here yet: ") == 2 and run.stdout.count("Right. ") == 2


@pytest.mark.parametrize(
    ("topic", "after", "says"),
    [
        ("How much ink", None, "wanted a topic such as"),
        ("12-ink", None, "wanted a topic such as"),
        ("training", None, "is a chapter training already"),
        ("asking", None, "is a chapter asking already"),
        ("ink", "bees", "no chapter 'bees' to follow"),
    ],
)
def test_what_is_no_topic_is_refused_and_nothing_is_written(copy, topic, after, says):
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match=says):
        new_chapter.begin(topic, after, copy)
    assert before == {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
