"""Curves in a latent space, and what they become under a decoder f: straight lines, arcs, lengths, the metric.

Everywhere f takes codes (T, latent_dim) to points (T, …), row by row, with operations that PyTorch can differentiate:
`lambda z: model.decode(z).mean`. Paths are (T, latent_dim); where it says (..., T, latent_dim), many at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.interpolate import CubicSpline, make_interp_spline
from torch import Tensor
from torch.nn.functional import normalize

from .. import memory
from ..images import as_numbers
from ..model import as_count

__all__ = [
    "constant_speed",
    "jacobian",
    "lerp",
    "magnification",
    "path_energy",
    "path_length",
    "pullback_metric",
    "slerp",
]

POINT = 64  # bytes for each pixel of f at one code: some copies, and a decoder's layers; and for each of its slopes

Drawer = Callable[[Tensor], Tensor]


def lerp(a: Any, b: Any, steps: int) -> Tensor:
    """The straight line from a to b, both (..., latent_dim): `steps` even steps, (..., steps, latent_dim).

    Differentiable.

    Raises:
        ValueError: For ends that do not fit together, lie on two devices or are not finite, and for fewer than 2 steps.

    Example:
        >>> lerp(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0]), 3)
        tensor([[2., 0.],
                [1., 1.],
                [0., 2.]])
    """
    a, b, steps = *check_ends(a, b), as_count(steps, "steps", 2)
    t = torch.linspace(0, 1, steps, dtype=a.dtype, device=a.device)[:, None]
    return (1 - t) * a[..., None, :] + t * b[..., None, :]


def slerp(a: Any, b: Any, steps: int) -> Tensor:
    """The arc from a to b, both (..., latent_dim), around the origin: (..., steps, latent_dim).

    The direction turns evenly (Shoemake, "Animating rotation with quaternion curves", 1985) and the length goes
    linearly from |a| to |b|; for ends of one length that is the usual formula. Where an end is zero there is no
    direction to turn, and the arc is the line. Between opposite ends every half turn is as short: it goes through the
    axis that is farthest from them. Differentiable.

    Raises:
        ValueError: As `lerp` does.

    Example:
        >>> slerp(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0]), 3)
        tensor([[2.0000, 0.0000],
                [1.4142, 1.4142],
                [0.0000, 2.0000]])
    """
    a, b, steps = *check_ends(a, b), as_count(steps, "steps", 2)
    length_a, length_b = a.norm(dim=-1, keepdim=True), b.norm(dim=-1, keepdim=True)
    axis = torch.zeros_like(a).scatter(-1, a.abs().argmin(-1, keepdim=True), 1.0)
    # Of an end at zero nothing comes of its direction, but its derivative must not be NaN.
    u, v = (torch.where(n == 0, axis, x / n.where(n > 0, 1)) for x, n in ((a, length_a), (b, length_b)))
    # The part of v across u gives the turn's plane; 2 atan2 keeps its digits where arccos of a product loses them.
    angle = 2 * torch.atan2((u - v).norm(dim=-1, keepdim=True), (u + v).norm(dim=-1, keepdim=True))
    across = _across(u, v)
    # Of nearly opposite ends only rounding is left across u; then any direction does.
    opposite = (across.norm(dim=-1, keepdim=True) < 1e-4) & (angle > 3)
    across = _across(u, normalize(torch.where(opposite, axis, across), dim=-1))
    across = normalize(_across(u, across), dim=-1)
    t = torch.linspace(0, 1, steps, dtype=a.dtype, device=a.device)[:, None]
    turn = t * angle[..., None]
    arc = turn.cos() * u[..., None, :] + turn.sin() * across[..., None, :]
    arc = arc * ((1 - t) * length_a[..., None] + t * length_b[..., None])
    line = lerp(a, b, steps)
    no_arc = (length_a * length_b == 0) | (angle == 0) | (opposite & (a.shape[-1] == 1))
    path = torch.where(no_arc[..., None], line, arc)
    path[..., 0, :], path[..., -1, :] = a, b
    return path


def _across(u: Tensor, v: Tensor) -> Tensor:
    """The part of v at right angles to the unit vector u."""
    return v - (u * v).sum(-1, keepdim=True) * u


def jacobian(f: Drawer, z: Any) -> Tensor:
    """J(z) = df/dz at codes z (N, latent_dim): (N, D, latent_dim), by forward-mode differentiation.

    Raises:
        ValueError: When f is no function of that kind, or cannot be differentiated.
    """
    return _of_jacobian(f, z, lambda j: j)


def pullback_metric(f: Drawer, z: Any) -> Tensor:
    """G(z) = J(z)^T J(z), (N, latent_dim, latent_dim): a step dz changes the picture by sqrt(dz^T G dz)."""
    return _of_jacobian(f, z, lambda j: j.mT @ j)


def magnification(f: Drawer, z: Any) -> Tensor:
    """sqrt(det G(z)), (N,): how much area (volume) of pictures a unit of latent area (volume) becomes.

    Bishop, Svensen and Williams, "Magnification factors for the GTM algorithm", 1997.

    Example:
        >>> magnification(lambda z: z**2, torch.tensor([[1.0, 2.0]]))
        tensor([8.])
    """
    return _of_jacobian(f, z, lambda j: torch.linalg.svdvals(j).prod(-1))


def _of_jacobian(f: Drawer, z: Any, measure: Callable[[Tensor], Tensor]) -> Tensor:
    """A measure of J at codes z (N, latent_dim), of few codes at once."""
    z = check_codes(z, "z")
    blocks = z.split(points_at_once(f, z, slopes=True))
    return torch.cat([measure(values_and_jacobian(f, part)[1]) for part in blocks])


def path_length(f: Drawer, path: Any) -> Tensor:
    """The length of f(path), (...,): the sum of the distances between the T points of paths (..., T, latent_dim)."""
    return _picture_steps(f, path).sum(-1)


def path_energy(f: Drawer, path: Any) -> Tensor:
    """The integral of |d f(path) / dt|^2 over t from 0 to 1, (...,), for paths (..., T, latent_dim).

    At least the length squared, and equal to it when the pictures change at a constant speed.
    """
    steps = _picture_steps(f, path)
    return steps.shape[-1] * steps.square().sum(-1)


def constant_speed(f: Drawer, path: Any, steps: int | None = None) -> Tensor:
    """The same way, (..., steps, latent_dim), with codes placed so that the pictures change evenly.

    path is (..., T, latent_dim), read as straight pieces; steps is T unless given. Where the pictures do not change at
    all, the codes are spread evenly.

    Raises:
        ValueError: For paths that are not finite or have fewer than 2 points.
    """
    path = _check_path(path)
    steps = path.shape[-2] if steps is None else as_count(steps, "steps", 2)
    return evenly(f, resample(path, 8 * (path.shape[-2] - 1) + 1, smooth=False), steps)


def resample(path: Tensor, steps: int, smooth: bool = True) -> Tensor:
    """Paths (..., T, d) as (..., steps, d): a cubic spline through their points, or straight pieces between them."""
    old, new = np.linspace(0, 1, path.shape[-2]), np.linspace(0, 1, steps)
    points = path.detach().cpu().double().movedim(-2, 0).numpy()
    curve = CubicSpline(old, points) if smooth and len(old) > 3 else make_interp_spline(old, points, k=1)
    return torch.as_tensor(curve(new), dtype=path.dtype, device=path.device).movedim(0, -2)


def evenly(f: Drawer, path: Tensor, steps: int) -> Tensor:
    """`steps` points of paths (..., T, d) between which the pictures change by the same amount."""
    moved = _picture_steps(f, path).detach().cpu().double().numpy()
    points, even = path.detach().cpu().double().numpy(), np.empty((*path.shape[:-2], steps, path.shape[-1]))
    for k in np.ndindex(path.shape[:-2]):
        gone = np.append(0, moved[k].cumsum())
        gone = np.arange(len(gone)) if gone[-1] == 0 else gone
        at = np.linspace(0, gone[-1], steps)
        even[k] = np.stack([np.interp(at, gone, axis) for axis in points[k].T], axis=1)
        even[k][[0, -1]] = points[k][[0, -1]]
    return torch.as_tensor(even, dtype=path.dtype, device=path.device)


def values(f: Drawer, z: Tensor) -> Tensor:
    """f at codes z (N, d): (N, D). Raises ValueError when f is no function of that kind."""
    try:
        value = f(z)
    except RuntimeError as error:
        if "storage" not in str(error):
            raise
        raise ValueError("f leaves PyTorch on its way (.numpy()?), so it has no derivative. Use torch.") from error
    if not isinstance(value, Tensor) or value.ndim < 2 or len(value) != len(z) or not value.is_floating_point():
        got = f"{tuple(value.shape)} of {value.dtype}" if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(
            f"f must turn codes (T, {z.shape[1]}) into a float tensor (T, D), one row a code; for {len(z)} codes it "
            f"gave {got}. For a VAE: lambda z: model.decode(z).mean.flatten(1)."
        )
    return value.flatten(1)


@torch.no_grad()
def points_at_once(f: Drawer, z: Tensor, slopes: bool = False) -> int:
    """How many codes f may take at once, of codes z (N, d); fewer, where their slopes along all d axes are wanted."""
    alone, beside = values(f, z[:1]), values(f, z[:2])[:1]
    if alone.shape != beside.shape or ((alone - beside).abs() > 1e-3 * alone.abs().amax()).any():
        raise ValueError(
            "f must look at each code by itself and draw nothing, but it gave two answers for one code. Is its model "
            "in training mode, with dropout or batch norm? Call model.eval() first."
        )
    width = alone.shape[1]
    each = POINT * width * (1 + slopes * z.shape[1])
    return memory.at_once(each, f"a picture of {width} numbers")


@torch.no_grad()  # derivatives go forward, with the values: nothing has to be remembered for a way back
def values_and_jacobian(f: Drawer, z: Tensor) -> tuple[Tensor, Tensor]:
    """f (N, D) and df/dz (N, D, d) at codes z (N, d). Row by row, so all codes move in one direction at once."""

    def along(direction: Tensor) -> tuple[Tensor, ...]:
        return torch.func.jvp(lambda x: values(f, x), (z,), (direction.expand_as(z),))

    axes = torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
    # PyTorch documents None (f(z) is the same in all directions), and leaves it out of the annotation.
    value, j = torch.func.vmap(along, out_dims=(None, 0))(axes)  # type: ignore[arg-type]
    return value, j.movedim(0, 2)


@torch.no_grad()
def _picture_steps(f: Drawer, path: Any) -> Tensor:
    """The distances (..., T - 1) between the pictures of neighbours on paths (..., T, latent_dim)."""
    path = _check_path(path)
    z = path.reshape(-1, path.shape[-1])
    last = values(f, z[:1])
    steps, size = last.new_empty(len(z)), points_at_once(f, z)
    for some, part in zip(steps.split(size), z.split(size), strict=True):
        value = torch.cat([last, values(f, part)])
        some[:] = value.diff(dim=0).norm(dim=1)
        last = value[-1:].clone()
    # Each path's first is the step from the path before it, or from itself.
    return steps.reshape(path.shape[:-1])[..., 1:]


def check_codes(z: Any, name: str) -> Tensor:
    """Codes (N, latent_dim) as a tensor of finite floats. Raises ValueError otherwise, as do the checks below."""
    z = _floats(z, name).detach()
    if z.ndim != 2 or 0 in z.shape:
        raise ValueError(f"{name} must be (N, latent_dim), at least one code; got {tuple(z.shape)}.")
    return z


def check_ends(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """Two ends (..., latent_dim) of one shape, in the finer of their precisions."""
    a, b = _tensor(a, "a"), _tensor(b, "b")
    if a.device != b.device:
        raise ValueError(f"a lies on {a.device} and b on {b.device}. Bring them together: a.to(b.device).")
    a, b = _floats(a, "a"), _floats(b, "b")
    if a.shape != b.shape or a.ndim < 1 or 0 in a.shape:
        raise ValueError(
            f"a and b must be two codes (latent_dim,), or as many codes (P, latent_dim) each; got {tuple(a.shape)} and "
            f"{tuple(b.shape)}."
        )
    dtype = torch.promote_types(a.dtype, b.dtype)
    return a.to(dtype), b.to(dtype)


def _check_path(path: Any) -> Tensor:
    path = _floats(path, "path").detach()
    if path.ndim < 2 or path.shape[-2] < 2 or 0 in path.shape:
        raise ValueError(f"a path must be (..., T, latent_dim) with at least 2 points; got {tuple(path.shape)}.")
    return path


def _floats(given: Any, name: str) -> Tensor:
    z = _tensor(given, name)
    if not z.isfinite().all():
        raise ValueError(f"{name} must hold finite numbers only, no NaN. Find them with torch.isfinite({name}).")
    return z


def _tensor(given: Any, name: str) -> Tensor:
    """A tensor's floats as precise as they are, but no less than float32; what comes from elsewhere as float32."""
    z = as_numbers(given, name)
    return z if isinstance(given, Tensor) and z.dtype == torch.float64 else z.float()
