"""Handwriting-like digits drawn from factors that are known: class, style, slant, width, thickness, rotation.

A digit is a path of the pen. The path is bent a little (`jitter`), made wider or narrower, sheared, fitted into a box
of 20 × 20 pixels, rotated, and inked; then the ink's centre of mass is put in the middle of the 28 × 28 frame. MNIST
was laid out like this (LeCun et al., 1998, section III.A), except that here the box is measured before the rotation:
rotating turns a digit and leaves its size alone. What then reaches beyond the frame, rarely, is cut off.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .made import check_draws

__all__ = ["FACTORS", "STYLES", "Factor", "draw", "sample"]

Array = NDArray[Any]

SIZE = 28  # pixels, the side of the frame
MIDDLES = np.arange(SIZE) - (SIZE - 1) / 2  # of a row's pixels, seen from the middle of the frame
BOX = 20  # pixels, the longer side of an upright digit
SEGMENTS = 32  # straight pieces of a pen's path, 2 pixels each at most: too short to show corners
CHUNK = 16  # images inked at once, so few that the distances stay in the processor's cache
JITTER = 0.025  # of the path's length: how far a coefficient of 1 moves the ends of the first wave
WAVES = 6  # that `sample` bends a path with; the seventh would move the pen by a fifth of a pixel


class Factor(NamedTuple):
    """What a continuous factor means: its unit, the range `draw` takes, mean and standard deviation of its prior."""

    unit: str
    low: float
    high: float
    mean: float
    sd: float


FACTORS = {
    "slant": Factor("dx/dy, positive: the top leans right", -1.0, 1.0, 0.19, 0.22),
    "width": Factor("times the clean letter's width", 0.4, 2.0, 1.0, 0.16),
    "thickness": Factor("pixels", 1.0, 5.0, 2.5, 0.65),
    "rotation": Factor("degrees, counter-clockwise", -180.0, 180.0, 0.0, 4.0),
}


class Letter(NamedTuple):
    """A way to write a digit, how often `sample` writes it so, and the points that the pen passes.

    Points are "x,y" in per cent of the height, y up. A semicolon ends a smooth curve. The next begins at the same
    point, which makes a corner, or elsewhere: the pen is lifted.
    """

    digit: int
    name: str
    share: float
    points: str


LETTERS = [
    Letter(0, "closed", 0.7, "49,99 21,90 4,52 14,12 40,0 70,14 82,52 70,88 44,100 30,96"),
    Letter(0, "curled", 0.3, "66,88 40,100 12,80 4,42 19,5 44,1 73,24 77,62 61,92 35,92"),
    Letter(1, "plain", 0.8, "30,100 30,50 30,0"),
    Letter(1, "with a flag", 0.1, "10,78 30,100; 30,100 30,0"),
    Letter(1, "with a flag and a foot", 0.1, "8,76 30,100; 30,100 30,0; 6,0 54,0"),
    Letter(2, "plain", 0.5, "7,76 15,94 37,100 59,90 62,68 42,36 4,3; 4,3 75,3"),
    Letter(2, "with a loop", 0.5, "9,80 24,97 46,98 62,80 51,46 29,14 11,2 1,12 15,24 46,8 79,5"),
    Letter(3, "round", 0.7, "6,86 25,99 48,94 52,74 40,58 23,53; 23,53 46,50 63,32 55,8 29,0 4,10"),
    Letter(3, "with a flat top", 0.3, "6,97 59,97; 59,97 29,60; 29,60 52,54 63,30 48,5 25,0 4,9"),
    Letter(4, "open", 0.5, "11,96 4,48; 4,48 71,52; 60,98 52,0"),
    Letter(4, "round", 0.25, "11,94 5,66 17,48 39,48 60,64; 65,98 54,0"),
    Letter(4, "closed", 0.25, "50,100 2,36; 2,36 76,38; 50,100 48,0"),
    Letter(5, "with a separate top", 0.45, "19,94 13,58; 13,58 39,62 63,44 58,14 32,0 4,8; 19,95 71,99"),
    Letter(5, "in one stroke", 0.3, "67,98 22,97; 22,97 14,58; 14,58 41,60 65,38 54,8 28,0 4,10"),
    Letter(5, "like an S", 0.25, "73,97 39,94 19,78 28,60 52,44 56,20 37,2 4,6"),
    Letter(6, "curled", 0.6, "55,100 25,76 7,36 14,8 39,0 64,16 62,38 41,46 18,34 12,20"),
    Letter(6, "with a straight back", 0.4, "34,100 16,56 6,22 21,2 48,4 57,24 41,38 18,28 9,18"),
    Letter(7, "plain", 0.65, "4,93 67,96; 67,96 49,54 34,0"),
    Letter(7, "with a bar", 0.15, "4,93 67,96; 67,96 49,54 34,0; 20,48 72,52"),
    Letter(7, "with a hook", 0.2, "4,78 11,95; 11,95 67,96; 67,96 45,52 34,0"),
    Letter(8, "in one stroke", 0.7, "58,84 37,100 12,86 21,62 47,42 58,18 35,0 10,14 19,40 47,64 60,84 43,99"),
    Letter(8, "two loops", 0.3, "35,54 12,66 12,90 35,100 56,88 56,66 35,54 8,38 8,10 35,0 62,12 60,38 35,54"),
    Letter(9, "straight", 0.6, "52,86 34,99 12,86 8,64 26,52 48,66 56,92; 56,92 50,50 44,0"),
    Letter(9, "curled", 0.4, "52,88 32,100 10,84 10,62 30,54 50,70 55,90 54,48 42,10 22,0 6,10"),
]
STYLES = {digit: [letter.name for letter in LETTERS if letter.digit == digit] for digit in range(10)}


def draw(
    label: ArrayLike,
    *,
    style: ArrayLike = 0,
    slant: ArrayLike = 0.0,
    width: ArrayLike = 1.0,
    thickness: ArrayLike = 2.5,
    rotation: ArrayLike = 0.0,
    jitter: ArrayLike | None = None,
) -> NDArray[np.float32]:
    """Draw digits from their factors. Every argument is a scalar or an (N,) array; they are broadcast together.

    label is a digit, 0 to 9; style an index into `STYLES[label]`; `FACTORS` gives the units and ranges of the others.
    jitter is None for the clean letter, or (N, K, 2) coefficients c of a smooth bend: where the pen has gone a share t
    of its way, 0 ≤ t ≤ 1, it is moved in x and y by 0.025 Σ_k c_k cos(π k t) / k of the path's length, k = 1 … K.
    Standard normal coefficients look like natural variation.

    Returns:
        (N, 28, 28) float32 in [0, 1], 0 = paper, 1 = ink.

    Raises:
        ValueError: For an unknown digit or style, a factor that is not finite or out of its range, and shapes that do
            not fit together.

    Example:
        >>> thin, bold = draw(1, thickness=[2, 4]).sum((1, 2))
        >>> print(f"{bold / thin:.1f} times as much ink")
        2.0 times as much ink
    """
    jitter = np.zeros((1, 1, 2)) if jitter is None else _numbers("jitter", jitter)
    if jitter.ndim != 3 or jitter.shape[2] != 2:
        raise ValueError(f"jitter must be (N, K, 2), x and y for each of K waves; got {jitter.shape}")
    factors = {"slant": slant, "width": width, "thickness": thickness, "rotation": rotation}
    columns = {"label": _numbers("label", label), "style": _numbers("style", style)}
    columns |= {name: _in_range(name, _numbers(name, value)) for name, value in factors.items()}
    rows = _broadcast(columns | {"jitter": np.arange(len(jitter))})
    rows["letter"] = _letter_index(rows.pop("label"), rows.pop("style"))
    images = np.empty((len(rows["letter"]), SIZE, SIZE), np.float32)
    for start in range(0, len(images), CHUNK):
        part = {name: value[start : start + CHUNK] for name, value in rows.items()}
        part["jitter"] = jitter[part["jitter"]]
        images[start : start + CHUNK] = _centred_ink(_pen_path(**part), part["thickness"])
    return images


def sample(n: int, generator: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int64], dict[str, Array]]:
    """Draw n digits: the class uniform, the style by its share, each factor from its prior, clipped to its range.

    Each digit has a jitter of its own besides. The same seed gives the same images.

    Returns:
        Images (n, 28, 28) float32 in [0, 1], labels (n,) int64, and factors, a dict of (n,) arrays with the keys style,
        slant, width, thickness, rotation.

    Raises:
        TypeError: If generator is no numpy Generator.
        ValueError: If n is no positive whole number.
    """
    check_draws(n, generator)
    labels = generator.integers(10, size=n)
    factors = {"style": np.empty(n, int)}
    for digit in STYLES:
        shares, chosen = [letter.share for letter in LETTERS if letter.digit == digit], labels == digit
        factors["style"][chosen] = generator.choice(len(shares), size=chosen.sum(), p=shares)
    for name, factor in FACTORS.items():
        factors[name] = np.clip(generator.normal(factor.mean, factor.sd, n), factor.low, factor.high)
    jitter = generator.standard_normal((n, WAVES, 2))
    return draw(labels, **factors, jitter=jitter), labels, factors


def _numbers(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Value as a float64 array, once it is known to hold finite numbers only."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number or an array of numbers; got {value!r}") from None
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite; got {array[~np.isfinite(array)][0]}. Look for 0/0 or a log of 0.")
    return array


def _in_range(name: str, value: NDArray[np.float64]) -> NDArray[np.float64]:
    unit, low, high, *_ = FACTORS[name]
    wrong = value[(value < low) | (value > high)]
    if wrong.size:
        raise ValueError(f"{name} must be within [{low}, {high}] ({unit}); got {wrong[0]}. Use np.clip to stay inside.")
    return value


def _broadcast(columns: dict[str, Array]) -> dict[str, Array]:
    """The same columns, each (N,)."""
    shapes = {name: value.shape for name, value in columns.items()}
    try:
        rows = np.broadcast_arrays(np.zeros(1), *columns.values())[1:]
    except ValueError:
        rows = ()
    if not rows or rows[0].ndim != 1:
        raise ValueError(f"Every argument must be a scalar or an (N,) array with one and the same N; got {shapes}")
    return dict(zip(columns, rows, strict=True))


def _letter_index(label: Array, style: Array) -> NDArray[np.intp]:
    """The index into `LETTERS` of each letter asked for."""
    unknown = label[~np.isin(label, list(STYLES))]
    if unknown.size:
        raise ValueError(f"label must be a digit, 0 to 9; got {unknown[0]:g}")
    label = label.astype(int)
    counts = np.array([len(names) for names in STYLES.values()])
    wrong = (style < 0) | (style >= counts[label]) | (style % 1 != 0)
    if wrong.any():
        digit = label[wrong][0]
        known = ", ".join(f"{index} ({name})" for index, name in enumerate(STYLES[digit]))
        raise ValueError(f"the styles of digit {digit} are {known}; got style={style[wrong][0]:g}")
    index: NDArray[np.intp] = (np.cumsum(counts) - counts)[label] + style.astype(int)
    return index


def _trace(letter: Letter) -> NDArray[np.float64]:
    """The clean path as segments, (SEGMENTS, 2 ends, 3): x and y in heights, and the share t of the way gone there."""
    runs = [[point.split(",") for point in curve.split()] for curve in letter.points.split(";")]
    curves = [_catmull_rom(np.array(run, float) / 100) for run in runs]
    gone = [np.append(0, np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))) for curve in curves]
    before = np.append(0, np.cumsum([steps[-1] for steps in gone]))
    cuts = np.maximum(1, np.round(SEGMENTS * np.diff(before) / before[-1]).astype(int))
    cuts[np.argmax(cuts)] += SEGMENTS - cuts.sum()
    segments = []
    for curve, steps, start, pieces in zip(curves, gone, before[:-1], cuts, strict=True):
        at = np.linspace(0, steps[-1], pieces + 1)
        x, y = (np.interp(at, steps, curve[:, axis]) for axis in (0, 1))
        nodes = np.stack([x, y, (start + at) / before[-1]], axis=1)
        segments.append(np.stack([nodes[:-1], nodes[1:]], axis=1))
    return np.concatenate(segments)


def _catmull_rom(points: NDArray[np.float64], steps: int = 24) -> NDArray[np.float64]:
    """A smooth curve (T, 2) through points (P, 2), P ≥ 2 (Catmull and Rom, 1974)."""
    p = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    u = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    p0, p1, p2, p3 = (p[i : len(p) - 3 + i, None] for i in range(4))
    cubic = p1 + u / 2 * (p2 - p0 + u * (2 * p0 - 5 * p1 + 4 * p2 - p3 + u * (3 * (p1 - p2) + p3 - p0)))
    return np.concatenate([cubic.reshape(-1, 2), points[-1:]])


PATHS = np.stack([_trace(letter) for letter in LETTERS])
LENGTHS = np.linalg.norm(PATHS[:, :, 1, :2] - PATHS[:, :, 0, :2], axis=-1).sum(1)


def _pen_path(
    *, letter: Array, jitter: Array, slant: Array, width: Array, thickness: Array, rotation: Array
) -> NDArray[np.float64]:
    """Ends of the pen's segments (N, SEGMENTS, 2, 2): x to the right and y up, in pixels."""
    x, y, t = np.moveaxis(PATHS[letter], -1, 0)
    reach = JITTER * LENGTHS[letter][:, None, None]
    for k in range(1, jitter.shape[1] + 1):
        wave = reach * np.cos(np.pi * k * t) / k
        x = x + jitter[:, k - 1, 0, None, None] * wave
        y = y + jitter[:, k - 1, 1, None, None] * wave
    x = x * width[:, None, None] + y * slant[:, None, None]
    x, y = (axis - (axis.max((1, 2), keepdims=True) + axis.min((1, 2), keepdims=True)) / 2 for axis in (x, y))
    scale = (BOX - thickness) / 2 / np.maximum(x.max((1, 2)), y.max((1, 2)))
    cos, sin = ((scale * f(np.deg2rad(rotation)))[:, None, None] for f in (np.cos, np.sin))
    return np.stack([x * cos - y * sin, x * sin + y * cos], axis=-1)


def _centred_ink(ends: Array, thickness: Array) -> NDArray[np.float32]:
    """Ink the path, see where its centre of mass falls, and ink it again with that point in the middle."""
    first = _ink(ends, thickness).astype(np.float64)
    columns, rows = first.sum(1), first.sum(2)
    # Sums in an order of their own, not matrix products: those are rounded differently on each processor.
    centre = np.stack([(columns * MIDDLES).sum(1), -(rows * MIDDLES).sum(1)], axis=1) / columns.sum(1, keepdims=True)
    return _ink(ends - centre[:, None, None], thickness)


def _ink(ends: Array, thickness: Array) -> NDArray[np.float32]:
    """Images (N, 28, 28): a pixel's ink falls from 1 to 0 over the pixel around the stroke's edge."""
    # For a pixel at start + q the nearest point of the segment is start + share * step, share = q·step / |step|² in
    # [0, 1]. q·step is a sum of one term per column and one per row, which saves most of the work; so does working in
    # place, for memory is slower than arithmetic here.
    ends, middles = ends.astype(np.float32), MIDDLES.astype(np.float32)
    start_x, start_y = np.moveaxis(ends[:, :, 0, :, None], 2, 0)  # (N, SEGMENTS, 1), like the steps
    step_x, step_y = np.moveaxis((ends[:, :, 1] - ends[:, :, 0])[..., None], 2, 0)
    length2 = np.maximum(step_x**2 + step_y**2, np.float32(1e-12))
    q_x, q_y = middles - start_x, -middles - start_y  # (N, SEGMENTS, 28)
    share = (q_x * step_x / length2)[:, :, None, :] + (q_y * step_y / length2)[..., None]
    np.clip(share, 0, 1, out=share)
    off_x, off_y = share * step_x[..., None], share * step_y[..., None]
    off_x -= q_x[:, :, None, :]
    off_y -= q_y[..., None]
    distance = np.sqrt((np.square(off_x, out=off_x) + np.square(off_y, out=off_y)).min(1))
    ink: Array = np.clip(thickness[:, None, None] / 2 + 0.5 - distance, 0, 1)
    return ink.astype(np.float32)
