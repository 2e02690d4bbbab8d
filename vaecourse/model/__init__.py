"""The variational autoencoder, whose mathematics every chapter reads; the judge, a small classifier that says what a
picture shows; and reading and writing their weights, safetensors files with the recipe and the scores inside.
"""

from .checkpoints import (
    CheckpointError,
    difference,
    load_model,
    load_pretrained,
    parse_safetensors,
    pretrained_names,
    read_safetensors,
    save_model,
    stored,
    write_safetensors,
)
from .classifier import Classifier
from .sizes import as_count, as_positive
from .vae import VAE, Decoder, ElboTerms, Encoder
from .verdicts import verdict

__all__ = [
    "VAE",
    "CheckpointError",
    "Classifier",
    "Decoder",
    "ElboTerms",
    "Encoder",
    "as_count",
    "as_positive",
    "difference",
    "load_model",
    "load_pretrained",
    "parse_safetensors",
    "pretrained_names",
    "read_safetensors",
    "save_model",
    "stored",
    "verdict",
    "write_safetensors",
]
