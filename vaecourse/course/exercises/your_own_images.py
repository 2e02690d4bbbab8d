"""Checks: pictures are made of ink that is known, and whole bursts are counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor

from ...data import strokes, turntable
from .asking import Hint, array, ask, compare

__all__ = ["CHECKS"]


def ink(function: Callable[..., Any]) -> str:
    """ink: grey pictures, 0 black and 1 white, as ink. Each case is made of ink, so what must come out is known."""
    for case, grey, right, wrong in _folders():
        got = array(ask(function, grey, case=case), grey.shape, f"{case}: pictures like those given")
        compare(got, right, wrong, case)
    return (
        "Light paper is turned over and a black cloth is not, for the folder as a whole, and a shadow changes nothing."
    )


def _folders() -> list[tuple[str, np.ndarray, np.ndarray, dict[str, np.ndarray]]]:
    """Of each case what it is called, grey pictures (N, H, W), their ink, and what mistakes make of them."""
    written = strokes.draw(np.array([2, 4, 5, 7, 8]))
    toys = turntable.render("duck", np.array([0.0, 120.0, 240.0]), size=28)
    heavy = np.zeros((4, 28, 28), np.float32)
    heavy[:, 3:25, 3:25] = 1.0
    framed = written.copy()
    framed[0, [0, -1]] = framed[0, :, [0, -1]] = 1.0
    shaded = 0.3 + 0.6 * written
    shaded[:, :, :6] = 1.0
    shaded[:, 0, :14] = 1.0
    one = np.concatenate([1 - framed[:1], framed[1:]])
    return [
        ("dark strokes on light paper", 1 - written, written, {"here white is paper: ink is 1 - grey.": 1 - written}),
        ("a bright toy before a black cloth", toys, toys, {"the cloth is dark: it is the paper already.": 1 - toys}),
        (
            "strokes so heavy that most pixels are dark",
            1 - heavy,
            heavy,
            {"not all pixels are asked, only those of the border: the ink stands in the middle.": 1 - heavy},
        ),
        (
            "five pictures, one of them in a black frame",
            1 - framed,
            framed,
            {
                "that one was decided by itself. Ask the borders of all pictures together, and decide once.": one,
                "one frame turned all of them over. Where *most* of the border is light, light is paper.": 1 - framed,
            },
        ),
        (
            "light paper with a deep shadow along its left side",
            1 - shaded,
            shaded,
            {"less than half of the border is in the shadow: all four sides, and a median.": 1 - shaded},
        ),
    ]


def hold_back(function: Callable[..., Any]) -> str:
    """bursts: which pictures are held back, whole bursts at a time. Bursts of all sizes, in any order."""
    rng = np.random.default_rng(12)
    sizes = rng.integers(1, 12, 20)
    for case, bursts, share, wanted in (
        ("ten bursts of nine pictures", np.arange(90) // 9, 0.2, 2),
        ("twenty bursts of any size, out of order", rng.permutation(np.repeat(np.arange(20) * 3 + 5, sizes)), 0.25, 5),
    ):
        chosen = [_mask(function, bursts, share, seed, case) for seed in range(6)]
        for held in chosen:
            _whole_bursts(held, bursts, wanted, case)
        if all((held == chosen[0]).all() for held in chosen):
            raise Hint(f"{case}: always the same ones, whatever the generator. Let rng choose the bursts.")
    return (
        "Whole bursts, as many as asked for, chosen by the generator: no picture held back has a twin among the known."
    )


def _mask(function: Callable[..., Any], bursts: np.ndarray, share: float, seed: int, case: str) -> np.ndarray:
    """What the answer holds back, (N,) of 0 and 1."""
    answer = ask(function, bursts, share, np.random.default_rng(seed), case=case)
    if isinstance(answer, list | tuple):
        answer = [int(held) if isinstance(held, bool | np.bool_) else held for held in answer]
    elif isinstance(answer, np.ndarray | Tensor) and str(answer.dtype).endswith("bool"):
        answer = answer + 0
    held = array(answer, (len(bursts),), f"{case}: True or False for each picture")
    if not np.isin(held, (0, 1)).all():
        raise Hint(f"{case}: wanted True or False for each picture; got {held[~np.isin(held, (0, 1))][0]:g}.")
    return held.astype(bool)


def _whole_bursts(held: np.ndarray, bursts: np.ndarray, wanted: int, case: str) -> None:
    """Raises Hint unless `wanted` whole bursts are held back."""
    inside, outside = np.unique(bursts[held]), np.unique(bursts[~held])
    torn, total = np.intersect1d(inside, outside), len(np.unique(bursts))
    if len(torn):
        raise Hint(f"{case}: burst {torn[0]} has pictures on both sides. Choose bursts, then take all their pictures.")
    if len(inside) == total - wanted:
        raise Hint(f"{case}: these are the known ones. True is for what is held back.")
    if len(inside) != wanted:
        raise Hint(f"{case}: {len(inside)} of {total} bursts are held back, and it should be {wanted}.")


CHECKS = {"ink": ink, "bursts": hold_back}
