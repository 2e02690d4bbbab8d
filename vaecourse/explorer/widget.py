"""What the widgets of the course have in common: what their traits take, their twin in HTML, and how they end."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from .inputs import check_number, check_whole
from .weights import Weights, weights_of

__all__ = ["HERE", "CourseWidget", "ModelWidget", "Number", "PlaneWidget", "Whole", "element", "refusal"]

HERE = Path(__file__).parent


@contextmanager
def refusal() -> Iterator[None]:
    """What a check says by a ValueError, said by a TraitError, upon which traits keep the value that they had."""
    try:
        yield
    except ValueError as error:
        raise traitlets.TraitError(str(error)) from error


class Number(traitlets.Float):  # type: ignore[type-arg]  # older versions have no types
    """A trait for a finite number, whatever holds it: Python, NumPy or PyTorch."""

    def validate(self, obj: Any, value: Any) -> float:
        with refusal():
            return check_number(value, str(self.name))


class Whole(traitlets.Int):  # type: ignore[type-arg]
    """The same for a whole number."""

    def validate(self, obj: Any, value: Any) -> int:
        with refusal():
            return check_whole(value, str(self.name))


class CourseWidget(anywidget.AnyWidget):
    """A front end for a notebook, and a twin in HTML for the book's pages, which have no kernel."""

    _css = HERE / "explorer.css"

    spec = traitlets.Dict(help="what does not change after the start").tag(sync=True)

    def __init__(self, **state: Any):
        # Among others (HBox, Tab) it takes what room there is, which its style sheet then divides.
        super().__init__(layout={"width": "100%", "min_width": "min(100%, 280px)"}, **state)

    def _twin(self) -> tuple[str, str]:
        """The widget in HTML as it stands, and what it shows in words."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        html, words = self._twin()
        return data | {"text/html": html, "text/plain": words}, metadata

    def close(self) -> None:
        """Takes the widget off every page and frees what it holds.

        Jupyter keeps a widget until then, also where the cell that made it has run again.
        """
        if self.comm is None:
            return
        super().close()
        self._repr_mimebundle_ = None  # type: ignore[method-assign, assignment]  # as ipywidgets 8 has it
        for name, trait in self.traits().items():
            if isinstance(trait, traitlets.Bytes | traitlets.Dict):
                self.set_trait(name, trait.default())


class ModelWidget(CourseWidget):
    """A widget that draws with a model, whose weights it shares with all others that do."""

    weights = traitlets.Instance(Weights, allow_none=True, help="the model, shared with other widgets").tag(
        sync=True, **ipywidgets.widget_serialization
    )
    codes = traitlets.Bytes(help="codes of the pictures that the model knows").tag(sync=True)

    def __init__(self, file: bytes, **state: Any):
        super().__init__(weights=weights_of(file, self), **state)

    @property
    def packed(self) -> bytes:
        """The model as a safetensors file. Raises ValueError where the widget was closed."""
        if self.weights is None:
            raise ValueError("this widget was closed, and its model is gone. Make it again.")
        return bytes(self.weights.file)

    def close(self) -> None:
        """Takes the widget off every page and frees what it holds; with the last that draws with it, the model, too."""
        super().close()
        if weights := self.weights:
            self.weights = None
            weights.leave(self)


class PlaneWidget(ModelWidget):
    """A model's plane with a point to drag, z1 and z2, and a walk from A to B, of which t is the share that is done."""

    z1 = Number(0.0, help="the point's first coordinate, in sd of the prior").tag(sync=True)
    z2 = Number(0.0, help="the point's second coordinate").tag(sync=True)
    t = Number(0.0, help="share of the way from A to B").tag(sync=True)

    @traitlets.validate("z1", "z2")
    def _within_the_plane(self, proposal: dict[str, Any]) -> float:
        """The nearest value on the plane, as a slider's end stops a thumb."""
        extent: float = self.spec.get("extent", math.inf)
        return min(extent, max(-extent, proposal["value"]))

    @traitlets.validate("t")
    def _on_the_way(self, proposal: dict[str, Any]) -> float:
        return min(1.0, max(0.0, proposal["value"]))


def element(tag: str, state: dict[str, Any], picture: str, note: str, attributes: str = "") -> str:
    """An element of HTML that a page's script brings to life, with its state in it; a picture and a note until then."""
    text = json.dumps(state, ensure_ascii=True, allow_nan=False).replace("<", "\\u003c")  # no tag may end the script
    return (
        f'<{tag}{attributes}><div class="lx-still">{picture}<p>{note}</p></div>'
        f'<script type="application/json">{text}</script></{tag}>'
    )
