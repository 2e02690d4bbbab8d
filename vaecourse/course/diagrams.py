"""Drawings of a mechanism, with a real picture going through it: what a VAE's two networks do, and how it draws a z.

A quantity is a box, round and dashed if it is drawn by chance; a network is a wedge. Slopes lead back, dashed. All are
narrow enough for a phone.
"""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from torch import Tensor

from ..model import VAE, verdict
from ..plots import CURVE_COLORS, INK

__all__ = ["guess_and_drawing", "reparameterised", "two_networks"]

_SLOPE, _CHANCE, _TERM = "#1f6fb8", "#b84e00", CURVE_COLORS[4]  # the first two as in curves, dark enough for words
_WIDE, _NARROW = 0.46, 0.24  # half the height of a network's side: wide for pictures, narrow for numbers
Place = tuple[float, float]


def _paper(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure, and axes over all of it in inches."""
    fig = plt.figure(figsize=(width, height), layout="none")
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    ax.axis("off")
    return fig, ax


def _arrow(ax: Axes, start: Place, end: Place, color: str = "black", back: bool = False) -> None:
    """An arrow; one that leads `back` carries a slope, and is dashed."""
    style = {"arrowstyle": "-|>,head_width=.25,head_length=.45", "color": color, "lw": 1.8, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", end, start, arrowprops=style | ({"ls": (0, (3, 2))} if back else {}))


def _words(ax: Axes, at: Place, text: str, size: float = 13, color: str = "black") -> None:
    ax.text(*at, text, ha="center", va="center", fontsize=size, color=color, linespacing=1.25)


def _box(ax: Axes, at: Place, text: str, width: float = 0.5, height: float = 0.42, chance: bool = False) -> None:
    """A quantity; what comes out another way each time is round and dashed."""
    (x, y), pad = at, 0.12 if chance else 0.0
    corner, size = (x - width / 2 + pad, y - height / 2 + pad), (width - 2 * pad, height - 2 * pad)
    style: dict[str, Any] = {"ec": _CHANCE, "ls": (0, (3, 1.5)), "lw": 2} if chance else {"ec": "black", "lw": 1.5}
    ax.add_patch(FancyBboxPatch(corner, *size, boxstyle=f"round,pad={pad}", fc="white", **style))
    _words(ax, at, text)


def _network(ax: Axes, at: Place, name: str, half_left: float, half_right: float) -> None:
    """A network, as a wedge; `half_left` and `half_right` are half its heights at these sides, large where a picture
    goes in or out.
    """
    x, y = at
    left, right = x - 0.4, x + 0.4
    corners = [(left, y - half_left), (left, y + half_left), (right, y + half_right), (right, y - half_right)]
    ax.add_patch(plt.Polygon(corners, fc="0.92", ec="black", lw=1.5))
    _words(ax, at, name, size=12)


def _picture(ax: Axes, at: Place, image: Tensor, name: str, below: bool = True) -> None:
    x, y, half = *at, 0.42
    ax.imshow(image, cmap=INK, vmin=0, vmax=1, extent=(x - half, x + half, y - half, y + half), zorder=2)
    ax.add_patch(plt.Rectangle((x - half, y - half), 2 * half, 2 * half, fill=False, ec="0.6", lw=1, zorder=3))
    _words(ax, (x, y + (-half - 0.16 if below else half + 0.16)), name)


def _pair(numbers: Tensor, between: str = ", ", digits: int = 2) -> str:
    """Two numbers as text, with a minus that is as long as a plus."""
    return between.join(f"{n:.{digits}f}" for n in numbers.tolist()).replace("-", "−")


@verdict
def two_networks(model: VAE, x: Tensor) -> Figure:
    """The way through both networks of a model with two latent numbers: a picture x (H, W), its code, the drawing.

    The code is the mean of Q(z|x).
    """
    z = model.encode(x).mean
    fig, ax = _paper(4.9, 1.3)
    _picture(ax, (0.48, 0.78), x, "$x$")
    _network(ax, (1.5, 0.78), "encoder", _WIDE, _NARROW)
    _box(ax, (2.45, 0.78), _pair(z, "\n"), width=0.6, height=0.6)
    _words(ax, (2.45, 0.2), "$z$")
    _network(ax, (3.4, 0.78), "decoder", _NARROW, _WIDE)
    _picture(ax, (4.42, 0.78), model.decode(z).mean, "$f(z)$")
    for start, end in ((0.92, 1.08), (1.92, 2.13), (2.77, 2.98), (3.82, 3.98)):
        _arrow(ax, (start, 0.78), (end, 0.78))
    return fig


@verdict
def guess_and_drawing(model: VAE, x: Tensor, generator: torch.Generator) -> Figure:
    """How a model with two latent numbers guesses and redraws a picture x (H, W), and what the bound's terms see."""
    q = model.encode(x)
    z = q.mean + q.stddev * torch.randn(2, generator=generator)
    fig, ax = _paper(4.9, 3.3)
    above, below, right = 2.6, 0.72, 3.75
    _picture(ax, (0.48, above), x, "$x$", below=False)
    _network(ax, (1.6, above), "encoder", _WIDE, _NARROW)
    _box(ax, (right, above), f"$\\mu$ = {_pair(q.mean)}\n$s$ = {_pair(q.stddev, digits=3)}", width=1.84, height=0.66)
    _words(ax, (right - 0.6, above + 0.53), "$Q(z|x)$")
    _box(ax, (right, below), f"$z$ = {_pair(z)}", width=1.7, chance=True)
    _network(ax, (1.6, below), "decoder", _WIDE, _NARROW)
    _picture(ax, (0.48, below), model.decode(z).mean, "$f(z)$")
    _arrow(ax, (0.92, above), (1.18, above))
    _arrow(ax, (2.02, above), (right - 0.93, above))
    _arrow(ax, (right, above - 0.35), (right, below + 0.22), _CHANCE)
    _arrow(ax, (right - 0.86, below), (2.02, below))
    _arrow(ax, (1.18, below), (0.92, below))
    middle = (above + below) / 2
    for end in (above - 0.45, below + 0.45):
        _arrow(ax, (0.48, middle), (0.48, end), _TERM)
    _words(ax, (1.62, middle), "$\\log P(x|z)$:\nis $x$ drawn well?", color=_TERM)
    _words(ax, (right + 0.36, above + 0.53), "its KL to $P(z)$", color=_TERM)
    _words(ax, (right + 0.5, middle), "a draw", color=_CHANCE)
    return fig


def reparameterised() -> Figure:
    """A number z that is drawn, and the same z made of what is drawn beside it: where a slope passes, and where not."""
    fig, ax = _paper(4.9, 2.9)
    top, middle, low = 2.05, 1.2, 0.3
    for x, title in ((1.0, "drawn: a dead end"), (3.4, "made of $\\varepsilon$: a way back")):
        _words(ax, (x, 2.72), title)
        _box(ax, (x, low), "$h(z)$", width=0.7)
        _arrow(ax, (x - 0.08, middle - 0.21), (x - 0.08, low + 0.22))
        _arrow(ax, (x + 0.08, low + 0.21), (x + 0.08, middle - 0.23), _SLOPE, back=True)
        _words(ax, (x + 0.45, (middle + low) / 2), "slope", size=12, color=_SLOPE)
    _box(ax, (1.0, middle), "$z$", width=1.4, chance=True)
    _box(ax, (3.4, middle), "$z = \\mu + s\\,\\varepsilon$", width=2.2)
    for x, name in ((0.6, "$\\mu$"), (1.4, "$s$"), (2.6, "$\\mu$"), (3.4, "$s$")):
        _box(ax, (x, top), name)
        _arrow(ax, (x - 0.08, top - 0.21), (x - 0.08, middle + 0.23))
        if x > 2:
            _arrow(ax, (x + 0.08, middle + 0.21), (x + 0.08, top - 0.22), _SLOPE, back=True)
    _box(ax, (4.2, top), "$\\varepsilon$", chance=True)
    _arrow(ax, (4.2, top - 0.22), (4.2, middle + 0.22), _CHANCE)
    return fig
