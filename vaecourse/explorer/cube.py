"""Three pixels: a picture is a point of a cube, and what a model says of pictures can be seen in it.

    from vaecourse.data.bars import World
    from vaecourse.explorer import PixelCube

    world = World("ink")
    cube = PixelCube(world, world.sample(1000, generator)[1], show=("data", "sheet"))

The browser draws, adds up P(x) and, if it is asked to, trains a VAE, all by itself, here and in the book's pages. What
runs there stands in web/src, in the modules whose names begin with cube.
"""

from __future__ import annotations

import html
import math
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
import traitlets
from numpy.typing import ArrayLike, NDArray
from torch import nn

from ..data.bars import World
from ..images import as_array, as_images, as_numbers
from ..model import VAE
from ..plots import CLASS_COLORS, CURVE_COLORS, png
from .inputs import array, check_caption, check_labels, check_number
from .weights import pack, unpack
from .widget import HERE, CourseWidget, Number, Whole, element

__all__ = ["PixelCube"]

WORDS = {  # what can be seen, and how a still says so
    "data": "the data",
    "sheet": "the drawings f(z)",
    "thickness": "their thickness sigma",
    "cloud": "P(x) as a cloud",
    "cut": "a cut through P(x)",
    "posterior": "a picture x and its posterior",
    "ways": "ways from A to B",
}
MOVING = ("z1", "z2", "x", "ends", "show", "yaw", "pitch", "cut", "cut_axis", "sigma")
CELLS = ("left", "middle", "right")
SIGMAS = (0.005, 0.5)  # the least and the most that its slider gives
FEWEST = 200  # pictures to learn from: half of them may be held out
UNLABELLED = 255  # the label of pictures without one
NOTE = "This is a picture. To turn it, run this cell in a notebook; in a page of the book, turn JavaScript on."


class PixelCube(CourseWidget):
    """The cube of all pictures of three pixels, with a model's drawings f(z) in it, to turn and to take things by hand.

    Beside it lies the latent plane, or line, with the same things. The names of what can be seen are "data" (a dot a
    picture), "sheet" (f(z) with the latent grid on it; a curve if there is one latent number), "thickness" (one sigma
    to each side of it), "cloud" (P(x)), "cut" (log P(x) on a plane through the cube), "posterior" (the picture x, and
    P(z|x) on the sheet and on the plane) and "ways" (from A to B: cross-fade, straight line in z, geodesic).

    Traits to read, set, observe and link: z1, z2; x, the picture, three numbers in [0, 1], or []; ends, [[z1, z2],
    [z1, z2]], or []; show, a list of names; yaw and pitch, degrees; cut, from 0 to 1, and cut_axis, 0, 1 or 2, the cell
    that the cut holds; sigma, of P(x|z), which may be turned down to the spike. More than 2,000 pictures are thinned
    evenly for the page.

    Args:
        model: a `bars.World`, or a VAE of three pixels whose layers are the usual ones
        images: pictures (N, 1, 3) or (N, 3) in [0, 1] to show, and to learn from, with `labels` (N,), whole numbers
        class_names: what the labels are called; None means "0", "1", …
        show: what to see at first; the reader can choose. None: the data, if there are any, and the sheet
        z: where the point begins; one number if the model has one
        x: a picture, three numbers in [0, 1], whose posterior can be shown
        ends: two codes, between which the ways can be shown
        learn: adds buttons with which the model, an untrained VAE, learns in the page. Python keeps the untrained one.
        extent: the plane and the sheet reach from -extent to extent, in sd of the prior
        caption: what to try, and what to look for

    Raises:
        ValueError: Saying what to do, for what cannot be shown.

    Example:
        >>> from vaecourse.data.bars import World
        >>> cube = PixelCube(World("ink"), x=(0.6, 0.5, 0.2), show=("sheet", "posterior"))
        >>> cube.sigma, cube.x
        (0.03, [0.6, 0.5, 0.2])
    """

    _esm = HERE / "cube.js"

    z1 = Number(0.0, help="the point's first coordinate, in sd of the prior").tag(sync=True)
    z2 = Number(0.0, help="the point's second coordinate").tag(sync=True)
    x: traitlets.List[float] = traitlets.List(help="the picture: left, middle, right; or empty").tag(sync=True)
    ends: traitlets.List[list[float]] = traitlets.List(help="[[z1, z2], [z1, z2]], or empty").tag(sync=True)
    show: traitlets.List[str] = traitlets.List(help="what is to be seen").tag(sync=True)
    yaw = Number(-38.0, help="degrees, how far the cube is turned").tag(sync=True)
    pitch = Number(22.0, help="degrees, from how far above it is seen").tag(sync=True)
    cut = Number(0.5, help="where the cut stands").tag(sync=True)
    cut_axis = Whole(1, help="the cell that the cut holds: 0, 1 or 2").tag(sync=True)
    sigma = Number(0.03, help="standard deviation of a pixel around f(z)").tag(sync=True)
    weights = traitlets.Bytes(help="a VAE, as a safetensors file in float32").tag(sync=True)
    pictures = traitlets.Bytes(help="uint16 triples, 65535 = ink").tag(sync=True)
    labels = traitlets.Bytes(help="uint8; 255 = none").tag(sync=True)

    def __init__(
        self,
        model: World | VAE,
        images: Any = None,
        labels: ArrayLike | None = None,
        *,
        class_names: list[str] | None = None,
        show: Sequence[str] | None = None,
        z: ArrayLike = (0.0, 0.0),
        x: ArrayLike | None = None,
        ends: Sequence[ArrayLike] | None = None,
        learn: bool = False,
        extent: float = 3.0,
        caption: str = "",
    ):
        check_cube_model(model, learn)
        extent = check_number(extent, "extent")
        if not 1 <= extent <= 10:
            raise ValueError(f"extent must be a number from 1 to 10, in sd of the prior; got {extent!r}.")
        points = np.empty((0, 3)) if images is None else triples(images, "images")
        pictures, marks = check_labels(points, labels)
        if learn and len(pictures) < FEWEST:
            raise ValueError(f"learn=True needs at least {FEWEST} images to learn from; got {len(pictures)}.")
        names = [str(n) for n in (range(255) if class_names is None else class_names)]
        super().__init__(
            spec={
                "dim": model.latent_dim,
                "extent": float(extent),
                "names": [] if labels is None else names[: int(marks.max(initial=0)) + 1],
                "caption": check_caption(caption),
                "learn": bool(learn),
                "hold": isinstance(model, VAE) and model.config["sigma"] is not None,
                "world": {"second": model.second, "width": model.width} if isinstance(model, World) else None,
            },
            weights=pack(model, torch.float32) if isinstance(model, VAE) else b"",
            pictures=(pictures * 65535).round().astype("<u2").tobytes(),
            labels=(np.full_like(marks, UNLABELLED) if labels is None else marks).tobytes(),
        )
        self.x = [] if x is None else array(x, "x").tolist()
        self.ends = [] if ends is None else [array(end, "ends").tolist() for end in ends]
        self.show = [*(["data"] if len(pictures) else []), "sheet"] if show is None else list(show)
        self.z1, self.z2 = self._code(z, "z")
        self.sigma = float(model.sigma or 0)

    def _code(self, z: ArrayLike, name: str) -> list[float]:
        """A code on the plane, as two numbers; the second is 0 where there is one only."""
        dim, extent = self.spec["dim"], self.spec["extent"]
        numbers = np.atleast_1d(array(z, name))
        if numbers.ndim > 1 or len(numbers) not in (dim, 2) or (abs(numbers[:dim]) > extent).any():
            raise ValueError(f"{name} must be {dim} number{'s' * (dim > 1)} from {-extent:g} to {extent:g}; got {z!r}.")
        return [float(numbers[0]), float(numbers[1]) if dim == 2 else 0.0]

    @traitlets.validate("z1", "z2", "sigma", "cut", "yaw", "pitch", "cut_axis")
    def _in_range(self, proposal: dict[str, Any]) -> float:
        """The nearest value that can be shown, as a slider's end stops a thumb."""
        name, value = proposal["trait"].name, proposal["value"]
        if name == "yaw":
            return (value + 180) % 360 - 180
        extent = self.spec.get("extent", math.inf)
        ranges = {"sigma": SIGMAS, "cut": (0, 1), "cut_axis": (0, 2), "pitch": (-90, 90)}
        low, high = ranges.get(name, (-extent, extent))
        return min(high, max(low, value))

    @traitlets.validate("show")
    def _known(self, proposal: dict[str, Any]) -> list[str]:
        wanted = {"data": ("images", self.pictures), "posterior": ("x", self.x), "ways": ("ends", self.ends)}
        for name in proposal["value"]:
            if name not in WORDS:
                raise ValueError(f"show must be names of {', '.join(WORDS)}; got {name!r}.")
            argument, there = wanted.get(name, ("", True))
            if not there:
                raise ValueError(f"{name!r} cannot be shown without {argument}. Give {argument}=…")
        return [name for name in WORDS if name in proposal["value"]]

    @traitlets.validate("x")
    def _a_picture(self, proposal: dict[str, Any]) -> list[float]:
        if proposal["value"]:
            triples([proposal["value"]], "x")
        return [float(value) for value in proposal["value"]]

    @traitlets.validate("ends")
    def _two_codes(self, proposal: dict[str, Any]) -> list[list[float]]:
        if len(proposal["value"]) not in (0, 2):
            raise ValueError(f"ends must be two codes, A and B; got {len(proposal['value'])}.")
        return [self._code(end, "each of the ends") for end in proposal["value"]]

    def _twin(self) -> tuple[str, str]:
        words = describe(self)
        state = {name: getattr(self, name) for name in (*MOVING, "spec")}
        state |= {name: b64encode(getattr(self, name)).decode() for name in ("weights", "pictures", "labels")}
        return element("pixel-cube", state, still(self, words), NOTE), words


def check_cube_model(model: Any, learn: bool) -> None:
    """Raises ValueError unless the browser can run the model, and let it learn if it is to."""
    if isinstance(model, World):
        if learn:
            raise ValueError("a World is the truth and has nothing to learn. Give VAE((1, 3), 2, hidden=(32,)).")
    else:
        if not isinstance(model, VAE):
            raise ValueError(f"model must be a bars.World or a VAE of three pixels; got {type(model).__name__}.")
        if math.prod(model.image_shape) != 3 or model.latent_dim not in (1, 2) or model.sigma is None:
            raise ValueError(
                f"the cube shows three pixels, 1 or 2 latent numbers and a Gaussian likelihood; this model has "
                f"pictures {model.image_shape} and {model.latent_dim} latent numbers. Try VAE((1, 3), 2, hidden=(32,))."
            )
        for layer in [*model.encoder.net.children(), *model.decoder.net.children()]:
            if not isinstance(layer, nn.Flatten | nn.Linear | nn.GELU):
                raise ValueError(f"the page runs linear layers with GELUs only; this model has a {layer}.")
        if not all(torch.isfinite(p).all() for p in model.parameters()):
            raise ValueError("the model's weights hold NaN or infinity. Train it again.")
    if not SIGMAS[0] <= model.sigma <= SIGMAS[1]:
        raise ValueError(f"the cube shows sigma from {SIGMAS[0]} to {SIGMAS[1]}; this model's is {model.sigma:.3g}.")


def triples(images: Any, name: str) -> NDArray[np.float64]:
    """Pictures (N, 3), of pictures (N, 1, 3) or (N, 3) with values in [0, 1]."""
    numbers = as_numbers(getattr(images, "images", images), name)
    shape = (1, 3) if numbers.ndim == 3 else (3,)
    return as_array(as_images(numbers, shape, name=name), name).reshape(-1, 3).astype(np.float64)


def describe(cube: PixelCube) -> str:
    """What a reader who cannot see the still should know."""
    z = ", ".join(f"{v:.2f}" for v in (cube.z1, cube.z2)[: cube.spec["dim"]])
    seen = ", ".join(WORDS[name] for name in cube.show) or "nothing"
    return f"Cube of all pictures of three pixels, with {seen}; the point stands at z = ({z})."


@torch.no_grad()
def still(cube: PixelCube, words: str) -> str:
    """The cube as an <img>, with what it shows in words."""
    world = cube.spec["world"]
    model = World(**world) if world else unpack(cube.weights)
    extent, dim = cube.spec["extent"], cube.spec["dim"]
    ax: Any
    fig, ax = plt.subplots(figsize=(6, 6), subplot_kw={"projection": "3d", "proj_type": "ortho"}, layout="constrained")
    ax.view_init(elev=cube.pitch, azim=cube.yaw - 90)

    def drawn(z: torch.Tensor) -> NDArray[Any]:
        return model.decode(z).mean.reshape(*z.shape[:-1], 3).numpy()

    points = np.frombuffer(cube.pictures, "<u2").reshape(-1, 3) / 65535
    if "data" in cube.show:
        ax.scatter(*points.T, c=np.take(CLASS_COLORS, np.frombuffer(cube.labels, np.uint8) % 10), s=3, alpha=0.6, lw=0)
    if "cloud" in cube.show:
        z = torch.randn(1500, dim, generator=torch.Generator().manual_seed(0))
        noise = np.random.default_rng(0).normal(size=(1500, 3)) * cube.sigma
        ax.scatter(*(drawn(z) + noise).T, c="0.4", s=2, alpha=0.4, lw=0)
    line = torch.linspace(-extent, extent, 33 if dim == 2 else 200)
    if {"sheet", "thickness"} & set(cube.show):
        if dim == 1:
            ax.plot(*drawn(line[:, None]).T, color="0.3", lw=3)
        else:
            sheet = drawn(torch.cartesian_prod(line, line))
            ax.plot_wireframe(*sheet.T.reshape(3, 33, 33), color="0.3", lw=0.5, rstride=2, cstride=2)
    if "ways" in cube.show:
        a, b = torch.tensor(cube.ends)[:, :dim]
        along = drawn(torch.lerp(a, b, torch.linspace(0, 1, 40)[:, None]))
        ax.plot(*along.T, color="black", lw=3)
        ax.plot(*along[[0, -1]].T, color=CURVE_COLORS[2], lw=3, ls="--")
    if "posterior" in cube.show:
        ax.plot(*np.reshape(cube.x, (3, 1)), "o", ms=10, color=CURVE_COLORS[4])
    ax.plot(*drawn(torch.tensor([[cube.z1, cube.z2][:dim]])).T, "o", ms=10, color="#e8112d")
    ax.set(xlim=(0, 1), ylim=(0, 1), zlim=(0, 1), box_aspect=(1, 1, 1))
    ax.set(**{f"{axis}label": f"{cell} cell" for axis, cell in zip("xyz", CELLS, strict=True)})
    return f'<img src="data:image/png;base64,{png(fig, dpi=80, colors=32)}" alt="{html.escape(words)}" width="480">'
