"""The rule for printed numbers (book/conftest.py), and what `make portable` says of a number that breaks it."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import nbformat
import portable
import pytest

ROOT = Path(__file__).resolve().parents[1]
spec = importlib.util.spec_from_file_location("comparison", ROOT / "book/conftest.py")
comparison = importlib.util.module_from_spec(spec)
spec.loader.exec_module(comparison)


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        ("off by 12.338 nats", "off by 12.339 nats"),
        ("-0.03 [-0.04, -0.03]", "-0.03 [-0.03, -0.03]"),
        ("−719 nats", "−718 nats"),
        ("30% of them", "31% of them"),
        ("30 % of them", "29 % of them"),
        ("2.71e+03 (   1)", "2.72e+03 (   1)"),
        ("1,999 draws", "2,000 draws"),
        ("9.99 and", "10.00 and"),
        ("a  b", "a b"),  # columns move when a number gets a digit more
    ],
)
def test_a_last_digit_may_differ(stored, fresh):
    assert comparison.Printed(stored) == comparison.Printed(fresh)
    assert (comparison.Printed(stored) != comparison.Printed(fresh)) is False


@pytest.mark.parametrize(
    ("stored", "fresh", "says"),
    [
        ("off by 12.338 nats", "off by 12.340 nats", ["12.338 -> 12.340"]),
        ("annealed 387", "annealed 738", ["387 -> 738"]),
        ("30% of them", "38% of them", ["30 -> 38"]),
        ("3 of 4", "2 of 4", ["3 -> 2"]),  # small counts must agree
        ("median 2)", "median 1)", ["2 -> 1"]),
        ("0.5 and -0.5", "0.5 and 0.5", ["-0.5 -> 0.5"]),
        ("1e-5", "1e-4", ["1e-5 -> 1e-4"]),
        ("one", "two", None),
        ("1 2", "1", None),
        ("mnist-2d", "mnist-3d", None),
    ],
)
def test_anything_else_may_not(stored, fresh, says):
    assert comparison.moved(stored, fresh) == says
    assert comparison.Printed(stored) != comparison.Printed(fresh)


def chapter(path, printed):
    """A notebook of one cell, whose stored output is `printed`."""
    cell = nbformat.v4.new_code_cell("print(f'{2 / 3:.3f} nats, {7} of 9')", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=printed)]
    book = nbformat.v4.new_notebook(cells=[cell])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("printed", "named"),
    [("0.666 nats, 7 of 9\n", None), ("0.661 nats, 7 of 9\n", "0.661 -> 0.667"), ("0.667 nats, 6 of 9\n", "6 -> 7")],
)
def test_a_chapter_whose_number_moved_is_named_with_the_number(tmp_path, printed, named):
    (tmp_path / "conftest.py").write_text((ROOT / "book/conftest.py").read_text("utf-8"), "utf-8")
    chapter(tmp_path / "one.ipynb", printed)
    command = [Path(sys.executable).with_name("pytest"), "-q", "-p", "no:cacheprovider", "--nbval", "one.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode == 0) == (named is None)
    found = portable.failures(done.stdout)
    assert found == ([] if named is None else ["one.ipynb::Cell 0", f"more digits than agree: {named}"])
