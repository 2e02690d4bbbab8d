"""Checks: arcs on a circle, and ways over a grid whose cheapest price is found step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from .asking import Hint, array, ask, stray

__all__ = ["CHECKS"]


def slerp(function: Callable[..., Any]) -> str:
    """slerp: the arc between two codes (d,). A quarter turn, a half turn, ends in one direction, an end at zero."""
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    cases = {
        "a quarter turn": (a, b),
        "a quarter turn, with ends of length 2": (2 * a, 2 * b),
        "parallel ends": (a, 3 * a),
        "opposite ends": (a, -a),
        "an end at zero": (0 * a, b),
    }
    for case, (start, end) in cases.items():
        path = _finite(ask(function, start, end, 5, case=case), case)
        length, right = np.linalg.norm(path, axis=1), np.linspace(float(start.norm()), float(end.norm()), 5)
        if np.abs(path[0] - start.numpy()).max() > 1e-4 or np.abs(path[-1] - end.numpy()).max() > 1e-4:
            raise Hint(f"{case}: it must begin at a and end at b; it goes from {_code(path[0])} to {_code(path[-1])}.")
        if abs(length[2] - right[2]) > 1e-3:
            hint = "Did you interpolate the angle?" if length[2] < right[2] else "Is the length that of a and b, mixed?"
            raise Hint(f"{case}: off the arc at the middle: norm {length[2]:.2f}, expected {right[2]:.2f}. {hint}")
        if np.abs(length - right).max() > 1e-3:
            raise Hint(f"{case}: the lengths are {length.round(2).tolist()}, expected {right.round(2).tolist()}.")
        if case.startswith("a quarter turn"):
            turns = np.diff(np.rad2deg(np.arctan2(path[:, 1], path[:, 0])))
            if np.abs(turns - 22.5).max() > 0.1:
                turned = ", ".join(f"{turn:.1f}" for turn in turns)
                raise Hint(
                    f"{case}: the steps turn by {turned} degrees, expected 22.5 each. A line that is only scaled to "
                    "the right length hurries in the middle."
                )
    return "Quarter turns, ends in one direction, opposite ends, and an end at zero."


def _finite(answer: object, case: str) -> np.ndarray:
    if stray(answer) is not None:
        raise Hint(f"{case}: NaN or infinity. Which division is by zero here? Treat that case by itself.")
    return array(answer, (5, 2), "5 codes of 2 numbers, one a row")


def _code(z: np.ndarray) -> str:
    return "(" + ", ".join(f"{v:.3g}" for v in z) + ")"


def cheapest(function: Callable[..., Any]) -> str:
    """cheapest: a way over a grid of costs (H, W) with the lowest price, as cells (T, 2)."""
    rng = np.random.default_rng(8)
    wall = np.full((7, 9), 0.1)
    wall[1:, 4] = 5.0
    cases = {"a wall with a gap at the top": wall, "costs at random": rng.uniform(0.05, 1.0, (7, 9))}
    for case, cost in cases.items():
        start, end = (5, 0), (5, 8)
        answer = ask(function, cost, start, end, case=case)
        way = array(answer, (None, 2), "cells (row, column), one a row")
        if not len(way):
            raise Hint(f"{case}: the way is empty. It begins with the cell {start} and ends with {end}.")
        if (way != way.round()).any() or (way < 0).any() or (way >= cost.shape).any():
            raise Hint(f"{case}: cells are whole numbers, rows 0 to 6 and columns 0 to 8.")
        way = way.astype(int)
        if tuple(way[0]) == end and tuple(way[-1]) == start:
            raise Hint(f"{case}: the way runs from the end to the start. Turn it around.")
        if tuple(way[0]) != start or tuple(way[-1]) != end:
            raise Hint(f"{case}: it must go from {start} to {end}; it goes from {tuple(way[0])} to {tuple(way[-1])}.")
        if len(way) > 1 and (np.abs(np.diff(way, axis=0)).sum(1) != 1).any():
            raise Hint(
                f"{case}: each step goes to a cell beside, above or below; somewhere yours jumps or stands still."
            )
        on_way = cost[tuple(way.T)]
        price, best = ((on_way[1:] + on_way[:-1]) / 2).sum(), _lowest_price(cost, start, end)
        if price > best * (1 + 1e-6):
            hint = "It is as short as can be: count costs, not steps." if len(way) == 9 else "There is a cheaper one."
            raise Hint(f"{case}: your way costs {price:.2f}, the cheapest {best:.2f}. {hint}")
    return "No way is cheaper, around a wall and over costs at random."


def _lowest_price(cost: np.ndarray, start: tuple[int, int], end: tuple[int, int]) -> float:
    """Prices spread from cell to cell until none gets lower (Bellman, 1958; Ford, 1956)."""
    price = np.full(cost.shape, np.inf)
    price[start] = 0
    for _ in range(cost.size):
        for here, there in ((np.s_[1:], np.s_[:-1]), (np.s_[:-1], np.s_[1:])):
            for one, other in ((np.s_[here, :], np.s_[there, :]), (np.s_[:, here], np.s_[:, there])):
                price[one] = np.minimum(price[one], price[other] + (cost[one] + cost[other]) / 2)
    return float(price[end])


CHECKS = {"slerp": slerp, "cheapest": cheapest}
