"""Objects on a turntable, rendered from any angle: pictures like COIL-20's, with a true picture for every angle.

Each object is a signed distance function: how far a point is from the nearest surface, negative inside. A ray may
always go that far without passing through anything, and then look again: sphere tracing (Hart, "Sphere tracing", The
Visual Computer 12, 1996; the shapes follow Inigo Quilez, "Distance functions"). As in COIL-20 the camera and the light
stand still, the object turns, its prints turn with it, and the background is black.

Points p are float32 arrays (3, M) in the object's own axes: at angle 0, x points right, y away from the camera, z up.
An object is a few parts, each a distance (M,) and a paint: one grey, greys (M,), or, where they are costly, a function
that gives them once the points have reached the surface.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..names import did_you_mean

__all__ = ["OBJECTS", "render", "views"]

ELEVATION = 20.0  # degrees: the camera looks down a little
FRAME = 1.18  # half the width of the picture; every object keeps within 1.1 of the axis
REACH = 6.0  # rays start 3 in front of the axis and give up 3 behind it
NEAR = 5e-4  # a ray this close has arrived: a ninth of the way between two rays at 256 pixels
LIGHT = (-0.45, -0.7, 0.7)  # towards the lamp: left of the camera, and above it


Array = NDArray[np.float32]
Paint = float | NDArray[np.floating[Any]] | Callable[[], NDArray[np.floating[Any]]]
Part = tuple[Array, Paint]
Shape = Callable[[Array], tuple[Part, ...]]
Distance = Callable[[Array], Array]
Vector = ArrayLike  # three numbers


# Sums, products, quotients and roots of float32 are rounded alike on every processor; sines and powers are not. Those
# are taken in float64, whose last bit is gone when the result is rounded to float32: the pictures are the same
# everywhere.
def length(vectors: Array) -> Array:
    return root((vectors * vectors).sum(0))


def radius(u: Array, v: Array) -> Array:
    return root(u * u + v * v)


def root(squares: Array) -> Array:
    roots: Array = np.sqrt(squares)
    return roots


def column(vector: Vector) -> Array:
    return np.array(vector, np.float32)[:, None]


def ellipsoid(p: Array, centre: Vector, radii: Vector) -> Array:
    q = (p - column(centre)) / column(radii)
    return length(q) * (length(q) - 1) / (length(q / column(radii)) + 1e-6)  # exact for a sphere, else close


def rounded(q: Array, rounding: float) -> Array:
    """From the distances q to the faces of a box or a cylinder, whose edges are then rounded off."""
    inside: Array = np.minimum(q.max(0) + rounding, 0)
    return length(np.maximum(q + rounding, 0)) + inside - rounding


def box(p: Array, centre: Vector, half: Vector, rounding: float = 0.03) -> Array:
    return rounded(np.abs(p - column(centre)) - column(half), rounding)


def cylinder(p: Array, centre: Vector, radius: float, half: float, axis: int = 2, rounding: float = 0.03) -> Array:
    q = p - column(centre)
    return rounded(np.stack([length(np.delete(q, axis, 0)) - radius, np.abs(q[axis]) - half]), rounding)


def capsule(p: Array, a: Vector, b: Vector, radius_a: float, radius_b: float) -> Array:
    q, ab = p - column(a), column(b) - column(a)
    t: Array = np.clip((q * ab).sum(0) / (ab * ab).sum(), 0, 1)
    return length(q - t * ab) - (radius_a + t * (radius_b - radius_a))


def smooth_union(a: Array, b: Array, blend: float) -> Array:
    """The union of two shapes, with a fillet of about the size of blend where they meet."""
    fillet: Array = np.maximum(blend - np.abs(a - b), 0) ** 2 / (4 * blend)
    nearest: Array = np.minimum(a, b)
    return nearest - fillet


def stripes(u: Array, period: float) -> NDArray[np.bool_]:
    place: Array = np.mod(u / period, 1)
    return place < 0.5


def letter(u: Array, v: Array, corners: Sequence[Vector], size: float) -> NDArray[np.bool_]:
    """A letter drawn with a round pen from corner to corner, in a box of 2 size x 2 size."""
    pen = np.stack([u, v]) / size
    distance: Array = np.min([capsule(pen, a, b, 0.2, 0.2) for a, b in itertools.pairwise(corners)], 0)
    return distance < 0


# Letters, as the corners that the pen visits.
V = [(-0.6, 1), (0, -1), (0.6, 1)]
A = [(-0.7, -1), (0, 1), (0.42, -0.2), (-0.42, -0.2), (0.42, -0.2), (0.7, -1)]
E = [(0.6, 1), (-0.5, 1), (-0.5, 0), (0.4, 0), (-0.5, 0), (-0.5, -1), (0.6, -1)]
Z = [(-0.6, 1), (0.6, 1), (-0.6, -1), (0.6, -1)]


def mug(p: Array) -> tuple[Part, ...]:
    q = p - column((-0.2, 0, 0))  # the handle takes the room to the right
    hollow, hole = cylinder(q, (0, 0, 0.15), 0.58, 0.8), cylinder(q, (0.7, 0, 0), 0.34, 1, axis=1)
    cup = np.maximum(cylinder(q, (0, 0, 0), 0.66, 0.82), -hollow)
    handle = np.max([cylinder(q, (0.7, 0, 0), 0.52, 0.12, axis=1, rounding=0.08), -hole, -hollow], 0)

    around, up = np.arctan2(q[0], -q[1], dtype=np.float64) * 0.66, q[2]  # around is 0 where the camera looks at angle 0
    dots = radius(np.mod(around, 0.28) - 0.14, np.mod(up, 0.28) - 0.14) < 0.085
    behind = (np.abs(around) > 1.15) & (np.abs(up) < 0.56)
    rim = np.abs(np.abs(up) - 0.66) < 0.05
    return (cup, lambda: np.where(letter(around, up, Z, 0.34) | (dots & behind) | rim, 0.1, 0.9)), (handle, 0.45)


def car(p: Array) -> tuple[Part, ...]:
    x, y, z = p = np.stack([p[0], np.abs(p[1]), p[2]])  # the left side is the right one's mirror image
    body, cabin = box(p, (0, 0, -0.15), (1, 0.44, 0.17), 0.1), box(p, (-0.22, 0, 0.17), (0.5, 0.38, 0.24), 0.14)
    wheels = np.min([cylinder(p, (axle, 0.4, -0.32), 0.24, 0.1, axis=1) for axle in (-0.58, 0.6)], 0)
    lamps = ellipsoid(p, (0.97, 0.28, -0.12), (0.09, 0.09, 0.09))
    windows = (z > 0.1) & (z < 0.32) & (np.abs(x + 0.2) > 0.04)
    racing = (z > 0) & (np.abs(y - 0.1) < 0.05)
    hubs = radius(np.abs(x - 0.01) - 0.59, z + 0.32) < 0.12
    painted = np.where(windows, 0.06, np.where(racing, 0.95, 0.65))
    return (smooth_union(body, cabin, 0.12), painted), (wheels, np.where(hubs, 0.8, 0.12)), (lamps, 1)


def duck(p: Array) -> tuple[Part, ...]:
    x, _, z = p = np.stack([p[0], np.abs(p[1]), p[2]])
    tail = capsule(p, (-0.55, 0, -0.2), (-0.92, 0, 0.12), 0.25, 0.06)
    body = smooth_union(ellipsoid(p, (-0.08, 0, -0.3), (0.72, 0.52, 0.42)), tail, 0.2)
    body = smooth_union(body, ellipsoid(p, (0.42, 0, 0.42), (0.36, 0.34, 0.34)), 0.25)
    wings = ellipsoid(p, (-0.18, 0.48, -0.22), (0.42, 0.12, 0.24))
    eyes = ellipsoid(p, (0.57, 0.27, 0.52), (0.075, 0.075, 0.075))
    beak = ellipsoid(p, (0.82, 0, 0.36), (0.24, 0.18, 0.07))
    return (body, 0.85), (wings, np.where(stripes(x + 0.6 * z, 0.2), 0.35, 0.8)), (eyes, 0.03), (beak, 0.45)


def house(p: Array) -> tuple[Part, ...]:
    x, y, z = p
    under = 0.7 * np.abs(y) + 0.714 * (z - 0.62)  # the distance above the two planes of the roof
    walls = np.maximum(box(p, (-0.2, 0, -0.05), (0.56, 0.52, 0.7), 0.01), under + 0.06)
    roof = np.max([under, -under - 0.1, np.abs(x + 0.2) - 0.64, np.abs(y) - 0.66], 0)
    shed = np.minimum(box(p, (0.6, 0, -0.52), (0.3, 0.4, 0.23), 0.01), box(p, (0.58, 0, -0.29), (0.37, 0.48, 0.04)))
    chimney = box(p, (-0.5, 0.25, 0.5), (0.13, 0.13, 0.38), 0.01)
    windows = (np.abs(np.abs(x + 0.46) - 0.12) < 0.09) & (np.abs(z + 0.3) < 0.16)
    front = (y < -0.51) & (windows | ((np.abs(x - 0.05) < 0.16) & (z < -0.22)))
    painted = np.where(front | (radius(y, z - 0.1) < 0.15), 0.08, 0.95)
    tiles, bricks = np.where(stripes(y, 0.15), 0.25, 0.45), np.where(stripes(z, 0.14), 0.35, 0.7)
    return (walls, painted), (roof, tiles), (shed, np.where(z > -0.33, 0.2, 0.6)), (chimney, bricks)


def aeroplane(p: Array) -> tuple[Part, ...]:
    x, y, z = p
    hull, wings = capsule(p, (0.7, 0, 0), (-0.95, 0, 0.1), 0.23, 0.07), box(p, (0.1, 0, -0.04), (0.24, 1, 0.035))
    tail = np.minimum(box(p, (-0.88, 0, 0.3), (0.13, 0.03, 0.26)), box(p, (-0.88, 0, 0.1), (0.12, 0.38, 0.03)))
    propeller = np.maximum(cylinder(p, (0.97, 0, 0), 0.38, 0.03, axis=0), np.abs(y - 0.4 * z) - 0.07)
    windows = (np.abs(z - 0.08) < 0.055) & (np.abs(np.abs(np.abs(x) - 0.3) - 0.15) < 0.05)
    bands = np.abs(np.abs(np.abs(y) - 0.75) - 0.12) < 0.05
    return (hull, np.where(windows, 0.08, 0.85)), (wings, np.where(bands, 0.1, 0.75)), (tail, 0.4), (propeller, 0.3)


def blocks(p: Array) -> tuple[Part, ...]:
    def block(centre: Vector, turn: float, corners: Sequence[Vector]) -> Part:
        x, y, z = q = turned(p - column(centre), turn)
        ends = stripes(y + z, 0.2) & (np.abs(x) > np.abs(y))
        cube = box(q, (0, 0, 0), (0.38, 0.38, 0.38), 0.05)
        return cube, lambda: np.where((np.abs(z) < 0.3) & (ends | letter(-np.sign(y) * x, z, corners, 0.2)), 0.1, 0.9)

    return block((-0.36, 0, 0.36), 25, V), block((-0.42, 0.05, -0.4), 10, A), block((0.42, -0.05, -0.4), -15, E)


SHAPES = {shape.__name__: shape for shape in (mug, car, duck, house, aeroplane, blocks)}
OBJECTS = tuple(SHAPES)


def turned(vectors: Array, angle: float) -> Array:
    """Vectors (3, ...) in the axes of an object that has turned by angle (degrees), anticlockwise seen from above."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    x, y, z = vectors
    return np.stack([c * x + s * y, c * y - s * x, z]).astype(np.float32)


def sphere_trace(distance: Distance, starts: Array, direction: Array, reach: float = REACH, steps: int = 100) -> Array:
    """How far rays from starts (3, M) along the unit direction (3, 1) go to the surface: (M,), inf if they miss it."""
    t, walking = np.zeros(starts.shape[1], np.float32), np.arange(starts.shape[1])
    for _ in range(steps):
        gap = distance(starts[:, walking] + t[walking] * direction)
        t[walking] += gap
        walking = walking[(gap > NEAR) & (t[walking] < reach)]
    t[walking] = np.inf  # still on the way after so many steps: it grazes the surface
    return np.where(t < reach, t, np.inf)


def normals(distance: Distance, p: Array, step: float = 2e-3) -> Array:
    """The unit normals (3, M) at surface points: the gradient of the distance, by central differences."""
    gradient: Array = np.stack(
        [distance(p + e) - distance(p - e) for e in step * np.eye(3, dtype=np.float32)[:, :, None]]
    )
    return gradient / (length(gradient) + 1e-12)


def shade(parts: Shape, distance: Distance, p: Array, eye: Array, light: Array) -> NDArray[np.floating[Any]]:
    """The greys (M,) of surface points: paint under a lamp and a sky (Lambert), cast shadows, and a gloss (Blinn)."""
    n = normals(distance, p)
    lit = np.isinf(sphere_trace(distance, p + 0.02 * n, light, reach=3))
    sun = lit * np.maximum((n * light).sum(0), 0)
    sky = np.clip(distance(p + 0.15 * n) / 0.15, 0, 1)  # less of it in corners
    gloss = lit * np.power(np.maximum((n * (light + eye)).sum(0) / length(light + eye), 0), 40, dtype=np.float64)
    distances, paints = zip(*parts(p), strict=True)
    grey = np.choose(np.argmin(distances, 0), [paint() if callable(paint) else paint for paint in paints])
    shaded: NDArray[np.floating[Any]] = grey * (0.32 * sky + 0.78 * sun) + 0.15 * gloss
    return shaded


def picture(parts: Shape, angle: float, size: int) -> NDArray[np.floating[Any]]:
    """One view, (size, size): four parallel rays to a pixel, averaged."""

    def distance(p: Array) -> Array:
        nearest: Array = np.min([d for d, _ in parts(p)], 0)
        return nearest

    c, s = np.cos(np.radians(ELEVATION)), np.sin(np.radians(ELEVATION))
    grid = FRAME * ((np.arange(2 * size) + 0.5) / size - 1)
    right, down = (a.ravel() for a in np.meshgrid(grid, grid))
    eye = turned(column((0, -c, s)), angle)
    starts = turned(np.stack([right, -s * down, -c * down]), angle) + REACH / 2 * eye
    t = sphere_trace(distance, starts, -eye)
    hit = np.isfinite(t)
    grey = np.zeros(len(t), np.float32)
    light = turned(column(LIGHT) / length(column(LIGHT)), angle)
    grey[hit] = shade(parts, distance, starts[:, hit] - t[hit] * eye, eye, light)
    pixels: Array = np.clip(grey, 0, 1).reshape(size, 2, size, 2).mean((1, 3))
    return pixels


def render(name: str, angles: ArrayLike, size: int = 64) -> Array:
    """Pictures of one object, with the camera 20 degrees above the table.

    Each picture depends on its own angle only, and is the same to the last bit for angle and angle + 360.

    Args:
        name: one of OBJECTS
        angles: degrees the object has turned, anticlockwise seen from above, a number or (N,)
        size: pixels along each side, 16 to 256

    Returns:
        Float32 (N, size, size), from 0 (black) to 1.

    Raises:
        ValueError: For another name, size or angle.
    """
    if name not in OBJECTS:
        raise ValueError(f"there is no object {name!r}; there are {', '.join(OBJECTS)}.{did_you_mean(name, OBJECTS)}")
    size = checked_size(size)
    angles = np.atleast_1d(angles)
    if angles.dtype.kind not in "iuf" or angles.ndim > 1:
        got = f"{angles.dtype} of shape {angles.shape}"
        raise ValueError(f"angles must be degrees, one number or (N,); got {got}. Try numpy.arange(0, 360, 5).")
    if not np.isfinite(angles).all():
        raise ValueError(f"angles must be finite degrees; got {angles[~np.isfinite(angles)][0]}. Leave such views out.")
    # Rounded, because 0.1 and 360.1 - 360 differ in their last bits, and the same view must give the same picture.
    angles = np.round(np.mod(angles.astype(np.float64), 360), 6) % 360
    return np.array([picture(SHAPES[name], a, size) for a in angles], np.float32).reshape(-1, size, size)


def checked_size(size: object) -> int:
    """The number of pixels, if it is one that `render` takes. Raises ValueError."""
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or not 16 <= size <= 256:
        raise ValueError(f"size must be a whole number of pixels from 16 to 256; got {size!r}. Try 64 or 128.")
    return int(size)


def views(
    size: int = 64, objects: Sequence[str] = OBJECTS, step: float = 5.0
) -> tuple[Array, NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    """Every object from all sides: 72 views of each, as in COIL-20, unless told otherwise.

    Args:
        size: pixels along each side, 16 to 256
        objects: names from OBJECTS
        step: degrees between views; it divides 360

    Returns:
        Images float32 (N, size, size) in [0, 1], labels int64 (N,), each the object's place in OBJECTS whichever
        objects are asked for, and factors `{"angle": degrees (N,)}`.

    Raises:
        ValueError: For other objects, sizes or steps.
    """
    if not isinstance(objects, (list, tuple)) or not objects:
        raise ValueError(f"objects must be a list of names from {OBJECTS}; got {objects!r}. Try [{OBJECTS[0]!r}].")
    if not isinstance(step, (int, float, np.number)) or not 0 < step <= 360 or round(360 / step, 6) % 1:
        raise ValueError(f"step must divide 360 degrees, so that the views close the circle; got {step!r}. Try 5.")
    count = round(360 / step)
    angles = 360 * np.arange(count) / count
    images = np.concatenate([render(name, angles, size) for name in objects])
    labels = np.repeat([OBJECTS.index(name) for name in objects], count).astype(np.int64)
    return images, labels, {"angle": np.tile(angles, len(objects))}
