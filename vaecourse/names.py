"""Names as people type them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["did_you_mean"]


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """A question to put behind a sentence about an unknown name: the known one that looks like it; or nothing.

    >>> did_you_mean("MNIST", ["mnist", "strokes"])
    " Did you mean 'mnist'?"
    >>> did_you_mean("holiday", ["mnist", "strokes"])
    ''
    """
    near = difflib.get_close_matches(str(name).lower(), known, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
