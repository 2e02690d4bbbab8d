"""The one door through which pictures and codes come in: whatever holds them becomes a checked tensor, once.

Everything in the library that takes pictures calls `as_images`, everything that takes codes `as_codes`. What comes out
is float32 (or what the model computes in), on the device asked for; what cannot be taken is refused in a sentence that
says what to do.
"""

from __future__ import annotations

import math
from hashlib import sha256
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = [
    "as_array",
    "as_codes",
    "as_generator",
    "as_images",
    "as_labels",
    "as_numbers",
    "check_binary",
    "check_range",
    "digest",
]


def as_images(
    images: Any,
    image_shape: tuple[int, ...] | None = None,
    like: Tensor | None = None,
    *,
    name: str = "images",
    leading: tuple[int, ...] | None = (1,),
    values: bool = True,
) -> Tensor:
    """Pictures as a float tensor (N, *image_shape) with values in [0, 1].

    Args:
        images: a tensor, an array, nested lists, or whatever carries them as `.images`, such as an ImageSet
        image_shape: the shape of one picture; None takes any (H, W)
        like: a tensor, such as a model's weight, whose device and precision they get; None: the CPU, float32
        name: what to call them in an error
        leading: how many axes may stand before the picture's own; None: any number, also none
        values: False looks at the shape only: for sets that were checked before, since a look stalls a GPU

    Raises:
        ValueError: Saying what to do, for another shape, whole numbers (but for True and False), NaN, and values
            outside [0, 1].

    Example:
        >>> as_images(np.eye(4)[None]).dtype
        torch.float32
        >>> as_images(np.eye(4), (4, 4))
        Traceback (most recent call last):
        ...
        ValueError: images must be (N, 4, 4); got (4, 4). One picture is images[None].
    """
    x = as_numbers(getattr(images, "images", images), name)
    x = x.float() if x.dtype == torch.bool else x  # paper or ink: nobody can mistake that
    shape, grey = image_shape, image_shape is None
    if shape is None:
        shape = tuple(x.shape[-2:])
    axes = x.ndim - len(shape)
    if grey and x.ndim > 2 and shape[-1] in (1, 3, 4) and shape[0] >= 8:
        raise ValueError(f"{name} must be grey, (..., H, W); got {tuple(x.shape)}, channels last: {name}.mean(-1).")
    if axes < 0 or tuple(x.shape[axes:]) != tuple(shape) or (leading is not None and axes not in leading):
        before = ["..."] if leading is None else ["O", "N"][2 - max(leading) :]
        wanted = ", ".join([*before, *(("H", "W") if grey else map(str, shape))])
        if not before:
            raise ValueError(f"{name} must be one picture ({wanted}), such as images[0]; got {tuple(x.shape)}.")
        raise ValueError(f"{name} must be ({wanted}); got {tuple(x.shape)}.{_advice_on_shape(x, shape, name)}")
    if not x.is_floating_point():
        raise ValueError(
            f"{name} must be floats in [0, 1]; got {str(x.dtype).removeprefix('torch.')}. Divide by the largest value "
            f"that a pixel can have, 255 for most files: {name} / 255."
        )
    x = x.to(device=None if like is None else like.device, dtype=torch.float32 if like is None else like.dtype)
    if values:
        check_range(x, name)
    return x


def check_range(x: Tensor, name: str = "images") -> None:
    """Raises ValueError unless pictures x are at least one, finite and in [0, 1]."""
    if x.numel() == 0:
        raise ValueError(f"{name} are empty: there is nothing to look at. Was the selection before this too strict?")
    low, high = (v.item() for v in x.detach().aminmax())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"{name} hold NaN or infinity. Find them with torch.isfinite({name}) and leave those out.")
    if low < 0 or high > 1:
        # Only 8-bit greys tell by their range what they are: digits from 0 to 16, say, are to be divided by 16.
        advice = "Divide by 255." if low >= 0 and 128 < high <= 255 else "Shift and scale them to [0, 1] first."
        if low > -0.1 and high < 1.1:  # as filters and rounding leave them
            advice = f"So little is cut off: {name}.clip(0, 1)."
        raise ValueError(f"{name} must lie in [0, 1]; got [{low:.9g}, {high:.9g}]. {advice}")


def check_binary(x: Tensor, name: str = "images") -> None:
    """Raises ValueError unless every pixel of pictures x is 0 or 1."""
    if not ((x == 0) | (x == 1)).all():
        raise ValueError(
            f"Bernoulli pixels are 0 or 1, and {name} hold greys, for which their formula is no density. Round them, "
            f'({name} > 0.5).float(), or take a model with likelihood="gaussian".'
        )


def as_codes(z: Any, latent_dim: int, like: Tensor | None = None, *, name: str = "z") -> Tensor:
    """Codes as a float tensor (..., latent_dim), in the precision and on the device of `like`.

    Raises:
        ValueError: Saying what to do, for what is no number and for another number of coordinates.
    """
    z = as_numbers(z, name)
    if z.ndim < 1 or z.shape[-1] != latent_dim:
        raise ValueError(
            f"{name} must have {latent_dim} coordinates in the last dimension, such as "
            f"torch.zeros(5, {latent_dim}); got shape {tuple(z.shape)}."
        )
    return z.to(device=None if like is None else like.device, dtype=torch.float32 if like is None else like.dtype)


def as_numbers(given: Any, name: str) -> Tensor:
    """A tensor of whatever holds real numbers: arrays of any byte order and stride, lists of tensors, numbers.

    Raises:
        ValueError: For anything else.
    """
    if isinstance(given, Tensor):
        if given.is_complex() or given.is_sparse:
            raise ValueError(f"{name} must be real numbers, stored densely; got {given.dtype}, {given.layout}.")
        return given
    try:
        if isinstance(given, list | tuple) and given and all(isinstance(part, Tensor) for part in given):
            return torch.stack(list(given))
        array = np.asarray(given)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"they are {array.dtype}")
        # PyTorch knows neither another machine's byte order nor strides that run backwards.
        return torch.from_numpy(np.array(array, array.dtype.newbyteorder("="), order="C", copy=True))
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} must be an array of numbers ({type(given).__name__}: {error}).") from error


def as_array(given: Any, name: str) -> NDArray[Any]:
    """What `as_numbers` takes as a NumPy array, for SciPy and Matplotlib. Raises ValueError as it does."""
    numbers = as_numbers(given, name).detach().cpu()
    return (numbers.float() if numbers.dtype == torch.bfloat16 else numbers).numpy()  # NumPy has no bfloat16


def as_labels(given: Any, shape: tuple[int, ...], classes: int | None = None, *, name: str = "labels") -> Tensor:
    """Labels of a shape as an int64 tensor on the CPU: whole numbers from 0, below `classes` if that is given.

    Floats that are whole numbers will do.

    Raises:
        ValueError: Saying what to do, for all else.

    Example:
        >>> as_labels([0.0, 2.0], (2,))
        tensor([0, 2])
    """
    numbers = as_numbers(given, name).detach().cpu().double()
    if tuple(numbers.shape) != shape:
        raise ValueError(
            f"{name} must be {shape}; got {tuple(numbers.shape)}. Take the labels of these very images, one for each."
        )
    whole = numbers.long()
    if (whole != numbers).any():
        raise ValueError(
            f"{name} must be whole numbers; got {numbers[whole != numbers][0]:g}. Number the classes from 0."
        )
    if numbers.numel() and (whole.min() < 0 or (classes is not None and whole.max() >= classes)):
        most = "" if classes is None else f" to {classes - 1}, for {classes} classes"
        raise ValueError(
            f"{name} must be whole numbers from 0{most}; got {whole.min()} to {whole.max()}. Name every class, and "
            "count from 0."
        )
    return whole


def as_generator(generator: torch.Generator | None, device: torch.device) -> torch.Generator:
    """A generator on the device; None makes one with seed 0. The global state is never drawn from.

    Raises:
        TypeError: For anything else.
        ValueError: For a generator of another device.
    """
    if generator is None:
        return torch.Generator(device).manual_seed(0)
    if not isinstance(generator, torch.Generator):
        raise TypeError(
            f"generator must be a torch.Generator, such as torch.Generator().manual_seed(0); got {generator!r}."
        )
    if generator.device.type != device.type:
        raise ValueError(
            f"the generator draws on {generator.device} and the model lies on {device}. "
            f'Make it with torch.Generator("{device.type}").'
        )
    return generator


def digest(images: Tensor) -> str:
    """SHA-256 of what a person can see of pictures (N, ...) in [0, 1]: their shape, and their greys in 8 bits.

    The last bits of a float differ between processors, and say nothing of which pictures these are.
    """
    found = sha256(repr(tuple(images.shape)).encode())
    for part in images.detach().split(4096):
        found.update((255 * part.float()).round().to("cpu", torch.uint8).contiguous().numpy().data)
    return found.hexdigest()


def _advice_on_shape(x: Tensor, shape: tuple[int, ...], name: str) -> str:
    """What probably happened to pictures of another shape, and what to do."""
    got = tuple(x.shape)
    if got == tuple(shape):
        return f" One picture is {name}[None]."
    if len(shape) == 3 and len(got) == 4 and got[1:] == (*shape[1:], shape[0]):
        return f" The channels stand last: {name}.permute(0, 3, 1, 2)."
    if len(got) == len(shape) + 2 and got[1] == 1 and got[2:] == tuple(shape):
        return f" One axis is too many: {name}.squeeze(1)."
    if len(shape) == 2 and len(got) == 4 and (got[1] in (3, 4) or got[3] in (3, 4)):
        return " These are in colour: take their mean over the channels, or a VAE whose image_shape has channels."
    if len(got) == 2 and got[1] == math.prod(shape):
        return f" They were flattened: {name}.reshape(-1, {', '.join(map(str, shape))})."
    return ""
