"""Trained models on disk: safetensors files with the recipe and the scores inside, never a pickle.

A pickle runs whatever code its author wrote into it; a safetensors file holds numbers and one JSON text. Files are
written whole or not at all: first under a temporary name, then moved into place.
"""

from __future__ import annotations

import difflib
import json
import os
from importlib.resources import files
from pathlib import Path
from uuid import uuid4

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from .classifier import Classifier
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

    Raises CheckpointError when the folder cannot be written to or has no space left.
    """
    path = Path(path)
    # The same folder, so that the move is a rename; a name of its own, so that two writers do not mix.
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        cpu = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
        temporary.write_bytes(save(cpu, metadata={"meta": json.dumps(meta)}))
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"cannot write {path}: {error}. Is the folder writable, and is there space left? "
            f"An older file of that name is still whole."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def read_safetensors(path: str | Path) -> tuple[dict[str, Tensor], dict]:
    """The tensors (on the CPU) and the `meta` of a file that `write_safetensors` wrote.

    Raises CheckpointError when the file is missing, cut short, or something else.
    """
    try:
        with safe_open(path, framework="pt") as file:
            meta = json.loads((file.metadata() or {})["meta"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (safe_open is no dict)
    except FileNotFoundError as error:
        raise CheckpointError(f"there is no file {path}. Check the name, or train the model first.") from error
    except (OSError, SafetensorError, KeyError, ValueError, RecursionError) as error:
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

    Raises CheckpointError when the file is not a whole checkpoint of this course.
    """
    tensors, meta = read_safetensors(path)
    try:
        model = _KINDS[meta.get("kind", "VAE")](**meta["config"])
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

    `.meta` says how it was made and what it scored. Raises ValueError, with the nearest name, for an unknown one.
    """
    known = pretrained_names()
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=1, cutoff=0)
        raise ValueError(
            f"no trained model is called {name!r}; there are {', '.join(known)}. Did you mean {near[0]!r}?"
        )
    return load_model(Path(str(_SHIPPED / f"{name}.safetensors")))
