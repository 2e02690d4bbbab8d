"""Checks: the axis of a cloud by trying all directions, and even steps on a curve of known length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from .asking import Hint, array, ask, compare

__all__ = ["CHECKS"]


def axis(function: Callable[..., Any]) -> str:
    """axis: the direction (2,) in which points (N, 2) spread the most. 1,800 directions are tried."""
    cloud = np.random.default_rng(7).standard_normal((400, 2)) * [1.0, 0.3]
    turns = np.deg2rad(np.arange(0, 180, 0.1))
    compass = np.stack([np.cos(turns), np.sin(turns)])
    for degrees, middle in ((35, (3.0, -2.0)), (100, (0.0, 0.0)), (160, (1.0, 4.0))):
        case = f"a cloud that stretches along {degrees} degrees"
        cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        points = cloud @ np.array([[cos, sin], [-sin, cos]]) + middle
        got = array(ask(function, torch.tensor(points).float(), case=case), (2,), "one direction")
        length = np.linalg.norm(got)
        if abs(length - 1) > 1e-3:
            raise Hint(
                f"{case}: the direction has length {length:.2f}. Make it 1, so that steps along it can be counted."
            )
        best = compass[:, (points @ compass).var(0).argmax()]
        if abs(got @ best) > 0.9999:
            continue
        if abs(got @ best) < 0.02:
            raise Hint(f"{case}: this is the axis across it. The first row of Vh belongs to the largest spread.")
        towards = np.linalg.svd(points, full_matrices=False)[2][0]
        if abs(got @ towards) > 0.9999:
            raise Hint(f"{case}: this points from the origin to the cloud. Take the middle away first.")
        off = np.rad2deg(np.arccos(min(1.0, abs(got @ best))))
        raise Hint(f"{case}: your direction is {off:.0f} degrees off the one in which the points spread the most.")
    return "Of 1,800 directions none spreads the points more, for three clouds."


def even_places(function: Callable[..., Any]) -> str:
    """even: places (frames, 2) on a path (T, 2) between which the drawings (T, D) change evenly.

    The drawing is (u^2, 0, …) at z = (u, 3 - u): equal steps of u^2.
    """
    u = np.linspace(0, 2, 2001) ** 1.5 / np.sqrt(2)  # unevenly spaced, as a path may be
    path = np.stack([u, 3 - u], axis=1)
    drawings = np.concatenate([u[:, None] ** 2, np.zeros((2001, 3))], axis=1)
    case = "a path from (0, 3) to (2, 1), 9 frames"
    answer = ask(function, torch.tensor(path), torch.tensor(drawings), 9, case=case)
    got = array(answer, (9, 2), "a place on the path for each of 9 frames")
    if np.abs(got[[0, -1]] - path[[0, -1]]).max() > 0.01:
        raise Hint(f"{case}: it goes from {got[0].round(2).tolist()} to {got[-1].round(2).tolist()}; keep both ends.")
    right = np.sqrt(np.linspace(0, 4, 9))
    length, even = np.linspace(0, 2, 9), u[np.linspace(0, 2000, 9).astype(int)]
    wrong = {
        "the places are evenly spaced on the plane. Measure the way by the drawings.": np.stack(
            [length, 3 - length], 1
        ),
        "these are every so many points of the path, however far apart they lie.": np.stack([even, 3 - even], 1),
        "the distances between drawings are squared. Take the norm, so that halves add up to wholes.": _squared(
            u, path
        ),
    }
    compare(got, np.stack([right, 3 - right], axis=1), wrong, case, within=3e-3)
    return "The drawing moves by the same amount from frame to frame."


def _squared(u: np.ndarray, path: np.ndarray) -> np.ndarray:
    gone = np.append(0, np.cumsum(np.diff(u**2) ** 2))
    at = np.linspace(0, gone[-1], 9)
    return np.stack([np.interp(at, gone, column) for column in path.T], axis=1)


CHECKS = {"axis": axis, "even": even_places}
