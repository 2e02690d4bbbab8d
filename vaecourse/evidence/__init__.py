"""log P(x) = log of the integral of P(x|z) P(z) over all z: the law of total probability, computed (chapter 2, and the
chapter on how probable a picture is).

`quadrature` is the truth in two dimensions; the others estimate it by chance, in any number of dimensions. Each
returns an `Estimate`: the value, how far to trust it, and how many drawings it cost.

    >>> import torch
    >>> from vaecourse.course.exercises.linear import Linear
    >>> model = Linear(wide=1.5)
    >>> x = model.draw(1)
    >>> g = torch.Generator().manual_seed(0)
    >>> estimate = importance(model, x, samples=1000, generator=g)
    >>> print(f"{estimate.log_p_x.item():.2f} ± {estimate.error.item():.2f}")
    -3.94 ± 0.02
    >>> print(f"{model.log_p_x(x).item():.2f} in closed form")
    -3.95 in closed form

`Model` says what a model of your own must have.
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
