"""Paths between two codes: the straight line, the arc, the decoder's geodesic, and how to measure them (the chapter on
interpolating digits). What can be said of the pictures along a path, in numbers, stands in `scoring`.
"""

from . import scoring
from .curves import (
    constant_speed,
    crossfade,
    jacobian,
    lerp,
    magnification,
    path_energy,
    path_length,
    pullback_metric,
    slerp,
)
from .geodesics import Geodesic, density_aware, geodesic

__all__ = [
    "Geodesic",
    "constant_speed",
    "crossfade",
    "density_aware",
    "geodesic",
    "jacobian",
    "lerp",
    "magnification",
    "path_energy",
    "path_length",
    "pullback_metric",
    "scoring",
    "slerp",
]
