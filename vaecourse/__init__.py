"""A small library under the course "Interpolation in the latent space of variational autoencoders".

Its wings, each with one door (what a wing's `__init__` names is what others use), from the ground up:

    data           what there is to look at: image sets, a folder of yours, digits and objects made from known factors
    model          the VAE, the judge, and their weights on disk
    evidence       log P(x), the law of total probability computed
    interpolation  curves between codes, the metric, geodesics, and what can be said of the pictures on the way
    training       one loop for every model of the course, and the recipes of those that ship
    views          new views of turning objects
    explorer       the planes to drag
    course         what chapters need as chapters

The names that everybody uses stand here. They, and the wings, load when they are first asked for, so that
`import vaecourse` costs nothing that is not used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"  # a trained model records the version it was made with

if TYPE_CHECKING:
    from . import evidence, interpolation
    from .data import ImageSet, load_dataset
    from .explorer import LatentExplorer, TrainingLab
    from .model import VAE, load_pretrained
    from .training import History, fit

__all__ = [
    "VAE",
    "History",
    "ImageSet",
    "LatentExplorer",
    "TrainingLab",
    "evidence",
    "fit",
    "interpolation",
    "load_dataset",
    "load_pretrained",
]

_WINGS = {
    "ImageSet": "data",
    "load_dataset": "data",
    "VAE": "model",
    "load_pretrained": "model",
    "History": "training",
    "fit": "training",
    "LatentExplorer": "explorer",
    "TrainingLab": "explorer",
}


def __getattr__(name: str) -> object:
    """A name of the top, or a wing, when it is first asked for (PEP 562)."""
    if name == "load_pretrained":
        import_module(".views", __name__)  # whose models ship, too, and can be read once their class is known
    if name in _WINGS:
        return getattr(import_module(f".{_WINGS[name]}", __name__), name)
    if name in ("evidence", "interpolation"):
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
