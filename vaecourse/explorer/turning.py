"""An object that turns under the reader's hand: known photographs, and between them views that nobody took.

    from vaecourse.explorer import TurningObject

    TurningObject(load_pretrained("turntable-views-20"), protocol.rings(load_dataset("turntable", size=64)), every=4)

The browser runs the decoder that moves pixels (vaecourse.views) for each angle, here and in the book's pages.
"""

from __future__ import annotations

import html
import io
from base64 import b64decode, b64encode
from typing import Any

import numpy as np
import traitlets
from PIL import Image
from safetensors.torch import save
from torch import Tensor

from ..model import as_count, verdict
from ..plots import tile
from ..views import ViewVAE, as_views
from .inputs import check_caption, check_number
from .widget import HERE, ModelWidget, Number, Whole, element

__all__ = ["TurningObject"]

ACROSS = 9  # photographs in a row of a sheet
NOTE = "This is a picture. To turn it, run this cell in a notebook; in a page of the book, turn JavaScript on."


def sheet(views: Tensor) -> str:
    """All views (V, H, W) of an object as one PNG, a data address."""
    return png_address(Image.fromarray((tile(views.numpy(), ACROSS, gap=0) * 255).round().astype(np.uint8)))


def png_address(picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"


class TurningObject(ModelWidget):
    """Objects to turn by hand, with what was held back one click away.

    Traits to read, set, observe and link: angle (degrees), object (0 to O - 1). `close()` frees what it holds.

    Args:
        model: a trained ViewVAE
        views: (O, V, H, W) photographs in [0, 1] of O objects by growing angle, V evenly around the circle, H = W
        every: the model knows every `every`-th of them; the others are only for comparison
        names: what the O objects are called
        angle: where it begins, in degrees; caption: what to try, and what to look for

    Raises:
        ValueError: Saying what to do.
        traitlets.TraitError: The same, for what a trait is set to later. It keeps the value that it had.
    """

    _esm = HERE / "turning.js"

    angle = Number(0.0, help="degrees").tag(sync=True)
    object = Whole(0, help="which of the objects").tag(sync=True)
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
        angle = check_number(angle, "angle")
        known = views[:, ::every]
        codes = model.encode(known.flatten(0, 1)).mean
        fields = {f"fields.{k}": v.half().contiguous() for k, v in model.fields.state_dict().items()}
        super().__init__(
            save(fields),
            spec={
                "names": [str(n) for n in names],
                **{"views": count, "every": every, "side": width, "dim": model.latent_dim},
                "photos": [sheet(v) for v in views],
                "caption": check_caption(caption),
            },
            codes=codes.cpu().numpy().astype("<f4").tobytes(),
            angle=angle,
        )

    @traitlets.validate("angle")
    def _on_the_circle(self, proposal: dict[str, Any]) -> float:
        """Angles count from 0 to 360."""
        return float(proposal["value"] % 360)

    @traitlets.validate("object")
    def _among_the_objects(self, proposal: dict[str, Any]) -> int:
        which, count = proposal["value"], len(self.spec.get("names", [""]))
        if not 0 <= which < count:
            raise traitlets.TraitError(f"object must be a whole number from 0 to {count - 1}; got {which}.")
        return int(which)

    def _twin(self) -> tuple[str, str]:
        step = 360 / self.spec["views"]
        place = round(self.angle / step)
        words = (
            f"Turning object: {self.spec['names'][self.object]} at {self.angle:.0f} degrees, to be turned by a slider."
        )
        if abs(place * step - self.angle) > 0.5:
            words += f" The picture is the nearest photograph, at {place * step % 360:.0f} degrees."
        photos = Image.open(io.BytesIO(b64decode(self.spec["photos"][self.object].split(",")[1])))
        down, right = divmod(place % self.spec["views"], ACROSS)
        side = self.spec["side"]
        still = photos.crop((right * side, down * side, (right + 1) * side, (down + 1) * side)).resize((256, 256))
        image = f'<img src="{png_address(still)}" alt="{html.escape(words)}" width="256">'
        state = {"angle": self.angle, "object": self.object, "spec": self.spec, "codes": b64encode(self.codes).decode()}
        state |= {"weights": b64encode(self.packed).decode()}
        return element("turning-object", state, image, NOTE), words
