"""What can be said of the pictures along a path, in numbers: how they lean, how sharp, how real, of which class.

Images are (..., H, W) in [0, 1], 1 = ink; along a path (..., T, H, W). A judge is a `Classifier`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from ..images import as_array, as_images, as_labels, as_numbers
from ..model import Classifier, as_positive

__all__ = [
    "DOUBT",
    "entropy",
    "evenness",
    "interval",
    "look_up",
    "monotonicity",
    "nearest_real",
    "r_squared",
    "scorecard",
    "sharpness",
    "slant",
    "table",
]

_BATCH = 256
DOUBT = 0.3  # nats: about that of nine to one


def slant(images: Any) -> Tensor:
    """How far the ink moves to the right for each pixel up, (...,): positive where the top leans right.

    The ratio of central moments mu_11 / mu_02 of the ink (Hu, "Visual pattern recognition by moment invariants", 1962);
    shearing a digit by s adds s to it. NaN for an image without ink.

    Example:
        >>> from vaecourse.data import strokes
        >>> slant(strokes.draw(1, slant=[-0.3, 0.3])).round(decimals=1)
        tensor([-0.3000,  0.3000], dtype=torch.float64)
    """
    x = _images(images).double()
    ink = x / x.sum((-2, -1), keepdim=True)
    up, right = (-_places(x.shape[-2])[:, None], _places(x.shape[-1]))
    up, right = (place - (ink * place).sum((-2, -1), keepdim=True) for place in (up, right))
    return (ink * right * up).sum((-2, -1)) / (ink * up**2).sum((-2, -1))


def sharpness(images: Any) -> Tensor:
    """The sum of the squared differences of neighbouring pixels, (...,): high for hard edges, low for grey veils.

    The image's gradient energy ("Tenengrad" in the literature on focus: Krotkov, "Focusing", 1988). Halving an image's
    contrast quarters it; more strokes add to it: compare like with like.
    """
    x = _images(images)
    down, right = (x.diff(dim=d).square().sum((-2, -1)) for d in (-2, -1))
    return down + right


def look_up(images: Any, known: Any) -> Tensor:
    """Of known pictures (N, H, W) the one nearest to each image, (..., H, W): a cheat that draws nothing itself."""
    x = _images(images)
    album = as_images(known, tuple(x.shape[-2:]), x, name="known").flatten(1)
    squares = album.square().sum(1)
    rows = x.flatten(-2).reshape(-1, album.shape[1]).split(_BATCH)
    nearest = [album[(squares - 2 * part @ album.T).argmin(1)] for part in rows]
    return torch.cat(nearest).reshape(x.shape)


def nearest_real(images: Any, real: Any) -> Tensor:
    """The distance, (...,), of each image to the nearest of the real images (N, H, W), as vectors of grey levels.

    It has no zero point: blurred pictures lie near to many. Hold it against that of real images which are not among
    them.
    """
    x = _images(images)
    real = as_images(real, tuple(x.shape[-2:]), x, name="real")
    return (x - look_up(x, real)).flatten(-2).norm(dim=-1)


def entropy(probabilities: Any) -> Tensor:
    """-sum p log p in nats, (...,), of class probabilities (..., C): 0 for a sure judge, log 10 for a lost one.

    Example:
        Of a sure judge, and of one that tosses a coin:

        >>> entropy(torch.tensor([[1.0, 0.0], [0.5, 0.5]]))
        tensor([0.0000, 0.6931])
    """
    p = as_numbers(probabilities, "probabilities")
    p = p if p.is_floating_point() else p.double()
    if p.ndim < 1 or not ((p >= 0).all() and ((p.sum(-1) - 1).abs() < 0.01).all()):
        raise ValueError(
            f"probabilities must be (..., C), from 0 to 1, and add up to 1; got {tuple(p.shape)} that do not. Are they "
            "logits? Take their softmax(-1)."
        )
    return torch.special.entr(p).sum(-1)


def monotonicity(values: Any) -> Tensor:
    """The way made good over the way gone, |v_T - v_1| / sum |v_{t+1} - v_t|, (...,), for values (..., T).

    1 where the values only rise or only fall, or stay; near 0 where they wander and come back.

    Example:
        >>> monotonicity(torch.tensor([[0.0, 1.0, 2.0, 3.0], [0.0, 2.0, 1.0, 3.0]]))
        tensor([1.0000, 0.6000])
    """
    v = _series(values)
    gone = v.diff(dim=-1).abs().sum(-1)
    return torch.where(gone == 0, 1.0, (v[..., -1] - v[..., 0]).abs() / gone.clamp_min(1e-30))


def r_squared(values: Any) -> Tensor:
    """The share of the variance of values (..., T) that a straight line over t explains, (...,); 1 if there is none."""
    v = _series(values).double()
    t = torch.linspace(-1, 1, v.shape[-1], dtype=v.dtype)
    off = v - v.mean(-1, keepdim=True)
    explained = (off * t).sum(-1) ** 2 / t.square().sum()
    total = off.square().sum(-1)
    return torch.where(total == 0, 1.0, explained / total.clamp_min(1e-300))


def evenness(images: Any) -> Tensor:
    """(sum of steps)^2 / (T - 1) / (sum of squared steps), (...,), the steps between images (..., T, H, W).

    Length squared over energy: 1 where each step changes the picture as much as any other, 1 / (T - 1) for one jump.
    """
    x = _images(images)
    if x.ndim < 3 or x.shape[-3] < 2:
        raise ValueError(f"images must be a path (..., T, H, W) of at least 2 pictures; got {tuple(x.shape)}.")
    steps = x.flatten(-2).diff(dim=-2).norm(dim=-1)
    total = steps.sum(-1)
    even = total**2 / (steps.shape[-1] * steps.square().sum(-1)).clamp_min(1e-30)
    return torch.where(total == 0, 1.0, even)


def scorecard(paths: Any, labels: Any, judge: Classifier, real: Any, usual: Any) -> dict[str, NDArray[np.float64]]:
    """The measures of P paths of pictures (P, T, H, W), each (P,). T must be odd, so that there is a middle.

    labels (P, 2) are the classes of the two ends, real (N, H, W) the images that the paths are compared with, and usual
    (C,) how far real images of each class that are not among them lie from the nearest (`nearest_real`).

    - sharpness: of the middle, over the mean of the two ends
    - distance: to the nearest real image, the mean over the path, over what is usual for the classes of its ends
    - in doubt: the share of the pictures whose class has an entropy above DOUBT nats
    - detour: how much the picture changes on the way, over how much its ends differ
    - evenness: of the steps

    No column judges by itself: a cheat wins each of them.

    Raises:
        ValueError: For paths, labels, real images or usual distances of another shape.
    """
    x = _images(paths).cpu()
    if x.ndim != 4 or x.shape[1] % 2 == 0 or x.shape[1] < 3:
        raise ValueError(f"paths must be (P, T, H, W) with an odd T of at least 3; got {tuple(x.shape)}.")
    middle, sharp, p = x.shape[1] // 2, sharpness(x), judge.probabilities(x).cpu()
    usual = as_numbers(usual, "usual").cpu().double()
    if usual.shape != p.shape[-1:] or not (usual > 0).all():
        raise ValueError(f"usual must be {p.shape[-1]} positive distances, one a class; got {tuple(usual.shape)}.")
    classes = as_labels(labels, (len(x), 2), p.shape[-1])
    ends, steps = (sharp[:, 0] + sharp[:, -1]) / 2, x.flatten(2).diff(dim=1).norm(dim=2).sum(1)
    apart = (x[:, -1] - x[:, 0]).flatten(1).norm(dim=1)
    card = {
        "sharpness": torch.where(ends == 0, 1.0, sharp[:, middle] / ends.clamp_min(1e-30)),
        "distance": nearest_real(x, real).mean(1) / usual[classes].mean(1),
        "in doubt": (entropy(p) > DOUBT).double().mean(1),
        "detour": torch.where(steps == 0, 1.0, steps / apart.clamp_min(1e-30)),
        "evenness": evenness(x),
    }
    return {name: as_array(values.double(), name) for name, values in card.items()}


def interval(values: Any, level: float = 0.95) -> tuple[float, float, float]:
    """Mean of values (N,), and the two ends of Student's confidence interval for it.

    Raises:
        ValueError: For fewer than 2 values, or some that are not finite, and for a level outside (0, 1).
    """
    v = as_array(values, "values").astype(float)
    if not as_positive(level, "level") < 1:
        raise ValueError(f"level must lie between 0 and 1, such as 0.95; got {level!r}.")
    if v.ndim != 1 or len(v) < 2 or not np.isfinite(v).all():
        raise ValueError(f"values must be at least 2 finite numbers (N,); got shape {v.shape}.")
    mean, half = v.mean(), stats.t.ppf((1 + level) / 2, len(v) - 1) * stats.sem(v)
    return mean, mean - half, mean + half


def table(cards: Mapping[str, Mapping[str, Any]]) -> str:
    """Scorecards of several kinds of path as one table of text: a row each, means with half their 95 % intervals."""
    columns = list(next(iter(cards.values())))
    width = max(len(name) for name in cards) + 2
    lines = [" " * width + "".join(f"{name:>15}" for name in columns)]
    for name, card in cards.items():
        cells = [interval(card[column]) for column in columns]
        lines.append(f"{name:{width}}" + "".join(f"{f'{m:.3f} ± {m - low:.3f}':>15}" for m, low, _ in cells))
    return "\n".join(lines)


def _images(images: Any) -> Tensor:
    return as_images(images, leading=None)


def _series(values: Any) -> Tensor:
    """Values (..., T) along a path, at least 2, as finite floats. Raises ValueError for others."""
    v = as_numbers(values, "values")
    if v.ndim < 1 or v.shape[-1] < 2 or not v.isfinite().all():
        raise ValueError(f"values must be finite numbers (..., T), at least 2 along the path; got {tuple(v.shape)}.")
    return v if v.is_floating_point() else v.double()


def _places(side: int) -> Tensor:
    return torch.arange(side, dtype=torch.float64) - (side - 1) / 2
