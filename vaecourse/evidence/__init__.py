"""log P(x) = log of the integral of P(x|z) P(z) over all z: the law of total probability, computed (the chapters on
searching every z, and on how probable a picture is).

`quadrature` is the truth in two dimensions; the others estimate it by chance, in any number of dimensions. Each
returns an `Estimate`: the value, how far to trust it, and how many drawings it cost.

`Model` says what a model of your own must have, with an example.
"""

from .estimate import Estimate
from .integrand import Model
from .maps import Maps, posterior_maps
from .plane import PlaneTable, modes, quadrature
from .sampling import annealed, importance, iwae, log_weights, monte_carlo

__all__ = [
    "Estimate",
    "Maps",
    "Model",
    "PlaneTable",
    "annealed",
    "importance",
    "iwae",
    "log_weights",
    "modes",
    "monte_carlo",
    "posterior_maps",
    "quadrature",
]
