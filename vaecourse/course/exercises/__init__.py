"""Exercises that answer back: what is wrong with an answer, and what to try.

    from vaecourse.course import check

    check("slerp", my_slerp)    # the name stands in the chapter; the answer is yours

Most answers are functions: hand in the function itself, without brackets. `check` calls it with small cases whose
answer is known from elsewhere (a closed form, SciPy, autograd, the writer of the first chapter), so it needs no data,
takes a moment, and accepts any way of getting there. Other answers are a number or an array. What comes back is a
`Feedback`: at the end of a cell it shows itself, elsewhere print it; `.right` says whether the answer is right.

Each chapter's checks stand in a file of their own, beside this one: one function for each, which raises `Hint`.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from ...names import did_you_mean
from .asking import Hint, Nothing

__all__ = ["Feedback", "all_checks", "check"]


@cache
def all_checks() -> dict[str, Callable[[Any], str]]:
    """For each exercise its function, which returns what is right about an answer, or raises a Hint."""
    modules = [import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    return {name: function for module in modules for name, function in getattr(module, "CHECKS", {}).items()}


@dataclass(frozen=True)
class Feedback:
    """Whether an answer is right, and what there is to say about it."""

    right: bool
    says: str

    def __repr__(self) -> str:
        return self.says


def check(name: str, answer: object) -> Feedback:
    """What is wrong with your answer to the exercise called `name`, such as "slerp", and what to try.

    Any answer gets a sentence, also None, NaN, or a function that fails.

    Raises:
        ValueError: For an exercise that there is not, with the name that looks like it.

    Example:
        >>> from vaecourse.interpolation import lerp
        >>> check("slerp", lerp)
        Not yet: a quarter turn: off the arc at the middle: norm 0.71, expected 1.00. Did you interpolate the angle?
    """
    checks = all_checks()
    if name not in checks:
        raise ValueError(
            f"no exercise is called {name!r}.{did_you_mean(name, checks)} The chapter has its name, in check(...)."
        )
    try:
        return Feedback(True, f"Right. {checks[name](answer)}")
    except Nothing as nothing:
        return Feedback(False, f"Nothing here yet: {nothing}")
    except Hint as hint:
        return Feedback(False, f"Not yet: {hint}")
