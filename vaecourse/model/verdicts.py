"""Looking at a model without touching it: no gradients, no dropout, and batch norm as it was learned."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import torch
from torch import nn

__all__ = ["verdict"]

P = ParamSpec("P")
R = TypeVar("R")


def verdict(function: Callable[P, R]) -> Callable[P, R]:
    """A decorator: runs a function without gradients, every network that it is given in eval mode.

    A model is in training mode when it is made. Its layers are then for learning: dropout draws, and what batch norm
    makes of a picture hangs on the others. Afterwards each layer is in the mode in which it was.
    """

    @wraps(function)
    def measured(*args: P.args, **kwargs: P.kwargs) -> R:
        given = (*args, *kwargs.values())
        layers = [layer for net in given if isinstance(net, nn.Module) for layer in net.modules() if layer.training]
        for layer in layers:
            layer.training = False
        try:
            with torch.no_grad():
                return function(*args, **kwargs)
        finally:
            for layer in layers:
                layer.training = True

    return measured
