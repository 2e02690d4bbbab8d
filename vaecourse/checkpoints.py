"""Trained models on disk: safetensors files with the recipe and the scores inside, never a pickle.

A pickle runs whatever code its author wrote into it; a safetensors file holds numbers and one JSON text. Files are
written whole or not at all: first under a temporary name, then moved into place.
"""

from __future__ import annotations

import difflib
import json
from importlib.resources import files
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from .classifier import Classifier
from .downloads import write_whole
from .vae import VAE
from .views import ViewVAE

__all__ = [
    "CheckpointError",
    "load_model",
    "load_pretrained",
    "pretrained_names",
    "read_safetensors",
    "save_model",
    "write_safetensors",
]

_SHIPPED = files("vaecourse") / "models"
_KINDS = {"VAE": VAE, "ViewVAE": ViewVAE, "Classifier": Classifier}


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be written or read, or that belongs to something else."""


def write_safetensors(path: str | Path, tensors: dict[str, Tensor], meta: dict) -> None:
    """Writes tensors and a JSON-able `meta` to `path`, whole or not at all.

    Raises:
        CheckpointError: When the folder cannot be written to or has no space left.
    """
    cpu = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    try:
        write_whole(Path(path), save(cpu, metadata={"meta": json.dumps(meta)}))
    except OSError as error:
        raise CheckpointError(
            f"cannot write {path}: {error.strerror}. Make room there or name another folder, then run it again. "
            f"An older file of that name, if there is one, is still whole."
        ) from error


def read_safetensors(path: str | Path) -> tuple[dict[str, Tensor], dict]:
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
    try:
        tensors = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        meta = json.loads(header["__metadata__"]["meta"])
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} is not a whole checkpoint of this course ({error}). Delete it and train or download it again."
        ) from error
    if not isinstance(meta, dict):
        raise CheckpointError(f"{path} carries no description of its model. Delete it and train it again.")
    return tensors, meta


def save_model(path: str | Path, model: VAE | ViewVAE | Classifier, meta: dict) -> None:
    """Writes the weights in half precision (half the download; `tests` hold the scores against it) with `meta`."""
    weights = {k: v.half() if v.ndim else v for k, v in model.state_dict().items()}
    write_safetensors(path, weights, {"kind": type(model).__name__, "config": model.config} | meta)


def load_model(path: str | Path) -> VAE | ViewVAE | Classifier:
    """The model that `save_model` wrote: float32, on the CPU, in eval mode, with what is known of it in `.meta`.

    Raises:
        CheckpointError: When the file is not a whole checkpoint of this course.
    """
    tensors, meta = read_safetensors(path)
    try:
        kind, config = _KINDS[meta.get("kind", "VAE")], meta["config"]
        with torch.device("meta"):  # where a model takes no memory, however large the file says that it is
            shapes = {k: v.shape for k, v in kind(**config).state_dict().items()}
        if shapes != {k: v.shape for k, v in tensors.items()}:
            raise ValueError("its weights do not fit its description")
        model = kind(**config)
        model.load_state_dict({k: v.float() for k, v in tensors.items()})
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} holds another kind of model ({error}). Load it with what wrote it.") from error
    if not all(torch.isfinite(v).all() for v in model.state_dict().values()):
        raise CheckpointError(f"{path} holds weights that are not finite. Train the model again.")
    model.meta = meta
    return model.eval()


def pretrained_names() -> list[str]:
    """The names that `load_pretrained` knows."""
    return sorted(file.name.removesuffix(".safetensors") for file in _SHIPPED.iterdir() if "safetensors" in file.name)


def load_pretrained(name: str) -> VAE | ViewVAE | Classifier:
    """A trained model that ships with the course, on the CPU, in eval mode; needs no network.

    `.meta` says how it was made and what it scored.

    Raises:
        ValueError: With the nearest name, for an unknown one.

    Example:
        >>> model = load_pretrained("strokes-2d")
        >>> model.decode(torch.zeros(5, 2)).mean.shape
        torch.Size([5, 28, 28])
    """
    known = pretrained_names()
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=1, cutoff=0)
        raise ValueError(
            f"no trained model is called {name!r}; there are {', '.join(known)}. Did you mean {near[0]!r}?"
        )
    return load_model(Path(str(_SHIPPED / f"{name}.safetensors")))
