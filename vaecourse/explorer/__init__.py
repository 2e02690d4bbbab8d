"""What can be dragged, turned and heard: alive in JupyterLab, Notebook, VS Code, Colab, and in pages with no kernel.

`LatentExplorer` stands in nearly every chapter, `PixelCube` in the one on three pixels, `TrainingLab` in the one on
training, `OwnPath` in the one on interpolating digits, `TurningObject` in the one on objects, `SoundPlane` in the one
on what it is good for. What runs in the browser is written in `web/`, in small modules; `make web` joins them into the
files that stand here.
"""

from .cube import PixelCube
from .lab import TrainingLab, page_images
from .latent import LatentExplorer
from .own_path import OwnPath
from .sound import SoundPlane
from .turning import TurningObject

__all__ = ["LatentExplorer", "OwnPath", "PixelCube", "SoundPlane", "TrainingLab", "TurningObject", "page_images"]
