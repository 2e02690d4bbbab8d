"""New views scored against photographs that were held back: the protocol, and the methods to beat.

Every `every`-th view of each object is known; the views between are predicted from the known ones and then compared
with the truth. A method is a function method(known, fractions): it gets the known views (O, N, H, W) and nothing else,
so that it cannot look at what it is scored on, and returns the views at F fractions of the way from each known view to
the next, (O, N, F, H, W). Choices (a network's size, a weight in a loss) are made on the held-out views of the
`VALIDATION` objects only; the held-out views of the other objects are scored once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from skimage.metrics import structural_similarity
from skimage.registration import optical_flow_tvl1
from torch import Tensor

from ..data import ImageSet
from ..images import as_array, as_images
from ..model import VAE, as_count, verdict
from .mover import as_places, as_views, warp

__all__ = [
    "VALIDATION",
    "Scores",
    "cross_fade",
    "eigenspace",
    "fractions",
    "held_out",
    "known_views",
    "nearest",
    "optical_flow",
    "painted",
    "rings",
    "score",
]

VALIDATION = (1, 5, 9, 13, 17)  # every fourth object of COIL-20, from the second on; labels, which count from 0


class Scores(NamedTuple):
    """How close new views come to the photographs that were held back: one number a view, (O, N, F)."""

    psnr: NDArray[np.float64]  # peak signal-to-noise ratio, decibels: -10 log10 of the mean squared error a pixel
    ssim: NDArray[np.float64]  # structural similarity (Wang et al., 2004) over windows of 7 x 7 pixels; 1: the same


def rings(images: ImageSet) -> Tensor:
    """The views of each object by growing angle, (O, V, H, W), in the order of the labels.

    Raises:
        ValueError: Unless every object has the same views, evenly spaced around the circle.
    """
    if "angle" not in images.factors:
        raise ValueError(f"{images.name} does not know its angles. Give it factors={{'angle': degrees (N,)}}.")
    angles, labels = as_array(images.factors["angle"], "angle") % 360, images.labels.numpy()
    circles: list[Tensor] = []
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        mine = mine[np.argsort(angles[mine])]
        expected = 360 * np.arange(len(mine)) / len(mine)
        if np.abs(angles[mine] - expected).max() > 0.01 or (circles and len(circles[0]) != len(mine)):
            raise ValueError(
                f"{images.class_names[label]} must have as many views as the others, evenly spaced around the circle "
                f"from angle 0; got {len(mine)} views. Leave the object out, or its angles are not degrees."
            )
        circles.append(images.images[mine])
    return as_views(torch.stack(circles))


def known_views(views: Any, every: int) -> Tensor:
    """Every `every`-th of the views (O, V, H, W): all that a method may look at. Raises ValueError."""
    x, every = as_views(views), as_count(every, "every", 2)
    if x.shape[1] % every:
        raise ValueError(f"every must divide the {x.shape[1]} views; got {every}. Try 4.")
    return as_views(x[:, ::every].contiguous())


def held_out(views: Any, every: int) -> Tensor:
    """The views between the known ones, (O, N, every - 1, H, W): what a method is scored on. Raises ValueError.

    Example:
        Of 72 views of 20 objects, one in four is known:

        >>> circle = torch.zeros(20, 72, 64, 64)
        >>> known_views(circle, 4).shape, held_out(circle, 4).shape
        (torch.Size([20, 18, 64, 64]), torch.Size([20, 18, 3, 64, 64]))
    """
    x, known = as_views(views), known_views(views, every)
    return x.unflatten(1, (known.shape[1], every))[:, :, 1:]


def fractions(every: int) -> list[float]:
    """Where the held-out views lie between two known ones: [1 / every, 2 / every, ...]."""
    return [k / every for k in range(1, every)]


def score(new: Any, true: Any) -> Scores:
    """Compares new views (O, N, F, H, W) with the photographs held back. Raises ValueError for unlike shapes."""
    new = as_images(new, leading=None, name="new views", values=False).cpu()  # a prediction may overshoot a little
    true = as_images(true, leading=None, name="true views").cpu()
    if not new.isfinite().all():
        raise ValueError("new views hold NaN or infinity. Find them with torch.isfinite(new).")
    if new.shape != true.shape or new.ndim != 5:
        raise ValueError(
            f"new and true views must both be (O, N, F, H, W); got {tuple(new.shape)} and {tuple(true.shape)}. "
            "Predict at fractions(every) what held_out(views, every) holds."
        )
    squares = (new.double() - true.double()).square().mean(dim=(-2, -1))
    pairs = zip(new.flatten(0, 2).numpy(), true.flatten(0, 2).numpy(), strict=True)
    ssim = np.array([structural_similarity(a, b, data_range=1.0) for a, b in pairs])
    return Scores(-10 * squares.clamp_min(1e-10).log10().numpy(), ssim.reshape(new.shape[:3]))


def nearest(known: Any, at: Sequence[float]) -> Tensor:
    """The nearer of the two neighbours (halfway, the left one)."""
    before = as_views(known)
    after = before.roll(-1, dims=1)
    return torch.stack([before if t <= 0.5 else after for t in as_places(at)], dim=2)


def cross_fade(known: Any, at: Sequence[float]) -> Tensor:
    """The two neighbours, mixed: pixel by pixel the weighted mean."""
    before = as_views(known)
    after = before.roll(-1, dims=1)
    return torch.stack([(1 - t) * before + t * after for t in as_places(at)], dim=2)


def eigenspace(known: Any, at: Sequence[float]) -> Tensor:
    """A smooth closed curve through each object's views in the space of all its principal components.

    Murase and Nayar, "Visual learning and recognition of 3-D objects from appearance", 1995; here with as many
    components as there are views, and a periodic cubic spline over the angle.
    """
    new, x = [], as_views(known)
    for views in x.flatten(2).numpy().astype(np.float64):
        mean = views.mean(0)
        u, s, components = np.linalg.svd(views - mean, full_matrices=False)
        points = u * s
        curve = CubicSpline(np.arange(len(views) + 1), np.vstack([points, points[:1]]), bc_type="periodic")
        places = np.arange(len(views))[:, None] + np.array(as_places(at))
        new.append(np.clip(mean + curve(places) @ components, 0, 1))
    return torch.from_numpy(np.array(new, np.float32)).unflatten(-1, x.shape[-2:])


def optical_flow(known: Any, at: Sequence[float]) -> Tensor:
    """Both neighbours, moved along the optical flow between them and mixed: a morph.

    The flow is TV-L1 (Zach, Pock and Bischof, "A duality based approach for realtime TV-L1 optical flow", 2007), as
    scikit-image computes it with its own settings; from the flows between the neighbours follow those from the place
    between as in "Super SloMo" (Jiang et al., 2018, equation 4). It takes some hundredths of a second a pair.
    """
    x = as_views(known)
    before, after = x.flatten(0, 1), x.roll(-1, dims=1).flatten(0, 1)
    there, back = _flow(before, after), _flow(after, before)
    new = []
    for t in as_places(at):
        to_before = -(1 - t) * t * there + t * t * back
        to_after = (1 - t) ** 2 * there - t * (1 - t) * back
        new.append((1 - t) * warp(before, to_before) + t * warp(after, to_after))
    return torch.stack(new, dim=1).clamp(0, 1).unflatten(0, x.shape[:2])


def _flow(a: Tensor, b: Tensor) -> Tensor:
    """The flows (B, 2, H, W) with which `warp` makes images a (B, H, W) from images b."""
    down_right = np.stack([optical_flow_tvl1(*pair) for pair in zip(a.numpy(), b.numpy(), strict=True)])
    units = 2 / np.array([[[a.shape[2]]], [[a.shape[1]]]])  # pixels to where the picture reaches from -1 to 1
    return torch.from_numpy(down_right[:, ::-1] * units).float()


@verdict
def painted(model: VAE, known: Any, at: Sequence[float]) -> Tensor:
    """What a plain VAE paints at the codes between those of the known views."""
    x = as_views(known)
    codes = model.encode(x.flatten(0, 1)).mean.unflatten(0, x.shape[:2])
    after = codes.roll(-1, dims=1)
    between = torch.stack([(1 - t) * codes + t * after for t in as_places(at)], dim=2)
    return model.decode(between).mean
