"""Numbers as people give them: whole ones to count with, and positive ones to measure with."""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import Any

__all__ = ["as_count", "as_positive"]


def as_count(value: Any, name: str, least: int = 1) -> int:
    """A whole number of at least `least`, such as 3, 3.0 or NumPy's 3, as an int. Raises ValueError for anything else.

    >>> as_count(3.0, "epochs")
    3
    """
    try:
        count = int(float(value)) if isinstance(value, Real) else operator.index(value)
    except (TypeError, ValueError, OverflowError):  # a text, NaN, infinity
        count = least - 1
    if count < least or count != value or isinstance(value, bool):
        raise ValueError(f"{name} must be a whole number of at least {least}; got {value!r}.")
    return count


def as_positive(value: Any, name: str) -> float:
    """A positive number that float32 can hold, of Python, NumPy or PyTorch, as a float.

    Raises:
        ValueError: For anything else.
    """
    try:
        number = math.nan if isinstance(value, bool | str) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not 1e-38 <= number <= 1e38:
        raise ValueError(f"{name} must be a positive number, from 1e-38 to 1e38; got {value!r}.")
    return number
