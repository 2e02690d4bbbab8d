"""Beat the geodesic by hand: the reader draws a way between two codes, and the page scores it beside others.

    from vaecourse.explorer import OwnPath

    OwnPath(model, a, b, codes, labels, maps={"doubt": …, "distance": …}, ways={"line": lerp(a, b, 2), …})

The browser draws with the model and looks up the maps, here and in the book's pages. What it computes stands in
web/src/path-score.js.
"""

from __future__ import annotations

import html
import math
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import traitlets
from numpy.typing import ArrayLike

from ..model import VAE
from ..plots import CLASS_COLORS, latent_axes, png
from .inputs import (
    check_caption,
    check_codes,
    check_extent,
    check_labels,
    check_map,
    check_model,
    check_number,
    check_path,
    check_point,
    pairs,
)
from .pages import page_model
from .weights import pack, unpack
from .widget import HERE, ModelWidget, element, refusal

__all__ = ["OwnPath"]

COLUMNS = ("way in doubt", "mean doubt", "distance", "total change", "length")
MAPS = ("doubt", "distance")
OWN = "your path"
STYLES = ("-", "--", ":", "-.")
BYTES = ("codes", "labels", "maps", "ways")
NEAR = 1e-3  # sd of the prior: so close to A and B a way must begin and end
NOTE = "This is a picture. To draw a path, run this cell in a notebook; in a page of the book, turn JavaScript on."
NO_COPY = (
    "This is a picture: a page can run only the small models, whose names end in -page. Draw a path in the notebook."
)


class Points(traitlets.List):  # type: ignore[type-arg]  # older versions have no types
    """A trait for points of the plane, whatever holds them."""

    def validate(self, obj: Any, value: Any) -> list[list[float]]:
        with refusal():
            points: list[list[float]] = pairs(value if np.size(value) else None, str(self.name)).tolist()
            return points


class OwnPath(ModelWidget):
    """A plane on which the reader draws a way from A to B, and a scorecard of it and of others.

    It can be drawn by hand in one stroke, or from waypoint to waypoint with mouse, finger or keys. Traits: own, the
    reader's path, a list of [z1, z2] from A to B, or [] (set it, and A and B are added where they are missing); scores,
    {name of the way: {column: value}} as the page has found them, to read only, and empty until it has. More than 2,000
    codes are thinned evenly for the page.

    The columns, in each of which less is better, are taken at constant speed of the picture:

    - "way in doubt": the share of the way on which the doubt is more than 0.3 nats
    - "mean doubt": in nats
    - "distance": the mean of that map
    - "total change": how far the pictures go, over the distance from f(a) to f(b)
    - "length": on the plane, over the line's

    Args:
        model: a VAE with two latent numbers; in the book's pages it must be one that a page can run (…-page)
        a: code where every way begins; b: where it ends; two numbers each
        codes: (N, 2) codes to show behind the paths, with their `labels` (N,), whole numbers from 0 to 254
        maps: {"doubt": (H, W), "distance": (H, W)}, of f(z) on evenly spaced codes from -extent to extent, the edges
            included, first row at the bottom: a judge's entropy in nats, and the distance to the nearest real image as
            a ratio to what real images have. The page looks both up between their values. Where classes meet, doubt is
            a ridge a few hundredths of an sd wide: on a grid that is coarser than 0.02 the page says what no judge
            would (up to 512 values a side; the two maps may differ in size)
        ways: {name: (T, 2)}, paths from a to b to compare with
        rows: {name: {column: value}}, scores of what is no path on the plane; a column may be missing, or None. One
            without a total change is no way from A to B, such as a real image: it is shown, and nobody beats it
        extent: the plane shows -extent to extent, in sd of the prior
        caption: what to try, and what to look for

    Raises:
        ValueError: Saying what to do, for what cannot be shown.
        traitlets.TraitError: The same, for what `own` is set to later. It keeps the value that it had.

    Example:
        >>> from vaecourse import load_pretrained
        >>> maps = {"doubt": np.zeros((9, 9)), "distance": np.ones((9, 9))}
        >>> line = {"line": [(-1, 0), (1, 0)]}
        >>> plane = OwnPath(load_pretrained("strokes-2d-page"), (-1, 0), (1, 0), [(0, 0)], [1], maps, line)
        >>> plane.own = [(0, 0.5)]
        >>> plane.own
        [[-1.0, 0.0], [0.0, 0.5], [1.0, 0.0]]
    """

    _esm = HERE / "own-path.js"

    own = Points(help="[[z1, z2], ...] from A to B, or empty").tag(sync=True)
    scores: traitlets.Dict[str, Any] = traitlets.Dict(read_only=True, help="of each way, by column").tag(sync=True)
    labels = traitlets.Bytes(help="uint8").tag(sync=True)
    maps = traitlets.Bytes(help="uint16 shares of the ranges in spec, the doubt first").tag(sync=True)
    ways = traitlets.Bytes(help="float32 pairs, one way after the other").tag(sync=True)

    def __init__(
        self,
        model: VAE,
        a: ArrayLike,
        b: ArrayLike,
        codes: ArrayLike,
        labels: ArrayLike,
        maps: Mapping[str, ArrayLike],
        ways: Mapping[str, ArrayLike],
        rows: Mapping[str, Mapping[str, float | None]] | None = None,
        extent: float = 4.0,
        caption: str = "",
    ):
        check_model(model, draw=False)
        extent = check_extent(extent)
        ends = [check_point(a, "a", extent), check_point(b, "b", extent)]
        if math.dist(*ends) < 10 * NEAR:
            raise ValueError(f"a and b must be two different codes; both lie at {ends[0]}.")
        points, marks = check_labels(check_codes(codes), labels)
        packed = pack_maps(maps)
        paths = check_ways(ways, ends, extent)
        given = check_rows(rows or {}, paths)
        super().__init__(
            pack(model),
            spec={
                "extent": extent,
                "names": [str(c) for c in range(int(marks.max(initial=0)) + 1)],
                "a": list(ends[0]),
                "b": list(ends[1]),
                "maps": {name: spec for name, (_, spec) in packed.items()},
                "ways": {name: len(path) for name, path in paths.items()},
                "rows": given,
                "caption": check_caption(caption),
            },
            codes=points.astype("<f2").tobytes(),
            labels=marks.tobytes(),
            maps=b"".join(values for values, _ in packed.values()),
            ways=np.concatenate(list(paths.values())).astype("<f4").tobytes(),
        )

    @traitlets.validate("own")
    def _from_a_to_b(self, proposal: dict[str, Any]) -> list[list[float]]:
        points: list[list[float]] = proposal["value"]
        if not points or not self.spec:
            return points
        with refusal():
            points = [list(check_point(z, "each point of own", self.spec["extent"])) for z in points]
        a, b = self.spec["a"], self.spec["b"]
        before = [] if np.allclose(points[0], a, atol=NEAR) else [a]
        after = [] if np.allclose(points[-1], b, atol=NEAR) else [b]
        return [*before, *points, *after]

    @traitlets.observe("own")
    def _forget_scores(self, change: dict[str, Any]) -> None:
        """A path that did not come with its scores has none until the page has found them."""
        if "scores" not in self._property_lock:  # holds what a page tells, while it is told
            self.set_trait("scores", {})

    def _twin(self) -> tuple[str, str]:
        words, model = describe(self), unpack(self.packed)
        name = page_model(model)
        if name is None or name != model.meta["name"]:
            return f'<div class="lx-still">{still(self, words)}<p>{NO_COPY}</p></div>', words
        state = {"own": self.own, "scores": {}, "spec": self.spec}
        state |= {trait: b64encode(getattr(self, trait)).decode() for trait in BYTES}
        return element("own-path", state, still(self, words), NOTE, f' data-model="{name}"'), words


def pack_maps(maps: Mapping[str, ArrayLike]) -> dict[str, tuple[bytes, dict[str, Any]]]:
    """Each map as two bytes for each value, and its size and range. Raises ValueError."""
    if set(maps) != set(MAPS):
        raise ValueError(f'maps must be {{"doubt": (H, W), "distance": (H, W)}}; got {", ".join(map(str, maps))}.')
    packed = {}
    for name in MAPS:
        values = check_map(maps[name], name)
        low, high = float(values.min()), float(values.max())
        shares = (values - low) / ((high - low) or 1)
        spec = {"height": values.shape[0], "width": values.shape[1], "low": low, "high": high}
        packed[name] = ((shares * 65535).round().astype("<u2").tobytes(), spec)
    return packed


def check_ways(ways: Mapping[str, ArrayLike], ends: list[tuple[float, float]], extent: float) -> dict[str, np.ndarray]:
    """Each way as (T, 2) float64, T >= 2. Raises ValueError for what is no path from end to end on the plane."""
    if not ways:
        raise ValueError('ways must hold at least one path to compare with, such as {"line": lerp(a, b, 2)}.')
    checked = {}
    for name, way in ways.items():
        if not isinstance(name, str) or name in ("", OWN):
            raise ValueError(f"each of the ways must have a name other than the reader's, {OWN!r}; got {name!r}.")
        path = check_path(way)
        if not np.allclose(path[[0, -1]], ends, atol=NEAR):
            raise ValueError(f'the way "{name}" must lead from a to b; it leads from {path[0]} to {path[-1]}.')
        if abs(path).max() > extent:
            raise ValueError(
                f'the way "{name}" leaves the plane, where the maps say nothing: it reaches {abs(path).max():.2f}, and '
                f"extent is {extent:g}. Give a larger extent, and maps that reach as far."
            )
        checked[name] = path
    return checked


def check_rows(
    rows: Mapping[str, Mapping[str, float | None]], ways: Mapping[str, Any]
) -> dict[str, dict[str, float | None]]:
    """Rows of scores that are given ready. Raises ValueError for columns and names that cannot be."""
    for name, row in rows.items():
        if not isinstance(name, str) or name in ("", OWN, *ways):
            raise ValueError(f"each of the rows must have a name that no way has; got {name!r}.")
        if unknown := set(row) - set(COLUMNS):
            raise ValueError(f"the columns of a row are {', '.join(COLUMNS)}; got {', '.join(map(repr, unknown))}.")
    return {
        name: {k: None if v is None else check_number(v, f'"{k}" of "{name}"') for k, v in row.items()}
        for name, row in rows.items()
    }


def paths_of(widget: OwnPath) -> dict[str, np.ndarray]:
    """The ways, by name, (T, 2) each."""
    counts = widget.spec["ways"]
    points = np.frombuffer(widget.ways, "<f4").reshape(-1, 2)
    return dict(zip(counts, np.split(points, np.cumsum(list(counts.values()))[:-1]), strict=True))


def describe(widget: OwnPath) -> str:
    """What a reader who cannot see the still should know."""
    (a1, a2), (b1, b2) = widget.spec["a"], widget.spec["b"]
    own = f"and a path of one's own through {len(widget.own)} points" if widget.own else "and no path of one's own yet"
    return (
        f"Latent plane with the ways {', '.join(widget.spec['ways'])} from A at ({a1:.2f}, {a2:.2f}) to B at "
        f"({b1:.2f}, {b2:.2f}), {own}."
    )


def still(widget: OwnPath, words: str) -> str:
    """The plane with all ways as an <img>, with what it shows in words."""
    fig, ax = plt.subplots(figsize=(6, 6), layout="constrained")
    codes = np.frombuffer(widget.codes, "<f2").astype(float).reshape(-1, 2)
    colors = np.take(CLASS_COLORS, np.frombuffer(widget.labels, np.uint8) % 10)
    ax.scatter(codes[:, 0], codes[:, 1], c=colors, s=3, alpha=0.6, lw=0)
    for i, (name, path) in enumerate(paths_of(widget).items()):
        ax.plot(*path.T, STYLES[i % 4], color="black", lw=2, label=name)
    if widget.own:
        ax.plot(*np.transpose(widget.own), color="#c00d26", lw=3, label=OWN)
    for name in "ab":
        ax.annotate(name.upper(), widget.spec[name], ha="center", va="center", color="white", bbox={"fc": "black"})
    ax.legend(loc="upper right")
    latent_axes(ax, widget.spec["extent"])
    return f'<img src="data:image/png;base64,{png(fig, dpi=80, colors=32)}" alt="{html.escape(words)}" width="480">'
