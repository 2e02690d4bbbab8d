"""Checks: a step along the gradient that autograd finds, and rules for stopping on known scores."""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...model import VAE
from .asking import Hint, Nothing, ask, call, compare

__all__ = ["CHECKS"]

_RATE = 1e-3  # of the steps, which are plain gradient descent
_SEED = 1  # of the generator that is handed in; a model that gets none draws with seed 0
# Held-out scores and a patience, and after how many epochs it runs out: counted by hand.
_RUNS: tuple[tuple[list[float], int], ...] = (
    ([1, 2, 3, 2, 2.5, 2.9, 4], 3),
    ([5, 4, 6, 5, 7, 6, 5], 2),
    ([1, 3, 2, 2.5, 4, 3, 3.5], 2),
    ([5, 4, 3, 2, 1], 2),
    ([1, 2, 3], 2),
)
_BY_HAND = (6, 7, 4, 3, 3)


def step(function: Callable[..., Any]) -> str:
    """step: one step of training, in place. Plain gradient descent moves a weight by the rate times its slope."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = VAE((4, 4), 2, hidden=(8,))
    twin, x = copy.deepcopy(model), torch.linspace(0, 1, 8 * 16).reshape(8, 4, 4)
    slope, of_drawing, of_others = _slope(model, x), _slope(model, x, with_kl=False), _slope(model, x, seed=0)
    moved = _moved(function, model, x)
    if not moved.any():
        if all(p.grad is None or not p.grad.any() for p in model.parameters()):
            raise Nothing("no weight has moved or has a slope. loss.backward() makes slopes, zero_grad() clears them.")
        raise Hint("the slopes are there, but no weight has moved: optimizer.step() is missing.")
    if not torch.equal(moved, _moved(function, twin, x)):
        raise Hint("the same generator gives two different steps. Hand it on: model.elbo(x, generator).")
    wrong = {
        "the weights move the wrong way, and the ELBO would fall. The loss is minus the ELBO.": _RATE * slope,
        "the step is 8 times as long for 8 images: take the mean over the batch.": -8 * _RATE * slope,
        "the KL is missing in the loss.": -_RATE * of_drawing,
        "the draws are not the generator's. Hand it on: model.elbo(x, generator).": -_RATE * of_others,
    }
    compare(moved, -_RATE * slope, wrong, "the first step")
    next_slope = _slope(model, x)
    stale = {"the old slope is still in it. optimizer.zero_grad() belongs into every step.": slope + next_slope}
    stale = {hint: -_RATE * value for hint, value in stale.items()}
    compare(_moved(function, model, x), -_RATE * next_slope, stale, "the second step")
    return "Two steps, and each moves every weight by the rate times the slope that autograd finds."


def _weights(model: VAE) -> Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def _slope(model: VAE, x: Tensor, with_kl: bool = True, seed: int = _SEED) -> Tensor:
    """The gradient of the mean of -ELBO, with the draws of a seed, in all weights."""
    drawing, kl = model.elbo_terms(x, torch.Generator().manual_seed(seed))
    loss = (kl - drawing).mean() if with_kl else -drawing.mean()
    gradients = torch.autograd.grad(loss, list(model.parameters()), allow_unused=True, materialize_grads=True)
    return torch.cat([g.flatten() for g in gradients])


def _moved(function: Callable[..., Any], model: VAE, x: Tensor) -> Tensor:
    """How far a step of the learner's moves the weights, with the draws of _SEED."""
    before = _weights(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=_RATE)
    call(function, model, optimizer, x, torch.Generator().manual_seed(_SEED), case="a small VAE and 8 images")
    return _weights(model) - before


def stop(function: Callable[..., Any]) -> str:
    """stop: whether to stop, given held-out scores and a patience. Likely wrong rules run beside it."""
    wrong = {
        "a score is better if it beats the best so far, not the one before it.": _after_the_last,
        "when a better score comes, the count of bad epochs begins anew.": _all_bad_ones,
        "you stop one epoch too late. `patience` bad epochs in a row are enough.": _late,
        "you wait for the score to fall. An ELBO is better when it is higher.": _upside_down,
        "one bad epoch makes you stop. Have patience.": _impatient,
    }
    lengths = [_length(*run, function) for run in _RUNS]
    hint = next((h for h, rule in wrong.items() if [_length(*run, rule) for run in _RUNS] == lengths), None)
    for (scores, patience), length, right in zip(_RUNS, lengths, _BY_HAND, strict=True):
        if length != right:
            plain = f"it should stop after {right}."
            raise Hint(f"scores {scores}, patience {patience}: you stop after {length} epochs; {hint or plain}")
    return "Five runs, among them one that never has to stop."


def _length(scores: list[float], patience: int, rule: Callable[..., Any]) -> int:
    """After how many epochs a rule stops this run, asked before the first epoch and after each."""
    for epochs in range(len(scores) + 1):
        case = f"scores {scores[:epochs]}, patience {patience}"
        answer = ask(rule, scores[:epochs], patience, case=case)
        if not isinstance(answer, bool | np.bool_):
            raise Hint(f"{case}: answer True or False; got {type(answer).__name__}.")
        if answer:
            return epochs
    return len(scores)


def _bad(scores: list[float]) -> list[bool]:
    return [score <= max(scores[:n]) for n, score in enumerate(scores) if n]


def _after_the_last(scores: list[float], patience: int) -> bool:
    return len(scores) > patience and all(b <= a for a, b in pairwise(scores[-patience - 1 :]))


def _all_bad_ones(scores: list[float], patience: int) -> bool:
    return sum(_bad(scores)) >= patience


def _late(scores: list[float], patience: int) -> bool:
    return len(scores) > patience + 1 and all(_bad(scores)[-patience - 1 :])


def _upside_down(scores: list[float], patience: int) -> bool:
    return len(scores) > patience and all(_bad([-s for s in scores])[-patience:])


def _impatient(scores: list[float], patience: int) -> bool:
    return any(_bad(scores))


CHECKS = {"step": step, "stop": stop}
