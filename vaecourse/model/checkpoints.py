"""Trained models on disk: safetensors files with the recipe and the scores inside, never a pickle.

A pickle runs whatever code its author wrote into it; a safetensors file holds numbers and one JSON text. Files are
written whole or not at all: first under a temporary name, then moved into place.
"""

from __future__ import annotations

import json
from importlib.resources import files
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from ..files import write_whole
from ..names import did_you_mean

__all__ = [
    "CheckpointError",
    "difference",
    "load_model",
    "load_pretrained",
    "parse_safetensors",
    "pretrained_names",
    "read_safetensors",
    "save_model",
    "stored",
    "write_safetensors",
]

_SHIPPED = files("vaecourse") / "weights"
Kind = TypeVar("Kind", bound=nn.Module)
_KINDS: dict[str, type[nn.Module]] = {}  # the classes whose weights can be read, by the name that stands in the file


def stored(kind: type[Kind]) -> type[Kind]:
    """A class decorator: models of this class, made again from their `config`, can be saved and loaded."""
    _KINDS[kind.__name__] = kind
    return kind


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be written or read, or that belongs to something else."""


def write_safetensors(path: str | Path, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
    """Writes tensors and a JSON-able `meta` to `path`, whole or not at all.

    Raises:
        CheckpointError: When the folder cannot be written to or has no space left.
    """
    cpu = {k: v.detach().to("cpu", copy=True).contiguous() for k, v in tensors.items()}  # apart, also where shared
    try:
        write_whole(Path(path), save(cpu, metadata={"meta": json.dumps(meta)}))
    except OSError as error:
        raise CheckpointError(
            f"cannot write {path}: {error.strerror}. Make room there or name another folder, then run it again. "
            f"An older file of that name, if there is one, is still whole."
        ) from error


def read_safetensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors (on the CPU) and the `meta` of a file that `write_safetensors` wrote.

    Raises:
        CheckpointError: When the file is missing, cut short, or something else.
    """
    try:
        data = Path(path).read_bytes()  # not mapped into memory: Windows lets nobody replace a file that is
    except FileNotFoundError as error:
        raise CheckpointError(f"there is no file {path}. Check the name, or train the model first.") from error
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror}). Check its rights, and the name.") from error
    return parse_safetensors(data, str(path))


def parse_safetensors(data: bytes, name: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The same of a file's bytes; `name` says in an error what they are."""
    try:
        tensors = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        meta = json.loads(header["__metadata__"]["meta"])
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{name} is not a whole checkpoint of this course ({error}). Delete it and train or download it again."
        ) from error
    if not isinstance(meta, dict):
        raise CheckpointError(f"{name} carries no description of its model. Delete it and train it again.")
    return tensors, meta


def save_model(path: str | Path, model: Any, meta: dict[str, Any], precision: str = "float32") -> None:
    """Writes the weights of a model of a `stored` class with its structure and `meta`.

    Args:
        precision: "float32", or "float16" for half the download (single numbers, such as sigma, stay whole)

    Raises:
        ValueError: For another precision, or one that cannot hold the weights.
        CheckpointError: When the file cannot be written.
    """
    if precision not in ("float32", "float16"):
        raise ValueError(f'precision must be "float32" or "float16"; got {precision!r}.')
    dtype = getattr(torch, precision)
    weights = {k: v.to(dtype) if v.ndim and v.is_floating_point() else v for k, v in model.state_dict().items()}
    if any(v.isfinite().all() and not weights[k].isfinite().all() for k, v in model.state_dict().items()):
        raise ValueError(
            f"{precision} cannot hold the largest of the weights, which would become infinite. Leave precision out."
        )
    own = {"kind": type(model).__name__, "config": model.config, "structure": str(model)}
    write_safetensors(path, weights, own | meta)


def load_model(path: str | Path, **networks: nn.Module) -> Any:
    """The model that `save_model` wrote: float32, on the CPU, in eval mode, with what is known of it in `.meta`.

    Args:
        networks: parts of it that are not the course's own, such as encoder=... of a VAE: they get their weights

    Raises:
        CheckpointError: When the file is not a whole checkpoint of this course, or its structure is another.
    """
    tensors, meta = read_safetensors(path)
    try:
        kind, config = _kind(path, meta.get("kind", "VAE")), meta["config"]
        with torch.device("meta"):  # where a model takes no memory, however large the file says that it is
            blank = kind(**config, **networks)
        if meta.get("structure", str(blank)) != str(blank):  # older files do not say
            raise ValueError(f"{difference(meta['structure'], str(blank))}. Networks of your own go in by name")
        if {k: v.shape for k, v in blank.state_dict().items()} != {k: v.shape for k, v in tensors.items()}:
            raise ValueError("its weights do not fit its description")
        weights = {k: v.float() for k, v in tensors.items()}
        model: Any = kind(**config, **networks)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} holds another kind of model ({error}). Load it with what wrote it.") from error
    if not all(torch.isfinite(v).all() for v in weights.values()):
        raise CheckpointError(f"{path} holds weights that are not finite. Train the model again.")
    model.load_state_dict(weights)
    model.meta = meta
    return model.eval()


def difference(found: Any, wanted: str) -> str:
    """Where two descriptions of a network, as str(network) makes them, part company."""
    pairs = zip_longest(str(found).splitlines(), wanted.splitlines(), fillvalue="nothing")
    theirs, ours = next(pair for pair in pairs if pair[0] != pair[1])
    return f"it has {theirs.strip()} where the network given has {ours.strip()}"


def _kind(path: str | Path, name: str) -> type[nn.Module]:
    if name not in _KINDS:
        raise CheckpointError(f"{path} holds a model of the kind {name!r}. Import the module that defines it, first.")
    return _KINDS[name]


def pretrained_names() -> list[str]:
    """The names that `load_pretrained` knows."""
    return sorted(file.name.removesuffix(".safetensors") for file in _SHIPPED.iterdir() if "safetensors" in file.name)


def load_pretrained(name: str) -> Any:
    """A trained model that ships with the course, on the CPU, in eval mode; needs no network.

    `.meta` says how it was made and what it scored.

    Raises:
        ValueError: With the known names, for another.

    Example:
        >>> model = load_pretrained("strokes-2d")
        >>> model.decode(torch.zeros(5, 2)).mean.shape
        torch.Size([5, 28, 28])
    """
    known = pretrained_names()
    if name not in known:
        raise ValueError(
            f"no trained model is called {name!r}; there are {', '.join(known)}.{did_you_mean(name, known)}"
        )
    return load_model(Path(str(_SHIPPED / f"{name}.safetensors")))
