"""Checks: the writer knows the truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ...data import strokes
from ...interpolation import scoring as scorecard
from ...model import Classifier, load_pretrained
from .asking import Hint, array, ask, compare, number

__all__ = ["CHECKS"]


def nine(rotation: float) -> str:
    """nine: the rotation, in degrees, at which a 6 reads as a 9. A classifier of drawn digits reads it."""
    turn = number(rotation, "a rotation in degrees")
    if 2.9 < abs(turn) < 3.3:
        raise Hint("that is half a turn in radians, and the writer counts degrees: 180 of them are half a turn.")
    if abs(turn) > 180:
        raise Hint(f"the writer turns the paper by -180 to 180 degrees; got {turn:g}. 360 degrees are no turn at all.")
    judge = load_pretrained("strokes-classes")
    assert isinstance(judge, Classifier)
    read = int(judge.probabilities(torch.from_numpy(strokes.draw(6, rotation=turn)))[0].argmax())
    if read != 9:
        raise Hint(f"a 6 turned by {turn:g} degrees reads as a {read} to a classifier. Look at the sheet's outer rows.")
    return f"A classifier that knows drawn digits reads the 6 that is turned by {turn:g} degrees as a 9, too."


def lean(function: Callable[..., Any]) -> str:
    """lean: how much a 1 leans on the page, from its slant and the paper's turn. The ink of drawn 1s is measured."""
    slant, rotation = np.array([0.0, 0.0, 0.3, 0.2, -0.3, -0.2, 0.1]), np.array([8.0, -8.0, 0.0, 6.0, 4.0, -6.0, -3.0])
    measured = scorecard.slant(torch.from_numpy(strokes.draw(1, slant=slant, rotation=rotation))).numpy()
    got = array(ask(function, slant, rotation, case="seven 1s"), (7,), "the lean of each of seven 1s")
    wrong = {
        "this is the slant alone. The turn of the paper leans the 1, too.": slant,
        "the turn counts with the other sign: the writer turns counter-clockwise, to the left, and a positive slant "
        "leans to the right.": slant + np.tan(np.deg2rad(rotation)),
        "np.tan wants radians, and the rotation is in degrees: np.deg2rad.": slant - np.tan(rotation),
        "a slant is a ratio, pixels right for each pixel up, and the rotation an angle. Take its tangent.": slant
        - rotation,
    }
    compare(got, measured, wrong, "seven 1s", within=0.12)
    return "It agrees with what the ink of seven drawn 1s says."


def encode(function: Callable[..., Any]) -> str:
    """encode: the slant and thickness of a drawn 4. The writer knows them."""
    rng = np.random.default_rng(1)
    truth = np.c_[rng.uniform(-0.6, 0.6, 24), rng.uniform(1, 5, 24)]
    pictures = strokes.draw(4, slant=truth[:, 0], thickness=truth[:, 1])
    guesses = []
    for picture in pictures:
        answer = ask(function, picture, case="a picture (28, 28)")
        if isinstance(answer, int | np.integer):
            raise Hint(f"it returns {answer}, a place in the list, it seems. Return the slant and thickness there.")
        guesses.append(array(answer, (2,), "the slant and the thickness"))
    guess = np.stack(guesses)
    off = np.abs(guess - truth).mean(0)
    if np.abs(guess[:, ::-1] - truth).mean(0).max() < 0.2:
        raise Hint("the two numbers are right, in the other order: first the slant, then the thickness.")
    if np.ptp(guess, axis=0).max() == 0:
        raise Hint(f"it answers {guess[0].round(2).tolist()} to every picture. Does it look at the picture?")
    if np.median(guess[:, 1]) > 4.7:
        raise Hint(
            "it answers the thickest pen to nearly all. A sum of products likes ink; take the smallest distance."
        )
    if off[0] > 0.03 or off[1] > 0.15:
        raise Hint(
            f"the mean mistakes are {off[0]:.2f} in slant and {off[1]:.2f} in thickness; 0.03 and 0.15 would do. Are "
            "all drawings of your grid 4s, and does it reach from -0.6 to 0.6 and from 1 to 5, in small enough steps?"
        )
    return f"The mean mistakes are {off[0]:.3f} in slant and {off[1]:.3f} in thickness, on 24 drawings."


CHECKS = {"nine": nine, "lean": lean, "encode": encode}
