"""log P(x) = log of the integral of P(x|z) P(z) over all z: the law of total probability, computed.

`quadrature` is the truth in two dimensions; the others estimate it by chance, in any number of dimensions. Each
returns an `Estimate`: the value, how far to trust it, and how many drawings it cost.
"""

from .plane import Estimate, Maps, PlaneTable, modes, posterior_maps, quadrature
from .sampling import annealed, importance, iwae, log_weights, monte_carlo

__all__ = ["Estimate", "Maps", "PlaneTable", "annealed", "importance", "iwae", "log_weights", "modes", "monte_carlo"]
__all__ += ["posterior_maps", "quadrature"]
