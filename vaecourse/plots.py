"""The course's figures, in one visual language.

Images are ink on paper. Colours are those of Matplotlib's "petroff10", made for colour-blind readers (Petroff,
"Accessible color sequences for data visualization", 2021): in its own order for curves, in another for the ten classes,
each of which has its colour everywhere. Densities are shown in one sequential map, differences in one diverging map.
"""

from __future__ import annotations

import html
import inspect
import io
import textwrap
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Markdown, display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from .images import as_array, as_codes, as_labels, check_range
from .model import VAE, as_count, as_positive, verdict

__all__ = [
    "CLASS_COLORS",
    "CURVE_COLORS",
    "DENSITY",
    "DIFFERENCE",
    "INK",
    "apart",
    "decoded_plane",
    "image_row",
    "latent_axes",
    "matrix",
    "png",
    "scatter_codes",
    "show",
    "source",
    "tile",
    "use_style",
]

CURVE_COLORS = tuple(c["color"] for c in mpl.style.library["petroff10"]["axes.prop_cycle"])
# So ordered that digits which mix on the plane (4 and 9, 3, 5 and 8, 7 and 9) are far apart in colour, for colour-blind
# readers, too, and the first classes are, of which other data may have only a few. web/src/colors.js has the same.
CLASS_COLORS = tuple(CURVE_COLORS[i] for i in (1, 5, 9, 0, 6, 7, 8, 3, 2, 4))
INK, DENSITY, DIFFERENCE = "gray_r", "viridis", "RdBu_r"


def use_style() -> None:
    """Sets Matplotlib up for the course: its colours, text that a phone and the last row can read, no chart junk."""
    mpl.rcParams.update(
        {
            "axes.prop_cycle": plt.cycler(color=CURVE_COLORS),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 15,
            "axes.labelsize": 14,
            "font.size": 14,
            "legend.frameon": False,
            "figure.constrained_layout.use": True,
            "image.cmap": DENSITY,
            "image.interpolation": "nearest",
        }
    )


def show(fig: Figure, alt: str) -> None:
    """Displays a figure with a text for those who cannot see it, and closes it.

    Jupyter gives its own images no alt text, so the picture goes out as HTML. `alt` says what the figure shows, with
    the numbers that matter.

    Raises:
        ValueError: When it is empty.
    """
    if not alt.strip():
        raise ValueError("alt is empty: say in a sentence what the figure shows.")
    src = png(fig)
    width = round(fig.get_figwidth() * 96)
    picture = (
        f'<img src="data:image/png;base64,{src}" alt="{html.escape(alt)}" width="{width}" '
        f'style="max-width:100%;height:auto;background:white">'
    )
    display({"text/html": picture, "text/plain": alt}, raw=True)


def png(fig: Figure, dpi: int = 160, colors: int = 256) -> str:
    """The figure as a PNG in base64, with few colours: plenty for a chart, and a third of the bytes. Closes it."""
    raw, small = io.BytesIO(), io.BytesIO()
    fig.savefig(raw, dpi=dpi, facecolor="white")
    plt.close(fig)
    picture = Image.open(raw).convert("RGB")
    picture = picture.quantize(colors, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    picture.save(small, "PNG", optimize=True)
    return b64encode(small.getvalue()).decode()


def source(*things: Callable[..., Any]) -> None:
    """Displays the source code of classes or functions as it stands in the library: what you read is what runs."""
    code = "\n\n".join(textwrap.dedent(inspect.getsource(thing)).rstrip() for thing in things)
    display(Markdown(f"```python\n{code}\n```"))


def tile(images: Any, columns: int, gap: int = 1) -> NDArray[Any]:
    """One large image of N small ones (N, H, W), row by row, with `gap` empty pixels between them.

    Raises:
        ValueError: For other shapes.

    Example:
        Two rows of three:

        >>> tile(np.zeros((6, 28, 28)), columns=3).shape
        (57, 86)
    """
    images, columns, gap = _grey(images), as_count(columns, "columns"), as_count(gap, "gap", 0)
    rows = -(-len(images) // columns)
    padded = np.zeros((rows * columns, images.shape[1] + gap, images.shape[2] + gap), images.dtype)
    padded[: len(images), : images.shape[1], : images.shape[2]] = images
    grid = padded.reshape(rows, columns, *padded.shape[1:]).swapaxes(1, 2)
    return grid.reshape(rows * padded.shape[1], columns * padded.shape[2])[: -gap or None, : -gap or None]


def _grey(images: Any) -> NDArray[Any]:
    array = as_array(getattr(images, "images", images), "images")
    if array.ndim != 3 or not array.size:
        raise ValueError(f"images must be (N, H, W), in grey, at least one; got {array.shape}. One is images[None].")
    return array


def image_row(images: Any, titles: list[str] | None = None, size: float = 1.2, cmap: str = INK) -> Figure:
    """A row of images (N, H, W) with values in [0, 1], each under its title; what lies a little beyond is cut off.

    Raises:
        ValueError: For other shapes and ranges, and unless each image has its title.
    """
    images = _grey(images)
    if not (images.min() > -0.5 and images.max() < 1.5):
        check_range(torch.from_numpy(images))
    titles = [""] * len(images) if titles is None else titles
    if len(titles) != len(images):
        raise ValueError(f"titles must be one for each of the {len(images)} images; got {len(titles)}.")
    fig, axes = plt.subplots(1, len(images), figsize=(size * len(images), size * (1.3 if any(titles) else 1)))
    for ax, image, title in zip(np.atleast_1d(axes), images, titles, strict=True):
        ax.imshow(image, cmap=cmap, vmin=0, vmax=1)
        ax.set_title(title, fontsize=13)
        ax.axis("off")
    return fig


def latent_axes(ax: Axes, extent: float = 4.0) -> None:
    """Turns axes into the plane of codes: square, from -extent to extent, with the prior's circles at 1, 2, 3 sd."""
    for radius in (1, 2, 3):
        ax.add_patch(plt.Circle((0, 0), radius, fill=False, color="0.55", lw=0.8, ls=(0, (4, 4)), zorder=0.5))
    ax.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal", xlabel="$z_1$", ylabel="$z_2$")


def scatter_codes(ax: Axes, codes: Any, labels: Any, class_names: tuple[str, ...], extent: float = 4.0) -> None:
    """Draws codes (N, 2) on the latent plane, coloured by class, each class named near the middle of its codes."""
    codes = as_array(as_codes(codes, 2, name="codes"), "codes")
    if codes.ndim != 2 or not np.isfinite(codes).all():
        raise ValueError(f"codes must be finite numbers (N, 2), one code a row; got shape {codes.shape}.")
    labels = as_labels(labels, codes.shape[:1], len(class_names)).numpy()
    order = np.random.default_rng(0).permutation(len(codes))  # so that no class is drawn over all others
    x, y = codes[order].T
    ax.scatter(x, y, c=np.take(CLASS_COLORS, labels[order] % 10), s=3, alpha=0.5, lw=0, rasterized=True)
    there = np.unique(labels)
    middles = np.array([np.median(codes[labels == c], axis=0) for c in there]).reshape(-1, 2)
    inches = ax.get_window_extent().width / ax.figure.dpi
    for c, middle, place in zip(there, middles, apart(middles, 2 * extent * 0.33 / inches), strict=True):
        color = CLASS_COLORS[c % 10]
        ax.plot(*np.transpose([middle, place]), color=color, lw=1.2, solid_capstyle="butt")
        box = {"boxstyle": "circle,pad=0.18", "fc": "white", "ec": color, "lw": 1.8}
        ax.text(place[0], place[1], class_names[c], ha="center", va="center", weight="bold", fontsize=12, bbox=box)
    latent_axes(ax, extent)


def apart(places: NDArray[Any], gap: float) -> NDArray[Any]:
    """Places (N, 2) for labels, each as near as may be to where it belongs, and none nearer to another than `gap`.

    Two that are too near push each other away, again and again.

    Example:
        >>> apart(np.array([[0.0, 0.0], [0.2, 0.0], [5.0, 5.0]]), gap=1.0).round(1) + 0
        array([[-0.4,  0. ],
               [ 0.6,  0. ],
               [ 5. ,  5. ]])
    """
    turn = np.arange(len(places))
    moved = places + 1e-6 * np.stack([np.cos(turn), np.sin(turn)], axis=1)  # two in one place need a direction, too
    for _ in range(300):
        between = moved[:, None] - moved
        distance = np.linalg.norm(between, axis=2) + np.eye(len(places))  # none pushes itself
        push = np.clip(gap - distance, 0, None) * (1 - np.eye(len(places))) / 2
        moved = moved + (between * (push / distance)[:, :, None]).sum(1)
    return moved


@verdict
def decoded_plane(ax: Axes, model: VAE, extent: float = 3.0, steps: int = 21) -> None:
    """Draws f(z) for steps x steps codes z spread evenly over the plane from -extent to extent."""
    extent, steps = as_positive(extent, "extent"), as_count(steps, "steps", 2)
    line = torch.linspace(-extent, extent, steps)
    z2, z1 = torch.meshgrid(line.flip(0), line, indexing="ij")  # z2 grows upwards, as on paper
    images = model.decode(torch.stack([z1, z2], dim=-1).reshape(-1, 2)).mean.cpu().numpy()
    half = extent + extent / (steps - 1)  # so that each image is centred on its own z
    ax.imshow(tile(images, steps, gap=0), cmap=INK, vmin=0, vmax=1, extent=(-half, half, -half, half))
    ax.set(xlabel="$z_1$", ylabel="$z_2$")


def matrix(ax: Axes, values: Any, names: tuple[str, ...], hide_diagonal: bool = False) -> None:
    """Draws a square matrix (C, C) of shares as percentages; the diagonal can be left grey to let the rest speak."""
    values = as_array(values, "values").astype(float)
    if values.shape != (len(names), len(names)) or not np.isfinite(values).all():
        raise ValueError(f"values must be finite numbers (C, C), one row a name of {len(names)}; got {values.shape}.")
    shown = np.ma.masked_array(values, mask=np.eye(len(values), dtype=bool) & hide_diagonal)
    cmap = mpl.colormaps["Blues"].with_extremes(bad="0.85")
    top = float(shown.max())
    ax.imshow(shown, cmap=cmap, vmin=0, vmax=top)
    for i, row in enumerate(values):
        for j, v in enumerate(row):
            light = v > 0.6 * top and not (hide_diagonal and i == j)
            ax.text(j, i, f"{100 * v:.0f}", ha="center", va="center", fontsize=10, color="white" if light else "black")
    ticks = range(len(names))
    ax.set(xticks=ticks, yticks=ticks, xticklabels=names, yticklabels=names)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
