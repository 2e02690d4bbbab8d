"""What every estimator of log P(x) returns."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

__all__ = ["Estimate"]


@dataclass(frozen=True)
class Estimate:
    """log P(x) of N images by one of the estimators, and what it cost. What an estimator does not have is None.

    The unit of cost is a decode: one code decoded; a code that serves all images counts once, in `shared_decodes`.
    Slopes are counted by the time they take: a gradient by backpropagation is 2 decodes, a place of a climb, where the
    drawing is differentiated along d axes, d + 2. What enters the estimate is counted; the handful that look at a
    model's shapes, or whether a table is its own, are not.
    """

    log_p_x: Tensor  # (N,) nats, float64
    error: Tensor | None  # (N,) nats: a bound for quadrature, a standard error for whatever draws
    decodes_per_image: Tensor  # (N,) decodes spent on this image alone
    shared_decodes: int = 0  # and those that served all images at once
    converged: Tensor | None = None  # (N,) bool: the error is below 1e-3 nats
    ess: Tensor | None = None  # (N,) effective sample size: how many draws from the posterior would say as much
    acceptance: Tensor | None = None  # (N,) share of the proposed moves that were taken

    @property
    def decodes(self) -> int:
        """All of the cost, in decodes."""
        return self.shared_decodes + int(self.decodes_per_image.sum())
