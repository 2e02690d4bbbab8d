"""A small library under the course "Interpolation in the latent space of variational autoencoders"."""

__version__ = "0.1.0"  # stands above the imports: a trained model records the version it was made with

from . import evidence, interpolation
from .checkpoints import load_pretrained
from .datasets import ImageSet, load_dataset
from .explorer import LatentExplorer
from .training import History, fit
from .vae import VAE

__all__ = [
    "VAE",
    "History",
    "ImageSet",
    "LatentExplorer",
    "evidence",
    "fit",
    "interpolation",
    "load_dataset",
    "load_pretrained",
]
