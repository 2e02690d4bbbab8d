"""Whole numbers as people give them."""

from __future__ import annotations

import operator
from typing import Any

__all__ = ["as_count"]


def as_count(value: Any, name: str) -> int:
    """A whole number of at least 1, such as 3, 3.0 or NumPy's 3, as an int. Raises ValueError for anything else.

    >>> as_count(3.0, "epochs")
    3
    """
    try:
        count = int(value) if isinstance(value, float) else operator.index(value)
    except (TypeError, ValueError, OverflowError):  # a text, NaN, infinity
        count = 0
    if count != value or count < 1 or isinstance(value, bool):
        raise ValueError(f"{name} must be a whole number of at least 1; got {value!r}.")
    return count
