"""The decoder's geodesics: paths along which the pictures change as little as they can.

A decoder f bends the latent space into a surface among all images, and distances on that surface are distances between
pictures: the pull-back metric G(z) = J(z)^T J(z), J the Jacobian of f. A geodesic is a path whose pictures change as
little as they can on the way (Shao, Kumar and Fletcher, "The Riemannian geometry of deep generative models", 2018).

Lines, arcs, lengths and the metric itself stand in `curves`; here is the search for geodesics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from torch import Tensor

from ..model import as_count, as_positive
from .curves import (
    Drawer,
    check_codes,
    check_ends,
    evenly,
    lerp,
    path_length,
    points_at_once,
    resample,
    values,
    values_and_jacobian,
)

__all__ = ["Geodesic", "density_aware", "geodesic"]

PAIRS = 50  # whose curves are shortened at once, and begin on one grid
CELLS = 128  # a side of the grid on which shortest ways are sought first
LEVELS = (64, 128, 256)  # pieces of a curve: the finer ones for those that the coarser ones cannot follow
FINE = 513  # points of a curve when its length is measured
ITERATIONS = 25  # at the most, on each level
MOMENTUM = 0.6  # share of the last move in the next
TOLERANCE = 1e-5  # share of the energy that one more step could save
CLOSE = 2**14  # roundings of a code: a search between ends this close would follow those
MOST_CODES = 1000  # from which a density is made


@dataclass(frozen=True)
class Geodesic:
    """The shortest path that was found, and whether the search came to its end."""

    path: Tensor  # (steps, latent_dim), or (P, steps, latent_dim) for P pairs of ends; evenly spaced for f
    # One more step could save no 1e-5 of the energy, and the curve is fine enough for f; or the ends are too close for
    # a search, and their line is within a hundredth of the shortest.
    converged: bool | Tensor
    length: Tensor  # of its image under f, measured on a curve finer than `path`: () or (P,)


def geodesic(f: Drawer, a: Any, b: Any, steps: int) -> Geodesic:
    """The path from a to b along which f changes least: a local minimum of the energy, at constant speed.

    a and b are (latent_dim,), or (P, latent_dim) for P pairs, which costs much less than one by one. The curve is a
    chain of points (Shao et al. 2018, section 3.1). It begins as the straight line or, in the plane, as the shortest
    way over a grid where that is shorter, which keeps it from getting stuck on the wrong side of a hill. The path
    remembers nothing of how it was found: it has no derivative.

    Raises:
        ValueError: For ends that do not fit together or are not finite, fewer than 2 steps, and an f that is no
            differentiable function of codes (T, latent_dim), or gives NaN on the way.

    Example:
        >>> def globe(z):
        ...     east, north = z.T
        ...     r = north.cos()
        ...     return torch.stack([east.cos() * r, east.sin() * r, north.sin()], dim=1)
        >>> a, b = torch.tensor([[0, 1], [2, 1]]) * torch.pi / 4
        >>> print(f"{path_length(globe, lerp(a, b, 100)):.2f} along the parallel")
        1.11 along the parallel
        >>> print(f"{geodesic(globe, a, b, 9).length:.2f} by the north")
        1.05 by the north
    """
    a, b = (end.detach() for end in check_ends(a, b))
    steps = as_count(steps, "steps", 2)
    if a.ndim > 2 or 0 in a.shape:
        raise ValueError(f"a and b must be (latent_dim,) or (P, latent_dim); got {tuple(a.shape)}.")
    pairs = zip(*(x.reshape(-1, x.shape[-1]).split(PAIRS) for x in (a, b)), strict=True)
    curve, converged, length = map(torch.cat, zip(*(_geodesics(f, *ends) for ends in pairs), strict=True))
    path = evenly(f, curve, steps)
    path[:, 0], path[:, -1] = a, b
    return Geodesic(path[0], bool(converged), length[0]) if a.ndim == 1 else Geodesic(path, converged, length)


def density_aware(f: Drawer, codes: Any, bandwidth: float = 0.2, strength: float = 300.0) -> Drawer:
    """f with one more coordinate, which rises where no codes (N, latent_dim) are: geodesics of it keep to the codes.

    It is strength / sqrt(density + 0.01), in the units of f: the density of the codes, smoothed by a normal of width
    `bandwidth`, over its mean at the codes. (Of very many codes, evenly chosen ones stand for all.) So does a decoder
    bend the plane whose own uncertainty grows away from the data (Arvanitidis, Hansen and Hauberg, "Latent space
    oddity", 2018, equations 8 and 9, here with one width for all pixels).

    Raises:
        ValueError: For codes that are not finite, and for a bandwidth or strength that is not positive.
    """
    codes = check_codes(codes, "codes")
    codes = codes[:: -(-len(codes) // MOST_CODES)]
    bandwidth, strength = as_positive(bandwidth, "bandwidth"), as_positive(strength, "strength")

    def density(z: Tensor) -> Tensor:
        if z.shape[1] != codes.shape[1]:
            raise ValueError(f"z must have {codes.shape[1]} coordinates, as the codes have; got {tuple(z.shape)}.")
        c = codes.to(z)
        squares = z.square().sum(1, keepdim=True) - 2 * z @ c.T + c.square().sum(1)
        return (-squares / (2 * bandwidth**2)).exp().mean(1)

    usual = density(codes).mean()

    def both(z: Tensor) -> Tensor:
        height = strength / (density(z) / usual + 0.01).sqrt()
        return torch.cat([f(z).flatten(1), height[:, None]], dim=1)

    return both


def _geodesics(f: Drawer, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """For ends (P, d): curves (P, FINE, d), which of them converged, and their lengths."""
    same, straight, chord = _close(f, a, b)
    converged = same | straight
    curve = lerp(a, b, FINE).where(~same[:, None, None], a[:, None])
    length = path_length(f, curve).where(~straight, chord).where(~same, 0)
    if a.shape[1] == 2 and not converged.all():
        curve, length = _shorter(f, curve, length, _grid_ways(f, a, b))
    for pieces in LEVELS:
        k = (~converged).nonzero()[:, 0]
        if len(k):
            chain, done = _shorten(f, evenly(f, curve[k], pieces + 1))
            curve[k], length[k] = _shorter(f, curve[k], length[k], resample(chain, FINE))
            # Straight pieces cut the corners of a surface that bends much within one of them.
            converged[k] = done & (length[k] <= 1.01 * path_length(f, chain))
    return curve, converged, length


def _close(f: Drawer, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """For ends (P, d): which are the same, which so close that the line is the answer, and how far apart f's are."""
    line = lerp(a, b, 5)
    chord = path_length(f, line[:, [0, -1]])
    size = torch.maximum(a.abs(), b.abs()).amax(1).clamp_min(1)  # next to zero, it is f that rounds
    apart = (b - a).abs().amax(1) / (torch.finfo(a.dtype).eps * size)
    # No way is shorter than the chord, so a line that is hardly longer can hardly be beaten.
    straight = (apart < CLOSE) & ((path_length(f, line) <= 1.01 * chord) | (apart < CLOSE / 2**8))
    return (a == b).all(1), straight, chord


def _shorter(f: Drawer, curve: Tensor, length: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Of each two curves the shorter, and its length."""
    other_length = path_length(f, other)
    better = other_length < length
    return torch.where(better[:, None, None], other, curve), torch.where(better, other_length, length)


def _shorten(f: Drawer, z: Tensor) -> tuple[Tensor, Tensor]:
    """Chains z (P, T, d) with the same ends and less energy, and for which of them the search came to its end.

    The energy is a sum of squares, of the differences r_i = f(z_{i+1}) - f(z_i), so each step solves a least-squares
    problem in which f is replaced by its tangent (Gauss-Newton), damped as by Levenberg and Marquardt.
    """
    z = z.clone()
    energy, slope, diagonal, upper = now = _tangents(f, z)
    if not all(part.isfinite().all() for part in now):
        raise ValueError("f, or its slope, is NaN or infinity between the ends. Look at f along lerp(a, b, 100).")
    if energy.max() > 0 and not diagonal.any():
        raise ValueError(
            "f changes but has no derivative: is there a .detach() or a rounding in it? Or do the ends lie far beyond "
            "the codes that f knows?"
        )
    # Gauss-Newton takes directions in which the surface bends for stiffer than they are, and creeps along them.
    # So a share of the last move is added, and dropped where it did not help.
    last, damping, done = torch.zeros_like(z[:, 1:-1]), torch.full_like(energy, 1e-6), energy == 0
    for _ in range(ITERATIONS):
        i = (~done & (damping < 1e6)).nonzero()[:, 0]
        if not len(i):
            break
        move, saving = _gauss_newton(slope[i], diagonal[i], upper[i], damping[i])
        done[i] = (saving <= TOLERANCE * energy[i]) & (damping[i] <= 1e-3)
        last[i] = MOMENTUM * last[i] + move
        trial = z[i]
        trial[:, 1:-1] += last[i]
        there = _tangents(f, trial)
        better = there[0] <= energy[i]  # never true for NaN
        k, worse = i[better], i[~better]
        z[k] = trial[better]
        for old, new in zip(now, there, strict=True):
            old[k] = new[better]
        damping[k], damping[worse] = damping[k] / 5, damping[worse].clamp_min(1e-5) * 8
        last[worse] = 0
    return z, done


def _tangents(f: Drawer, z: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What a step needs to know of chains z (P, T, d): not their pictures or Jacobians J, which take much more room.

    Their energy (P,); minus its half slope at the inner points, (P, T - 2, d); and its half curvature were f straight:
    2 J_t^T J_t (P, T - 2, d, d), and -J_t^T J_(t+1), between neighbours (P, T - 3, d, d).
    """
    pairs, length, d = z.shape
    # All of it is made before the blocks: a small tensor that outlives each would keep the holes from being used.
    energy, slope = z.new_zeros(pairs), z.new_empty(pairs, length - 2, d)
    diagonal, upper = (z.new_empty(pairs, length - 2, d, d) for _ in range(2))
    value, j = z.new_empty(pairs, 0, 0), z.new_empty(pairs, 0, 0, 0)
    end = 0
    for part in z.split(max(1, points_at_once(f, z[:, 0], slopes=True) // pairs), dim=1):
        new = [v.unflatten(0, part.shape[:2]) for v in values_and_jacobian(f, part.flatten(0, 1))]
        # Two points are kept: the first of the new ones needs both neighbours.
        value, j = (
            torch.cat([old[:, -2:], n], 1) if old.numel() else n for old, n in zip((value, j), new, strict=True)
        )
        end += part.shape[1]
        energy += value.diff(dim=1)[:, -part.shape[1] :].square().sum((1, 2))
        inner, some = j[:, 1:-1], slice(max(0, end - value.shape[1]), max(0, end - 2))
        slope[:, some] = torch.einsum("ptDd,ptD->ptd", inner, value.diff(n=2, dim=1))
        diagonal[:, some] = 2 * inner.mT @ inner
        upper[:, some] = -j[:, :-2].mT @ inner
    return energy, slope, diagonal, upper[:, 1:]


def _gauss_newton(slope: Tensor, diagonal: Tensor, upper: Tensor, damping: Tensor) -> tuple[Tensor, Tensor]:
    """The move (P, T - 2, d) of the inner points that the tangents propose, and the share of energy it would save."""
    size = diagonal.diagonal(dim1=-2, dim2=-1).mean((1, 2))
    eye = torch.eye(slope.shape[-1], dtype=slope.dtype, device=slope.device)
    diagonal = diagonal + (damping * size).clamp_min(1e-30)[:, None, None, None] * eye
    try:
        move = _solve_chain(diagonal, upper, slope)
    except torch.linalg.LinAlgError as error:
        raise ValueError(
            "f hardly changes on most of the way, so there is no slope to follow. Do the ends lie far beyond the codes "
            "that f knows?"
        ) from error
    return move, (slope * move).sum((1, 2))


def _solve_chain(diagonal: Tensor, upper: Tensor, right: Tensor) -> Tensor:
    """x (P, n, d) with H x = right, H symmetric, made of blocks: diagonal (P, n, d, d) and upper (P, n - 1, d, d).

    Elimination from the first point to the last, then back: each point only knows its neighbours.
    """
    blocks, x = [diagonal[:, 0]], [right[:, 0]]
    for i in range(1, diagonal.shape[1]):
        factor = torch.linalg.solve(blocks[-1], upper[:, i - 1]).mT
        blocks.append(diagonal[:, i] - factor @ upper[:, i - 1])
        x.append(right[:, i] - (factor @ x[-1][..., None])[..., 0])
    x[-1] = torch.linalg.solve(blocks[-1], x[-1])
    for i in range(len(x) - 2, -1, -1):
        x[i] = torch.linalg.solve(blocks[i], x[i] - (upper[:, i] @ x[i + 1][..., None])[..., 0])
    return torch.stack(x, dim=1)


def _grid_ways(f: Drawer, a: Tensor, b: Tensor) -> Tensor:
    """Shortest ways (P, FINE, 2) between ends (P, 2), over a grid of CELLS x CELLS codes around all ends.

    Dijkstra, "A note on two problems in connexion with graphs", 1959; each code knows its 16 nearest by king's and
    knight's moves.
    """
    ends = torch.cat([a, b])
    low, high = ends.amin(0), ends.amax(0)
    margin = 0.25 * (high - low).max()
    lines = [
        torch.linspace(lo, hi, CELLS, dtype=torch.float32, device="cpu")
        for lo, hi in zip((low - margin).tolist(), (high + margin).tolist(), strict=True)
    ]
    grid = torch.cartesian_prod(*lines).to(a)
    start, end, cost = _edges(f, grid.unflatten(0, (CELLS, CELLS)))
    graph = coo_matrix((cost, (start.astype(int), end.astype(int))), shape=(CELLS**2, CELLS**2)).tocsr()
    first, last = (torch.cdist(x, grid).argmin(1).tolist() for x in (a, b))
    _, before = dijkstra(graph, directed=False, indices=first, return_predecessors=True)
    ways = []
    for row, goal, a_k, b_k in zip(before, last, a, b, strict=True):
        way = [goal]
        while row[way[-1]] >= 0:
            way.append(row[way[-1]])
        corners = torch.cat([a_k[None], grid[way[-2:0:-1]], b_k[None]])  # the ends themselves for their grid points
        ways.append(resample(corners, FINE, smooth=False))
    return torch.stack(ways)


@torch.no_grad()
def _edges(f: Drawer, grid: Tensor) -> np.ndarray:
    """From where, to where (numbers of codes), and at what cost: (3, E), for a grid of codes (R, C, 2).

    Three rows of pictures are there at a time.
    """
    points_at_once(f, grid.flatten(0, 1))  # says so if that is too much
    moves = ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (2, 1), (2, -1), (1, -2))
    costs = np.full((len(moves), *grid.shape[:2]), np.inf)
    first = values(f, grid[0])
    rows = first.new_empty(3, *first.shape)
    for r, codes in enumerate(grid):
        rows[r % 3] = values(f, codes)
        for cost, (i, k) in zip(costs, moves, strict=True):
            if i <= r:
                here, there = slice(max(0, -k), len(codes) - max(0, k)), slice(max(0, k), len(codes) + min(0, k))
                cost[r - i, here] = (rows[(r - i) % 3][here] - rows[r % 3][there]).norm(dim=-1).cpu()
    number = np.arange(costs[0].size).reshape(costs[0].shape)
    costs += 1e-12  # free steps would be no edges
    ends = [number + i * grid.shape[1] + k for i, k in moves]
    edges = np.stack([np.broadcast_to(number, costs.shape), ends, costs])
    return edges[:, np.isfinite(costs)]
