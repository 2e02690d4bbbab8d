"""The draggable latent plane: alive in JupyterLab, Notebook, VS Code, Colab, and in the book's pages with no kernel.

    from vaecourse import LatentExplorer, load_pretrained

    plane = LatentExplorer(load_pretrained("mnist-2d"))
    plane                    # drag the point, or
    plane.z1 = 1.5           # set it, read it, observe it, or link it to a slider

The browser decodes by itself, so a drag costs no message to Python. What runs there stands in web/, in small modules;
`make web` bundles them into `explorer.js`.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import ArrayLike
from safetensors.torch import save

from ..files import write_whole
from ..model import VAE
from .inputs import check_codes, check_heat, check_images, check_labels, check_model, check_path, check_point
from .pages import page_model, page_of_its_own, twin

__all__ = ["LatentExplorer"]

HERE = Path(__file__).parent


def _packed(model: VAE) -> bytes:
    """The weights in half precision, as a shipped model's file has them."""
    tensors = {k: v.detach().cpu().half() if v.ndim else v.detach().cpu() for k, v in model.state_dict().items()}
    return save(
        {k: v.contiguous() for k, v in tensors.items()}, metadata={"meta": json.dumps({"config": model.config})}
    )


class LatentExplorer(anywidget.AnyWidget):
    """A plane of codes with a point to drag, and the drawing f(z) at that point.

    Traits to read, set, observe and link: z1, z2 (float), t (float), ends, background. More than 2,000 codes are
    thinned evenly for the page.

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

    Example:
        >>> from vaecourse import load_pretrained
        >>> plane = LatentExplorer(load_pretrained("strokes-2d"))
        >>> plane.z1, plane.z2 = 1.5, 99
        >>> plane.z1, plane.z2
        (1.5, 4.0)
    """

    _esm = HERE / "explorer.js"
    _css = HERE / "explorer.css"

    z1 = traitlets.Float(0.0, help="the point's first coordinate, in sd of the prior").tag(sync=True)
    z2 = traitlets.Float(0.0, help="the point's second coordinate").tag(sync=True)
    t = traitlets.Float(0.0, help="share of the way from A to B").tag(sync=True)
    ends: traitlets.List[list[float]] = traitlets.List(help="[[z1, z2], [z1, z2]], or empty: no walk").tag(sync=True)
    background = traitlets.Unicode(help="what lies behind the point").tag(sync=True)
    spec = traitlets.Dict(help="what does not change after the start").tag(sync=True)
    weights = traitlets.Bytes(help="the model, as a safetensors file").tag(sync=True)
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
        z: tuple[float, float] | None = None,
        extent: float = 4.0,
        ends: tuple[tuple[float, float], tuple[float, float]] | None = None,
        path: ArrayLike | None = None,
        draw: bool = False,
        image_names: list[str] | None = None,
        background: str | None = None,
        caption: str = "",
    ):
        check_model(model, draw)
        if not (isinstance(extent, int | float) and 1 <= extent <= 20):
            raise ValueError(f"extent must be a number from 1 to 20, in sd of the prior; got {extent!r}.")
        codes, labels = check_labels(check_codes(codes), labels)
        map_bytes, map_spec = check_heat(heat, heat_name)
        pictures, picture_names = check_images(images, image_names, model.image_shape)
        walk = check_path(path)
        if ends is not None and len(walk):
            raise ValueError("give either ends (a line between two points) or path (points along the way), not both.")
        choices = [*([heat_name] if map_spec else []), *(["codes"] if len(codes) else []), "drawings", "nothing"]
        if background is not None and background not in choices:
            raise ValueError(f"background must be one of {', '.join(map(repr, choices))}; got {background!r}.")
        names = [str(n) for n in class_names] if class_names is not None else [str(c) for c in range(256)]
        super().__init__(
            spec={
                "extent": float(extent),
                "names": names[: int(labels.max(initial=0)) + 1],
                "draw": bool(draw),
                "path": bool(len(walk)),
                "caption": caption,
                "heat": map_spec,
                "pictures": picture_names,
                "page_model": page_model(model),
            },
            ends=[list(check_point(end, "each of the two ends", extent)) for end in ends] if ends is not None else [],
            background=background or choices[0],
            weights=_packed(model),
            codes=codes.astype("<f2").tobytes(),
            labels=labels.astype(np.uint8).tobytes(),
            heat=map_bytes,
            path=walk.astype("<f4").tobytes(),
            images=pictures,
        )
        start = [*walk[:1].tolist(), *self.ends[:1], [0.0, 0.0]][0]
        self.z1, self.z2 = check_point(start if z is None else z, "z", extent)
        self._model = model

    @traitlets.validate("z1", "z2")
    def _within_the_plane(self, proposal: dict[str, Any]) -> float:
        """The nearest value on the plane, as a slider's end stops a thumb; what is no number is refused."""
        value, extent = proposal["value"], self.spec.get("extent", math.inf)
        if not math.isfinite(value):
            raise traitlets.TraitError(f"{proposal['trait'].name} must be a finite number; got {value}.")
        return min(extent, max(-extent, value))

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The live widget for a notebook, and a twin in HTML for the book's pages, which have no kernel."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        html, words = twin(self, self._model)
        return data | {"text/html": html, "text/plain": words}, metadata

    def save_page(self, path: str | Path, title: str = "A latent plane to drag") -> Path:
        """Writes one HTML file with the plane as it stands now, alive without Python, and returns its path.

        It opens by double-click and can be put on any web space: weights, codes and front end are all in it, and it
        asks no other host for anything. The weights are in half precision. Written whole or not at all.

        Raises:
            ValueError: For a name that no browser takes for a page or an empty title.
            OSError: Where nothing can be written.
        """
        path = Path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f'path must end in .html, or no browser will show the page; got "{path.name}".')
        if not isinstance(title, str) or not title.strip():
            raise ValueError(f'title must say what the page shows, such as "My digits"; got {title!r}.')
        write_whole(path, page_of_its_own(self, self._model, title).encode())
        return path
