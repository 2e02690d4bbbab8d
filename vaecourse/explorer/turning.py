"""An object that turns under the reader's hand: known photographs, and between them views that nobody took.

    from vaecourse.explorer import TurningObject

    TurningObject(load_pretrained("turntable-views-20"), protocol.rings(load_dataset("turntable", size=64)), every=4)

The browser runs the decoder that moves pixels (vaecourse.views) for each angle, here and in the book's pages.
"""

from __future__ import annotations

import html
import io
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from PIL import Image
from safetensors.torch import save
from torch import Tensor

from ..model import as_count, verdict
from ..plots import tile
from ..views import ViewVAE, as_views

__all__ = ["TurningObject"]

HERE = Path(__file__).parent
ACROSS = 9  # photographs in a row of a sheet


def sheet(views: Tensor) -> str:
    """All views (V, H, W) of an object as one PNG, a data address."""
    return png_address(Image.fromarray((tile(views.numpy(), ACROSS, gap=0) * 255).round().astype(np.uint8)))


def png_address(picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"


class TurningObject(anywidget.AnyWidget):
    """Objects to turn by hand, with what was held back one click away.

    Traits to read, set, observe and link: angle (degrees), object (0 to O - 1).

    Args:
        model: a trained ViewVAE
        views: (O, V, H, W) photographs in [0, 1] of O objects by growing angle, V evenly around the circle, H = W
        every: the model knows every `every`-th of them; the others are only for comparison
        names: what the O objects are called
        angle: where it begins, in degrees; caption: what to try, and what to look for

    Raises:
        ValueError: Saying what to do.
    """

    _esm = HERE / "turning.js"
    _css = HERE / "explorer.css"

    angle = traitlets.Float(0.0, help="degrees").tag(sync=True)
    object = traitlets.Int(0, help="which of the objects").tag(sync=True)
    spec = traitlets.Dict(help="what does not change after the start").tag(sync=True)
    weights = traitlets.Bytes(help="the decoder, as a safetensors file in half precision").tag(sync=True)
    codes = traitlets.Bytes(help="float32 (O, V / every, latent_dim): the codes of the known views").tag(sync=True)

    @verdict
    def __init__(self, model: ViewVAE, views: Any, every: int, names: list[str], angle: float = 0.0, caption: str = ""):
        views = as_views(views)
        objects, count, height, width = views.shape
        every = as_count(every, "every", 2)
        if height != width or count % every or len(names) != objects:
            raise ValueError(
                f"views must be square, every must divide their number, and names must name each of the {objects} "
                f"objects; got {tuple(views.shape)}, every = {every!r} and {len(names)} names."
            )
        known = views[:, ::every]
        codes = model.encode(known.flatten(0, 1)).mean
        fields = {f"fields.{k}": v.half().contiguous() for k, v in model.fields.state_dict().items()}
        super().__init__(
            spec={
                "names": [str(n) for n in names],
                **{"views": count, "every": every, "side": width, "dim": model.latent_dim},
                "photos": [sheet(v) for v in views],
                "caption": caption,
            },
            weights=save(fields),
            codes=codes.numpy().astype("<f4").tobytes(),
        )
        self.angle = angle
        self._still = views[0, round(angle * count / 360) % count]

    @traitlets.validate("angle")
    def _on_the_circle(self, proposal: dict[str, Any]) -> float:
        """Angles count from 0 to 360; what is no number is refused."""
        if not np.isfinite(proposal["value"]):
            raise traitlets.TraitError(f"angle must be a finite number of degrees; got {proposal['value']}.")
        return proposal["value"] % 360

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The live widget for a notebook, and a twin in HTML for the book's pages, which have no kernel."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        words = f"Turning object: {self.spec['names'][0]} at {self.angle:.0f} degrees, to be turned by a slider."
        state = {"angle": self.angle, "object": self.object, "spec": self.spec}
        state |= {name: b64encode(getattr(self, name)).decode() for name in ("weights", "codes")}
        text = json.dumps(state, allow_nan=False).replace("<", "\\u003c")  # no tag may end the script
        still = Image.fromarray((self._still.numpy() * 255).round().astype(np.uint8)).resize((256, 256))
        image = f'<img src="{png_address(still)}" alt="{html.escape(words)}" width="256">'
        note = "A picture of an object that can be turned: with JavaScript on, or in Jupyter, it comes to life."
        twin = (
            f'<turning-object><div class="lx-still">{image}<p>{note}</p></div>'
            f'<script type="application/json">{text}</script></turning-object>'
        )
        return data | {"text/html": twin, "text/plain": words}, metadata
