"""Planes and objects to drag: alive in JupyterLab, Notebook, VS Code, Colab, and in the book's pages with no kernel.

`LatentExplorer` stands in nearly every chapter, `TurningObject` in the one on objects, `TrainingLab` in the one on
training. What runs in the browser is written in `web/`, in small modules; `make web` joins them into the files that
stand here.
"""

from .lab import TrainingLab, page_images
from .latent import LatentExplorer
from .turning import TurningObject

__all__ = ["LatentExplorer", "TrainingLab", "TurningObject", "page_images"]
