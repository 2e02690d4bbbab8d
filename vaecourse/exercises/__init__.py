"""Exercises that answer back: what is wrong with an answer, and what to try.

    from vaecourse.exercises import check

    check("08-slerp", my_slerp)    # the name stands in the chapter; the answer is yours

Most answers are functions: hand in the function itself, without brackets. `check` calls it with small cases whose
answer is known from elsewhere (a closed form, SciPy, autograd, the writer of chapter 1), so it needs no data, takes a
moment, and accepts any way of getting there. Other answers are a number or an array. What comes back is a `Feedback`:
at the end of a cell it shows itself, elsewhere print it; `.right` says whether the answer is right.

Each chapter's checks stand in a file of their own, beside this one: one function for each, which raises `Hint`.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from . import (
    chapter_01,
    chapter_02,
    chapter_03,
    chapter_04,
    chapter_05,
    chapter_06,
    chapter_07,
    chapter_08,
    chapter_09,
    chapter_10,
    chapter_11,
    chapter_12,
)
from .asking import Hint, Nothing

__all__ = ["EXERCISES", "Feedback", "check"]

EXERCISES: dict[str, Any] = {
    **chapter_01.CHECKS,
    **chapter_02.CHECKS,
    **chapter_03.CHECKS,
    **chapter_04.CHECKS,
    **chapter_05.CHECKS,
    **chapter_06.CHECKS,
    **chapter_07.CHECKS,
    **chapter_08.CHECKS,
    **chapter_09.CHECKS,
    **chapter_10.CHECKS,
    **chapter_11.CHECKS,
    **chapter_12.CHECKS,
}  # a function for each exercise: it returns what is right about an answer, or raises a Hint


@dataclass(frozen=True)
class Feedback:
    """Whether an answer is right, and what there is to say about it."""

    right: bool
    says: str

    def __repr__(self) -> str:
        return self.says


def check(name: str, answer: object) -> Feedback:
    """What is wrong with your answer to the exercise called `name`, such as "08-slerp", and what to try.

    Any answer gets a sentence, also None, NaN, or a function that fails.

    Raises:
        ValueError: With the nearest name, for an exercise that there is not.

    Example:
        >>> from vaecourse.interpolation import lerp
        >>> check("08-slerp", lerp)
        Not yet: a quarter turn: off the arc at the middle: norm 0.71, expected 1.00. Did you interpolate the angle?
    """
    if name not in EXERCISES:
        near = difflib.get_close_matches(str(name), EXERCISES, n=1, cutoff=0)[0]
        raise ValueError(f"no exercise is called {name!r}. Did you mean {near!r}?")
    try:
        return Feedback(True, f"Right. {EXERCISES[name](answer)}")
    except Nothing as nothing:
        return Feedback(False, f"Nothing here yet: {nothing}")
    except Hint as hint:
        return Feedback(False, f"Not yet: {hint}")
