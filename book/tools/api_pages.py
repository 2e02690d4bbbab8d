"""A Sphinx extension: the page of the library, from docstrings in Google style (sphinx.ext.autodoc and napoleon).

What those two do not do is done here. Docstrings are written for whoever reads the code, so nothing in them is markup
but `backticks`, and an indented block (a formula, some code) stands as it was typed. The fields of a named tuple or a
dataclass are listed with the comments beside them, where their shapes stand.
"""

from __future__ import annotations

import inspect
import re

SECTION = re.compile(r"(Args|Returns|Yields|Raises|Examples?):")
FIELD = re.compile(r" {4}(\w+): [^#]*  # (.*)")  # a field of a class with a comment


def prose(text: str) -> str:
    """Running text in which only `code` is marked up."""
    parts = re.split(r"`([^`]+)`", text)
    parts[::2] = [re.sub(r"([\\*|`]|(?<=\w)_(?!\w))", r"\\\1", part) for part in parts[::2]]
    parts[1::2] = [f"``{code}``" for code in parts[1::2]]
    return "".join(parts)


def fields(thing: type) -> list[str]:
    """The fields of a class that have a comment beside them, as a list."""
    found = [FIELD.fullmatch(line) for line in inspect.getsource(thing).splitlines()]
    return [line for field in found if field for line in (f"``{field[1]}``", f"    {prose(field[2])}", "")]


def set_docstring(app, what: str, name: str, thing, options, lines: list[str]) -> None:
    """Marks up the lines of a docstring, in place, as napoleon and reStructuredText want them."""
    result: list[str] = []
    section, verbatim = "", False
    for line in lines:
        if line and not line.startswith(" "):
            section, verbatim = (line if SECTION.fullmatch(line) else ""), False
        elif line.startswith("    ") and not section and not verbatim and not (result and result[-1]):
            result += ["::", ""]
            verbatim = True
        elif line.lstrip().startswith(">>>"):
            verbatim = True  # up to the next blank line
        elif not line and section:
            verbatim = False
        result.append(line if verbatim else prose(line))
    if what == "class" and (issubclass(thing, tuple) or hasattr(thing, "__dataclass_fields__")):
        result += ["", *fields(thing)]
    lines[:] = result


def skip_aliases(app, what: str, name: str, thing, skip: bool, options) -> bool | None:
    """Leaves out what Python says of a named tuple's fields by itself: "Alias for field number 0"."""
    return True if type(thing).__name__ == "_tuplegetter" else None


def setup(app) -> dict[str, bool]:
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.napoleon")
    app.connect("autodoc-process-docstring", set_docstring, priority=400)  # before napoleon
    app.connect("autodoc-skip-member", skip_aliases)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
