"""Vowels, made by source and filter: a sound that two numbers steer, how far the jaw is open and where the tongue is.

Vocal folds that swing 125 times a second sound at 125, 250, 375 … Hz, their harmonics, each softer than the one below.
Whether that is heard as "ah" or as "ee" is for the throat and the mouth to say. They are a pipe with resonances, and
let through best what lies near these. The lowest, F1, rises when the jaw opens; the second, F2, when the tongue moves
to the front. The others stay where they are here, which makes a plain vowel, and not a good voice.

The theory of source and filter is that of Fant (Acoustic Theory of Speech Production, 1960). The resonators are those
of Klatt (Software for a cascade/parallel formant synthesizer, Journal of the Acoustical Society of America 67, 971,
1980). F1 and F2 of `VOWELS` were measured by Peterson and Barney (the same journal, 24, 175, 1952; means of men).

The picture of a vowel is the level of its first 32 harmonics, (1, 32), scaled from decibels to [0, 1]. Levels add where
a filter follows a filter; they do not where two vowels sound at once.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..images import as_images, as_numbers
from .made import check_draws

__all__ = ["HARMONICS", "VOWELS", "draw", "recover", "resonances", "sample", "to_decibels"]

PITCH = 125.0  # Hz, of a man's voice
HARMONICS = tuple(PITCH * n for n in range(1, 33))  # Hz
F1 = (250.0, 750.0)  # Hz, with the jaw closed and open
F2 = (800.0, 2300.0)  # Hz, with the tongue at the back and at the front
F3, F4 = 2700.0, 3500.0  # Hz
BANDWIDTHS = (60.0, 80.0, 120.0, 180.0)  # Hz, of F1 to F4
RATE = 10_000.0  # Hz, of the digital filter, as Klatt has it
SLOPE = -6.0  # dB an octave: -12 of the vocal folds, and +6 of the way from the lips into the room
TRIED = 201  # places of the jaw, and of the tongue, among which `recover` looks
LOW, HIGH = -75.0, 25.0  # dB, that a picture shows as 0 and 1; 0 dB is the first harmonic before the filter
VOWELS = {  # name: (jaw, tongue)
    name: ((f1 - F1[0]) / (F1[1] - F1[0]), (f2 - F2[0]) / (F2[1] - F2[0]))
    for name, (f1, f2) in {
        "ee": (270, 2290),  # as in heed
        "eh": (530, 1840),  # head
        "ah": (730, 1090),  # father
        "aw": (570, 840),  # hawed
        "oo": (300, 870),  # who'd
    }.items()
}


def resonances(jaw: Any, tongue: Any) -> Tensor:
    """F1 to F4 in Hz, (..., 4). The arguments are numbers or arrays, broadcast together.

    Args:
        jaw: from 0, closed, to 1, open
        tongue: from 0, at the back, to 1, at the front

    Raises:
        ValueError: For what is no number from 0 to 1.

    Example:
        >>> resonances(*VOWELS["ah"])
        tensor([ 730., 1090., 2700., 3500.])
    """
    dtype = jaw.dtype if isinstance(jaw, Tensor) and jaw.is_floating_point() else torch.float32
    places: list[Tensor] = []
    for name, value in {"jaw": jaw, "tongue": tongue}.items():
        places.append(as_numbers(value, name).to(places[0] if places else dtype))
        if not ((places[-1] >= 0) & (places[-1] <= 1)).all():
            raise ValueError(f"{name} must be from 0 to 1; got {value!r}. Keep it there with .clip(0, 1).")
    both = [low + (high - low) * share for (low, high), share in zip((F1, F2), places, strict=True)]
    fixed = [both[0].new_tensor(f) for f in (F3, F4)]
    return torch.stack(torch.broadcast_tensors(*both, *fixed), -1)


def draw(jaw: Any, tongue: Any) -> Tensor:
    """The pictures of vowels: the levels of their 32 harmonics, scaled to [0, 1].

    Args:
        jaw: from 0, closed, to 1, open
        tongue: from 0, at the back, to 1, at the front; broadcast together

    Returns:
        (..., 1, 32); float32, or in the precision and on the device of a tensor `jaw`.

    Raises:
        ValueError: For what is no number from 0 to 1.

    Example:
        >>> draw(*VOWELS["ah"]).shape
        torch.Size([1, 32])
    """
    f = resonances(jaw, tongue)
    levels = f.new_tensor([SLOPE * math.log2(n / PITCH) for n in HARMONICS])
    turn = 2 * math.pi / RATE * f.new_tensor(HARMONICS)  # radians that a harmonic goes on in one sample
    for i, width in enumerate(BANDWIDTHS):
        # Klatt's resonator, out = a in + b before + c before that: its gain at a frequency, and 1 at 0 Hz.
        c = -math.exp(-2 * math.pi * width / RATE)
        b = 2 * math.exp(-math.pi * width / RATE) * (2 * math.pi / RATE * f[..., i, None]).cos()
        real = 1 - b * turn.cos() - c * (2 * turn).cos()
        imaginary = b * turn.sin() + c * (2 * turn).sin()
        levels = levels + 20 * (1 - b - c).log10() - 10 * (real**2 + imaginary**2).log10()
    return ((levels - LOW) / (HIGH - LOW))[..., None, :]


def to_decibels(x: Any) -> Tensor:
    """Pictures of vowels, of any shape, as levels in dB; 0 dB is the first harmonic before the filter.

    Raises:
        ValueError: For what is no array of numbers.
    """
    return LOW + (HIGH - LOW) * as_numbers(getattr(x, "images", x), "x")


def recover(x: Any) -> tuple[Tensor, Tensor, Tensor]:
    """The vowel that is nearest to each picture, found by trying all places of jaw and tongue.

    Args:
        x: pictures (N, 1, 32) in [0, 1]

    Returns:
        jaw (N,), tongue (N,), and how far off that vowel is (N,): the root of the mean of the squared differences
        over the harmonics, in dB. A picture that is far from each vowel sounds like none.

    Raises:
        ValueError: For pictures of another shape, and values outside [0, 1].
    """
    x = as_images(x, (1, len(HARMONICS)), name="x").flatten(1)
    axis = torch.linspace(0, 1, TRIED, device=x.device)
    places = torch.cartesian_prod(axis, axis)
    known = draw(*places.T).flatten(1)
    exact = "donot_use_mm_for_euclid_dist"  # sums of squares as they are, not by a product of matrices
    best = torch.cat([torch.cdist(part, known, compute_mode=exact).argmin(1) for part in x.split(256)])
    off = (HIGH - LOW) * (x - known[best]).square().mean(1).sqrt()
    return places[best, 0], places[best, 1], off


def sample(
    n: int, generator: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    """Vowels with jaw and tongue drawn uniformly from the square: the data set "vowels".

    The same seed gives the same pictures.

    Returns:
        Images (n, 1, 32) float32 in [0, 1]; labels (n,) int64, the nearest of `VOWELS` by jaw and tongue, by its
        place there; factors, a dict of (n,) arrays with the keys jaw and tongue.

    Raises:
        TypeError: If generator is no numpy Generator.
        ValueError: If n is no positive whole number.
    """
    check_draws(n, generator)
    places = generator.random((n, 2))
    images = draw(*torch.from_numpy(places).T).numpy().astype(np.float32)
    corners = np.array(list(VOWELS.values()))
    labels = ((places[:, None] - corners) ** 2).sum(-1).argmin(1)
    return images, labels, {"jaw": places[:, 0].copy(), "tongue": places[:, 1].copy()}
