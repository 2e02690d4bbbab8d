"""Checks: sums of probabilities, whose logarithms SciPy knows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import logsumexp, softmax
from scipy.stats import norm

from .asking import Hint, array, ask, compare, guess, number, stray

__all__ = ["CHECKS"]


def freedom(loss: float) -> str:
    """freedom: nats that an upright 7 loses when its angle gets a prior of 60 degrees instead of 15."""
    right = norm.logpdf(0, 0, 15) - norm.logpdf(0, 0, 60)
    wrong = {
        "it loses them, so count them with a plus; or has it gained in your world?": -right,
        "that is the ratio of the two widths. Scores are logarithms.": 60 / 15,
        "that is bits, a logarithm to base 2. In nats it is the natural logarithm.": math.log2(60 / 15),
        "that is a logarithm to base 10. Nats are natural logarithms, np.log.": math.log10(60 / 15),
        "that is how many degrees were added. By what factor does the curve get lower when it gets so much wider?": 45,
        "nothing changes in the match, but the prior's curve gets lower in its middle when it gets wider.": 0,
    }
    guess(loss, "a number of nats", right, wrong, within=0.08)
    return "A prior four times as wide is a quarter as high in its middle: log 4."


def log_mean(function: Callable[..., Any]) -> str:
    """log-mean: log of the mean of exp(log_l). SciPy adds up."""
    cases = {
        "three small numbers": np.log([0.1, 0.2, 0.6]),
        "scores of pictures": np.array([-1200.0, -1203.0, -1201.0, -1260.0]),
        "scores above a thousand": np.array([1500.0, 1490.0]),
    }
    for case, log_l in cases.items():
        answer = ask(function, log_l, case=case)
        right = logsumexp(log_l) - math.log(len(log_l))
        if (bad := stray(answer)) is not None:
            raise Hint(f"{case}: {bad}. exp left what a float can hold. Take the largest out of the sum: logsumexp.")
        wrong = {
            "this is the mean of the logarithms. The mean comes first, then the logarithm.": log_l.mean(),
            f"this is the logarithm of the sum. A mean of {len(log_l)} is divided by {len(log_l)}.": logsumexp(log_l),
            "the number of draws is divided by, so its logarithm is taken away, not added.": right
            + 2 * math.log(len(log_l)),
            "this is the largest alone. The others count, too.": log_l.max(),
        }
        compare(number(answer, "a number of nats"), right, wrong, case, within=1e-6)
    return "Small numbers, large ones, and such as no float could hold if you took the exponential first."


def authors(function: Callable[..., Any]) -> str:
    """authors: P(writer|x), (W, N), from log P(x|writer), (W, N), each writer as likely as the others."""
    log_p = np.array([[-300.0, -820.0, -1510.0, 900.0], [-301.0, -820.0, -1400.0, 890.0], [-302.0, -821.0, -1650.0, 1]])
    what = "probabilities, one row for each of 3 writers and one column for each of 4 pictures"
    case = "3 writers, 4 pictures"
    answer = ask(function, log_p, case=case)
    if (bad := stray(answer)) is not None:
        raise Hint(f"there is {bad} in it: exp makes all scores of a picture zero, or infinite. Stay in logarithms.")
    got, right = array(answer, (3, 4), what), softmax(log_p, axis=0)
    if (got <= 0).all() and np.abs(np.exp(got) - right).max() < 1e-6:
        raise Hint("these are right, but still logarithms: the answer is their exp.")
    wrong = {
        "each row adds up to 1. It is the writers of one picture that share a probability of 1: axis 0.": softmax(
            log_p, axis=1
        ),
        "all of it adds up to 1. Each picture has a writer, so each column should.": softmax(log_p),
        "you name the winners. How sure can one be of them?": log_p == log_p.max(0),
    }
    compare(got, right, wrong, case, within=1e-6)
    return "Each picture's writers share a probability of 1, and no exponential overflowed on the way."


CHECKS = {"freedom": freedom, "log-mean": log_mean, "authors": authors}
