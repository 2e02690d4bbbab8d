"""How a check asks: it calls what a learner wrote, looks at what comes back, and turns every accident into a sentence.

What these functions return is safe to compute with; whatever is not raises a `Hint`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

__all__ = ["Hint", "Nothing", "array", "ask", "call", "compare", "guess", "number", "stray"]


class Hint(Exception):
    """What is wrong with an answer, and what to try."""


class Nothing(Hint):
    """There is no answer yet."""


def call(function: object, *arguments: object, case: str) -> object:
    """What the learner's function returns for the arguments of a case, which is described in words.

    Tensors and arrays are handed over as copies: an answer that changes what it is given does not spoil the next case.
    """
    if function is None or function is ...:
        raise Nothing("write the function, then run this cell again.")
    if not callable(function):
        raise Hint(f"hand in the function itself, its name without brackets; got {_called(function)}.")
    copies = [a.clone() if isinstance(a, Tensor) else a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
    try:
        return function(*copies)
    except Exception as error:  # whatever it is, it is the learner's, and a sentence helps more than a stack of frames
        told = f"{type(error).__name__}: {_first_line(error)}".rstrip(".")
        raise Hint(f"{case}: {_name(function)} stops with {told}.") from error


def ask(function: object, *arguments: object, case: str) -> object:
    """What the learner's function returns, as `call`; that it returns nothing is taken for no answer."""
    result = call(function, *arguments, case=case)
    if result is None or result is ...:
        raise Nothing(f"{_name(function)} returns None. If its lines are written, does the last one say `return`?")
    return result


def array(answer: object, shape: tuple[int | None, ...] | None, what: str) -> NDArray[np.float64]:
    """The answer as finite numbers of a shape, in which None stands for any length; `what` says what it should be."""
    if answer is None or answer is ...:
        raise Nothing("put your answer there, then run this cell again.")
    if callable(answer):
        raise Hint(f"wanted {what}; got a function. Call it, and hand in what it returns.")
    try:
        values = _floats(answer)
    except Exception as error:  # ragged lists, words, objects whose conversion fails in a way of their own
        raise Hint(f"wanted {what}; got {_called(answer)}.") from error
    if shape is not None and not _fits(values.shape, shape):
        wanted = ", ".join("N" if n is None else str(n) for n in shape) + "," * (len(shape) == 1)
        raise Hint(f"wanted {what}, shape ({wanted}); got shape {values.shape}.")
    if not np.isfinite(values).all():
        raise Hint(f"wanted {what}; there is {stray(answer)} in it. Look for a division by 0, or an exp too large.")
    return values


def stray(answer: object) -> float | None:
    """The first NaN or infinity in an answer, None if there is none; for a hint of its own before `array` is asked."""
    try:
        values = _floats(answer)
    except Exception:
        return None
    bad = values[~np.isfinite(values)]
    return float(bad.flat[0]) if bad.size else None


def number(answer: object, what: str) -> float:
    """The answer as one finite number. An array of one number passes for it."""
    values = array(answer, None, what)
    if values.size != 1:
        raise Hint(f"wanted {what}, one number; got shape {values.shape}.")
    return values.item()


def guess(answer: object, what: str, right: float, wrong: Mapping[str, float], within: float) -> None:
    """Looks at an answer that is a number, as `compare` does, but does not tell the right one."""
    got = number(answer, what)
    if not _agree(got, right, within):
        raise Hint(_mistake(got, wrong, within) or f"{got:g} is too {'large' if got > right else 'small'}.")


def compare(got: ArrayLike, right: ArrayLike, wrong: Mapping[str, ArrayLike], case: str, within: float = 1e-3) -> None:
    """Raises Hint unless got agrees with right: the hint whose wrong value it agrees with, or else both numbers.

    `wrong` has, for each hint, the value that this mistake gives; `within` is a share of the largest right value.
    """
    got, right = np.asarray(got, float), np.asarray(right, float)
    if not _agree(got, right, within):
        worst = np.abs(got - right).argmax()
        plain = f"got {got.flat[worst]:.4g}, expected {right.flat[worst]:.4g}."
        raise Hint(f"{case}: {_mistake(got, wrong, within) or plain}")


def _agree(got: ArrayLike, value: ArrayLike, within: float) -> bool:
    value = np.asarray(value, float)
    return bool(np.abs(got - value).max() <= within * max(np.abs(value).max(), 1e-12))


def _mistake(got: ArrayLike, wrong: Mapping[str, ArrayLike], within: float) -> str | None:
    """The hint whose wrong value an answer agrees with."""
    return next((hint for hint, value in wrong.items() if _agree(got, value, within)), None)


def _floats(answer: object) -> NDArray[np.float64]:
    """Raises whatever the conversion of what is no numbers raises."""
    values = np.asarray([_plain(part) for part in answer] if isinstance(answer, list | tuple) else _plain(answer))
    if values.dtype.kind not in "fiu":
        raise TypeError("these are no real numbers")
    return values.astype(np.float64)


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(n in (None, m) for n, m in zip(wanted, shape, strict=True))


def _plain(answer: object) -> object:
    return answer.detach().cpu().numpy() if isinstance(answer, Tensor) else answer


def _name(function: object) -> str:
    return getattr(function, "__name__", "your function")


def _called(answer: object) -> str:
    """What an answer is, in a few words."""
    if isinstance(answer, Tensor | np.ndarray):
        return f"an array of shape {tuple(answer.shape)}"
    if isinstance(answer, list | tuple | dict | set):
        return f"a {type(answer).__name__} with {len(answer)} entries"
    return f"{type(answer).__name__} ({_first_line(answer)})"


def _first_line(thing: object) -> str:
    try:
        text = str(thing)
    except Exception:
        return "it cannot be printed"
    return text.splitlines()[0][:120] if text else "it says nothing"
