"""The draggable latent plane: alive in JupyterLab, Notebook, VS Code, Colab, and in the book's pages with no kernel.

    from vaecourse import LatentExplorer, load_pretrained

    plane = LatentExplorer(load_pretrained("mnist-2d"))
    plane                    # drag the point, or
    plane.z1 = 1.5           # set it, read it, observe it, or link it to a slider

The browser decodes by itself and waits for no answer from Python; it only tells, at most five times a second and at the
end of a drag, where the point is. What runs there stands in web/, in small modules; `make web` bundles them into
`explorer.js`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import traitlets
from numpy.typing import ArrayLike

from ..files import write_whole
from ..model import VAE
from .inputs import (
    check_caption,
    check_codes,
    check_ends,
    check_extent,
    check_heat,
    check_images,
    check_labels,
    check_model,
    check_path,
    check_point,
)
from .pages import page_model, page_of_its_own, twin
from .weights import pack
from .widget import HERE, PlaneWidget, refusal

__all__ = ["LatentExplorer"]


class Ends(traitlets.List):  # type: ignore[type-arg]  # older versions have no types
    """A trait for two points, whatever holds them."""

    def validate(self, obj: Any, value: Any) -> list[list[float]]:
        with refusal():
            return check_ends(value)


class LatentExplorer(PlaneWidget):
    """A plane of codes with a point to drag, and the drawing f(z) at that point.

    Traits to read, set, observe and link: z1, z2 (float), t (float), ends, background. A drag is told to Python at most
    five times a second, and where it ended. More than 2,000 codes are thinned evenly for the page. The explorer draws
    with the weights as they were when it was made; `close()` frees what it holds. In a notebook that is opened again it
    lives if Jupyter saved it (in JupyterLab: Settings, Save Widget State Automatically); otherwise run its cell.

    Args:
        model: a VAE with two latent numbers
        codes: (N, 2) codes to show behind the point, with their `labels` (N,), whole numbers from 0 to 254
        class_names: what the labels are called; None means "0", "1", …
        heat: (H, W) values of a map over the plane, first row at the bottom; `heat_name` says what they are
        z: where the point begins; None: in the middle, or where the walk begins
        extent: the plane shows -extent to extent, in sd of the prior
        ends: two points to walk between, by a slider t; or `path` (T, 2), such as a geodesic, to walk along
        draw: adds a pad to draw a digit, which is encoded, searched for and scored (Gaussian likelihoods, 28 x 28)
        images: (N, 28, 28) pictures in [0, 1] to pick from beside the pad, at most 200, and `image_names` (N,)
        background: "codes", "drawings", "nothing" or the name of the heat map; None takes the first there is
        caption: what to try, and what to look for

    Raises:
        ValueError: Saying what to do, for what cannot be shown.
        traitlets.TraitError: The same, for what a trait is set to later. It keeps the value that it had.

    Example:
        >>> from vaecourse import load_pretrained
        >>> plane = LatentExplorer(load_pretrained("strokes-2d"))
        >>> plane.z1, plane.z2 = 1.5, 99
        >>> plane.z1, plane.z2
        (1.5, 4.0)
    """

    _esm = HERE / "explorer.js"

    ends = Ends(help="[[z1, z2], [z1, z2]], or empty: no walk").tag(sync=True)
    background = traitlets.Unicode(help="what lies behind the point").tag(sync=True)
    codes = traitlets.Bytes(help="float16 pairs: a page cannot show more digits").tag(sync=True)
    labels = traitlets.Bytes(help="uint8").tag(sync=True)
    heat = traitlets.Bytes(help="uint8 shares of the range in spec").tag(sync=True)
    path = traitlets.Bytes(help="float32 pairs").tag(sync=True)
    images = traitlets.Bytes(help="uint8 grey levels, 255 = ink").tag(sync=True)

    def __init__(
        self,
        model: VAE,
        codes: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        images: ArrayLike | None = None,
        *,
        class_names: list[str] | None = None,
        heat: ArrayLike | None = None,
        heat_name: str = "map",
        z: ArrayLike | None = None,
        extent: float = 4.0,
        ends: ArrayLike | None = None,
        path: ArrayLike | None = None,
        draw: bool = False,
        image_names: list[str] | None = None,
        background: str | None = None,
        caption: str = "",
    ):
        check_model(model, draw)
        extent = check_extent(extent)
        codes, labels = check_labels(check_codes(codes), labels)
        map_bytes, map_spec = check_heat(heat, heat_name)
        pictures, picture_names = check_images(images, image_names, model.image_shape)
        walk, both = check_path(path), check_ends(ends)
        if both and len(walk):
            raise ValueError("give either ends (a line between two points) or path (points along the way), not both.")
        choices = [*([heat_name] if map_spec else []), *(["codes"] if len(codes) else []), "drawings", "nothing"]
        if background is not None and background not in choices:
            raise ValueError(f"background must be one of {', '.join(map(repr, choices))}; got {background!r}.")
        names = [str(n) for n in class_names] if class_names is not None else [str(c) for c in range(256)]
        super().__init__(
            pack(model),
            spec={
                "extent": extent,
                "backgrounds": choices,
                "names": names[: int(labels.max(initial=0)) + 1],
                "draw": bool(draw),
                "path": bool(len(walk)),
                "ends": bool(both),
                "caption": check_caption(caption),
                "heat": map_spec,
                "pictures": picture_names,
                "page_model": page_model(model),
            },
            ends=[list(check_point(end, "each of the two ends", extent)) for end in both],
            background=background or choices[0],
            codes=codes.astype("<f2").tobytes(),
            labels=labels.astype(np.uint8).tobytes(),
            heat=map_bytes,
            path=walk.astype("<f4").tobytes(),
            images=pictures,
        )
        start = [*walk[:1].tolist(), *self.ends[:1], [0.0, 0.0]][0]
        self.z1, self.z2 = check_point(start if z is None else z, "z", extent)

    @traitlets.validate("ends")
    def _ends_on_the_plane(self, proposal: dict[str, Any]) -> list[list[float]]:
        ends: list[list[float]] = proposal["value"]
        with refusal():
            if bool(ends) != self.spec.get("ends", False):
                raise ValueError(
                    "ends can be moved, but neither added nor taken away: make another explorer, with ends or without."
                )
            return [list(check_point(end, "each of the two ends", self.spec["extent"])) for end in ends]

    @traitlets.validate("background")
    def _known_background(self, proposal: dict[str, Any]) -> str:
        name: str = proposal["value"]
        # A drawing brings its posterior, which a page without the drawing does not have.
        choices = [*self.spec.get("backgrounds", [name]), *(["posterior"] if self.spec.get("draw") else [])]
        if name not in choices:
            raise traitlets.TraitError(f"background must be one of {', '.join(map(repr, choices))}; got {name!r}.")
        return name

    def _twin(self) -> tuple[str, str]:
        return twin(self)

    def save_page(self, path: str | Path, title: str = "A latent plane to drag") -> Path:
        """Writes one HTML file with the plane as it stands now, alive without Python, and returns its path.

        It opens by double-click and can be put on any web space: weights, codes and front end are all in it, and it
        asks no other host for anything. The weights are in half precision. Written whole or not at all.

        Raises:
            ValueError: For a name that no browser takes for a page, an empty title, or after `close()`.
            OSError: Where nothing can be written.
        """
        path = Path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f'path must end in .html, or no browser will show the page; got "{path.name}".')
        if not isinstance(title, str) or not title.strip():
            raise ValueError(f'title must say what the page shows, such as "My digits"; got {title!r}.')
        write_whole(path, page_of_its_own(self, title).encode())
        return path
