"""New views of turning objects (the chapter on objects): the decoder that moves pixels, how it learns, and the protocol
that scores it, and the methods to beat, against photographs that were held back.
"""

from . import protocol
from .learning import fit_views, loss
from .mover import ViewVAE, as_views, warp
from .recipes import SIDE, VIEW_RECIPES, train_views, view_scores

__all__ = [
    "SIDE",
    "VIEW_RECIPES",
    "ViewVAE",
    "as_views",
    "fit_views",
    "loss",
    "protocol",
    "train_views",
    "view_scores",
    "warp",
]
