"""A Sphinx extension: sets the library's docstrings, which are plain text, as they were meant to be read.

The house's docstrings are written for whoever reads the code: names in a column with what they mean beside them,
formulas and examples indented, no markup but `backticks`. Here that becomes reStructuredText for sphinx.ext.autodoc:

    lines of two columns     a list of terms and what they mean
    other indented lines     kept as they stand
    all else                 prose, in which no character is taken for markup

The fields of a named tuple or a dataclass are listed with the comments beside them, where their shapes stand.
"""

from __future__ import annotations

import inspect
import re
from itertools import groupby
from textwrap import dedent, indent

ROW = re.compile(r"(\s*)(\S.{0,38}?) {2,}(\S.*)")  # a term, two spaces or more, and what it means
FIELD = re.compile(r" {4}(\w+): [^#]*  # (.*)")  # a field of a class with a comment


def prose(text: str) -> str:
    """Running text in which only `code` is marked up."""
    parts = re.split(r"`([^`]+)`", text)
    parts[::2] = [re.sub(r"([\\*|_`])", r"\\\1", part) for part in parts[::2]]
    parts[1::2] = [f"``{code}``" for code in parts[1::2]]
    return "".join(parts)


def paragraphs(lines: list[str]) -> list[list[str]]:
    """The blocks between blank lines; indented ones that follow each other are one."""
    result: list[list[str]] = []
    for blank, group in groupby(lines, key=lambda line: not line.strip()):
        if not blank:
            part = list(group)
            if result and all(line.startswith(" ") for line in (*result[-1], *part) if line):
                result[-1] += ["", *part]
            else:
                result.append(part)
    return result


def terms(lines: list[str]) -> list[tuple[str, str]] | None:
    """Terms and what they mean, if these lines are two columns; else None."""
    edge = len(lines[0]) - len(lines[0].lstrip())
    rows: list[tuple[str, str]] = []
    for line in lines:
        row = ROW.fullmatch(line)
        if row and len(row[1]) == edge:
            rows.append((row[2], row[3]))
        elif rows and line.startswith(" " * (edge + 1)):  # the meaning goes on
            rows[-1] = (rows[-1][0], f"{rows[-1][1]} {line.strip()}")
        else:
            return None
    return rows


def definition_list(rows: list[tuple[str, str]]) -> list[str]:
    return [line for term, meaning in rows for line in (f"``{term}``", f"    {prose(meaning)}", "")]


def markup(lines: list[str]) -> list[str]:
    """One paragraph of a docstring as reStructuredText."""
    if rows := terms(lines):
        return definition_list(rows)
    result = []
    for indented, group in groupby(lines, key=lambda line: line.startswith(" ") or not line):
        part = list(group)
        if not indented:
            result += [*prose("\n".join(part)).split("\n"), ""]
        elif rows := terms(part):
            result += definition_list(rows)
        else:
            result += ["::", "", *indent(dedent("\n".join(part)), "    ").split("\n"), ""]
    return result


def fields(thing: type) -> list[str]:
    """The fields of a class that have a comment beside them, as a list."""
    found = [FIELD.fullmatch(line) for line in inspect.getsource(thing).splitlines()]
    return definition_list([(field[1], field[2]) for field in found if field])


def set_docstring(app, what: str, name: str, thing, options, lines: list[str]) -> None:
    """Replaces the lines of a docstring, in place."""
    result = [line for paragraph in paragraphs(list(lines)) for line in markup(paragraph)]
    if what == "class" and (issubclass(thing, tuple) or hasattr(thing, "__dataclass_fields__")):
        result += fields(thing)
    lines[:] = result


def skip_aliases(app, what: str, name: str, thing, skip: bool, options) -> bool | None:
    """Leaves out what Python says of a named tuple's fields by itself: "Alias for field number 0"."""
    return True if type(thing).__name__ == "_tuplegetter" else None


def setup(app) -> dict[str, bool]:
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", set_docstring)
    app.connect("autodoc-skip-member", skip_aliases)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
