"""make faults: provokes every fault that the tests know, and prints what the user saw and what was lost.

The rows come from the tests themselves, as each provoked its fault just now: those that call
record_property("fault", (fault, what the user sees, what is lost)).
"""

import sys
import textwrap
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

HERE = Path(__file__).parent
WIDTHS = {"fault": 34, "what the user sees": 84, "what is lost": 26}


class Table:
    """A plugin of pytest's that keeps the tests with rows, and their rows."""

    def __init__(self):
        self.rows = []

    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if "record_property" in item.fixturenames]

    def pytest_runtest_logreport(self, report):
        if report.when == "call":
            self.rows += [value for key, value in report.user_properties if key == "fault"]
        if not report.passed:
            self.rows.append((report.nodeid, f"THE TEST {report.outcome.upper()}: see above", "not known"))


def lines(cells):
    """The lines of one row, its cells wrapped."""
    wrapped = [textwrap.wrap(cell, width) for cell, width in zip(cells, WIDTHS.values(), strict=True)]
    for line in zip_longest(*wrapped, fillvalue=""):
        yield " | ".join(f"{part:{width}}" for part, width in zip(line, WIDTHS.values(), strict=True)).rstrip()


def main():
    table = Table()
    files = [file for file in sorted(HERE.glob("test_*.py")) if "record_property" in file.read_text("utf-8")]
    with TemporaryDirectory() as scratch:
        code = pytest.main(["-q", "-W", "ignore", f"--basetemp={scratch}/t", *map(str, files)], plugins=[table])
    rule = "-+-".join("-" * width for width in WIDTHS.values())
    print(f"\n{rule}")
    for row in [tuple(WIDTHS), *table.rows]:
        print("\n".join(lines([cell.replace(f"{scratch}/t", "…") for cell in row])), rule, sep="\n")
    print(f"{len(table.rows)} faults")
    return code


if __name__ == "__main__":
    sys.exit(main())
