"""What a learner hands to the explorer, checked where it comes in and brought into the form that the browser reads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from ..images import as_array, as_images
from ..model import VAE

__all__ = [
    "array",
    "check_caption",
    "check_codes",
    "check_ends",
    "check_extent",
    "check_heat",
    "check_images",
    "check_labels",
    "check_map",
    "check_model",
    "check_number",
    "check_path",
    "check_point",
    "check_whole",
    "pairs",
]

MOST_CODES = 2000  # as many as a plane of 400 pixels can show; more would only make the page heavier


def check_model(model: VAE, draw: bool) -> None:
    """Raises ValueError unless the browser can run the model."""
    if not isinstance(model, VAE):
        raise ValueError(f'model must be a VAE, such as load_pretrained("mnist-2d"); got {type(model).__name__}.')
    if model.latent_dim != 2:
        raise ValueError(f"the plane shows models with 2 latent numbers; this one has {model.latent_dim}.")
    if len(model.image_shape) != 2:
        raise ValueError(f"the explorer draws grey images of shape (H, W); this model draws {model.image_shape}.")
    config: dict[str, Any] = model.config
    with torch.device("meta"):  # where a model takes no memory
        plain = VAE(**config)
    layers = [(str(m.encoder), str(m.decoder), type(m).encode, type(m).decode) for m in (model, plain)]
    if layers[0] != layers[1]:
        raise ValueError(
            "the browser runs a VAE's linear layers with GELU between them and no others; this model has layers of its "
            "own. Teach one that it can run: training.distil(model, VAE(...), images, epochs)."
        )
    if not all(torch.isfinite(p.half()).all() for p in model.parameters()):
        raise ValueError("the model's weights hold NaN, or are too large for a page. Train it again, or load another.")
    if draw and (model.likelihood != "gaussian" or model.image_shape != (28, 28)):
        raise ValueError("draw=True needs a Gaussian likelihood and images of 28 x 28 pixels. Leave draw out.")


def array(values: ArrayLike, name: str) -> np.ndarray:
    """A float64 array of finite numbers. Raises ValueError, naming it, for anything else."""
    given = as_array(values, name)
    if given.dtype == bool:
        raise ValueError(f"{name} must be numbers; got True and False. For 1 and 0: np.asarray({name}, dtype=int).")
    numbers = given.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name} hold NaN or infinity. Find them with np.isfinite({name}) and leave those out.")
    return numbers


def check_number(value: Any, name: str) -> float:
    """A finite number of Python, NumPy or PyTorch as a float. Raises ValueError for anything else."""
    try:
        number = as_array(value, name)
    except ValueError:
        number = np.array(math.nan)
    if number.ndim or number.dtype == bool or not np.isfinite(number):
        raise ValueError(f"{name} must be a finite number, such as 1.5; got {value!r}.")
    return float(number)


def check_extent(extent: Any) -> float:
    """Half the side of a plane. Raises ValueError for what is too small or too large to be shown."""
    number = check_number(extent, "extent")
    if not 1 <= number <= 20:
        raise ValueError(f"extent must be a number from 1 to 20, in sd of the prior; got {number:g}.")
    return number


def check_caption(caption: Any) -> str:
    """What stands below a widget. Raises ValueError for anything but a text."""
    if not isinstance(caption, str):
        raise ValueError(f'caption must be a text, such as "Drag the point."; got {caption!r}.')
    return caption


def check_whole(value: Any, name: str) -> int:
    """The same for a whole number, as an int."""
    number = check_number(value, name)
    if number % 1:
        raise ValueError(f"{name} must be a whole number, such as 1; got {value!r}.")
    return int(number)


def pairs(values: ArrayLike | None, name: str) -> np.ndarray:
    """(N, 2), with N = 0 for None."""
    numbers = np.empty((0, 2)) if values is None else array(values, name)
    if numbers.ndim != 2 or numbers.shape[1] != 2:
        raise ValueError(f"{name} must be (N, 2), one z1 and z2 in each row; got {numbers.shape}.")
    return numbers


def check_codes(codes: ArrayLike | None) -> np.ndarray:
    """(N, 2) float64; (0, 2) for None."""
    return pairs(codes, "codes").clip(-1000, 1000)  # farther than any plane, and within half precision


def check_path(path: ArrayLike | None) -> np.ndarray:
    """(T, 2) float64 with T >= 2; (0, 2) for None."""
    points = pairs(path, "path")
    if path is not None and len(points) < 2:
        raise ValueError(f"path must be (T, 2) with at least 2 points to walk between; got {points.shape}.")
    return points


def check_ends(ends: ArrayLike | None) -> list[list[float]]:
    """[[z1, z2], [z1, z2]]; [] for None or nothing. Raises ValueError for anything else."""
    try:
        points = np.empty((0, 2)) if ends is None else array(ends, "ends")
    except ValueError:
        points = np.empty((1, 2))
    if len(points) and points.shape != (2, 2):
        raise ValueError(f"ends must be two points of two finite numbers, such as [[-1, 0], [1, 0]]; got {ends!r}.")
    return [[float(z1), float(z2)] for z1, z2 in points]


def check_labels(codes: np.ndarray, labels: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
    """Codes (N, 2) or pictures (N, 3), and labels (N,), thinned evenly to MOST_CODES. Raises ValueError."""
    numbers = np.zeros(len(codes)) if labels is None else array(labels, "labels")
    if numbers.shape != (len(codes),):
        raise ValueError(f"labels must be ({len(codes)},), one for each code; got {numbers.shape}.")
    if ((numbers < 0) | (numbers > 254) | (numbers % 1 != 0)).any():
        raise ValueError("labels must be whole numbers from 0 to 254.")
    keep = np.linspace(0, len(codes) - 1, min(len(codes), MOST_CODES)).round().astype(int)
    return codes[keep], numbers[keep].astype(np.uint8)


def check_map(values: ArrayLike, name: str) -> np.ndarray:
    """A map over the plane, (H, W) float64. Raises ValueError, naming it, for anything else."""
    numbers = array(values, name)
    if numbers.ndim != 2 or min(numbers.shape) < 2 or max(numbers.shape) > 512:
        raise ValueError(f"{name} must be (H, W), each from 2 to 512, first row at the bottom; got {numbers.shape}.")
    return numbers


def check_heat(heat: ArrayLike | None, name: str) -> tuple[bytes, dict[str, Any] | None]:
    """A map (H, W) as one byte for each value, and its size, range and name."""
    if heat is None:
        return b"", None
    values = check_map(heat, "heat")
    if not isinstance(name, str) or name in ("", "codes", "drawings", "nothing", "posterior"):
        raise ValueError(f'heat_name must say what the map shows, such as "density"; got {name!r}.')
    low, high = values.min(), values.max()
    shares = (values - low) / ((high - low) or 1)
    spec = {"height": values.shape[0], "width": values.shape[1], "low": float(low), "high": float(high), "name": name}
    return (shares * 255).round().astype(np.uint8).tobytes(), spec


def check_images(images: ArrayLike | None, names: list[str] | None, shape: tuple[int, ...]) -> tuple[bytes, list[str]]:
    """Pictures (N, H, W) as grey bytes, 255 = ink, and a name for each."""
    if images is None:
        return b"", []
    values = array(as_images(images, shape), "images")
    if len(values) > 200:
        raise ValueError(f"images must be 1 to 200; got {len(values)}. Choose some.")
    names = [f"picture {i + 1}" for i in range(len(values))] if names is None else [str(n) for n in names]
    if len(names) != len(values):
        raise ValueError(f"image_names must name each of the {len(values)} images; got {len(names)} names.")
    return (values * 255).round().astype(np.uint8).tobytes(), names


def check_point(z: ArrayLike, name: str, extent: float) -> tuple[float, float]:
    """Two finite numbers on the plane. Raises ValueError otherwise."""
    numbers = array(z, name)
    if numbers.shape != (2,) or (abs(numbers) > extent).any():
        raise ValueError(f"{name} must be two numbers from {-extent:g} to {extent:g}, such as (0, 0); got {z!r}.")
    return float(numbers[0]), float(numbers[1])
