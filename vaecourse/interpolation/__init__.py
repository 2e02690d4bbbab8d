"""Paths between two codes: the straight line, the arc, the decoder's geodesic, and how to measure them (the chapter on
interpolating digits). What can be said of the pictures along a path, in numbers, stands in `scoring`.
"""

from . import scoring
from .curves import (
    constant_speed,
    jacobian,
    lerp,
    magnification,
    path_energy,
    path_length,
    pullback_metric,
    slerp,
)
from .geodesics import Geodesic, density_aware, geodesic
from .pictures import crossfade, morph

__all__ = [
    "Geodesic",
    "constant_speed",
    "crossfade",
    "density_aware",
    "geodesic",
    "jacobian",
    "lerp",
    "magnification",
    "morph",
    "path_energy",
    "path_length",
    "pullback_metric",
    "scoring",
    "slerp",
]
