"""Planes, cubes and objects to drag: alive in JupyterLab, Notebook, VS Code, Colab, and in pages with no kernel.

`LatentExplorer` stands in nearly every chapter, `PixelCube` in the one on three pixels, `TrainingLab` in the one on
training, `OwnPath` in the one on interpolating digits, `TurningObject` in the one on objects. What runs in the browser
is written in `web/`, in small modules; `make web` joins them into the files that stand here.
"""

from .cube import PixelCube
from .lab import TrainingLab, page_images
from .latent import LatentExplorer
from .own_path import OwnPath
from .turning import TurningObject

__all__ = ["LatentExplorer", "OwnPath", "PixelCube", "TrainingLab", "TurningObject", "page_images"]
