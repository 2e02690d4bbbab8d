"""A VAE that learns under the reader's eyes: in a notebook and in the book's pages, with no kernel and no server.

    from vaecourse.explorer import TrainingLab

    lab = TrainingLab(load_dataset("mnist"))
    lab                      # press train, and see the codes move
    lab.model()              # what was trained, as a VAE

The browser trains by itself, in a worker (on `jax-js`). What runs there stands in web/, in modules named lab-*.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from typing import Any

import numpy as np
import torch
import traitlets
from numpy.typing import NDArray

from ..data import ImageSet
from ..images import as_images, as_labels
from ..model import VAE
from .inputs import check_caption, check_number, check_whole
from .weights import unpack
from .widget import HERE, CourseWidget, element

__all__ = ["TrainingLab", "page_images"]

SHARED = ("mnist", "strokes")  # sets of which a page fetches those that somebody wants, instead of carrying them
MOST, MOST_HELD_OUT, LEAST = 10_000, 1_000, 22  # images: to learn from, to measure with, and in all
LEVELS = 15  # greys are 0 to 15, four bits: so ten thousand digits weigh a megabyte (and are 4 nats less probable)
UNKNOWN = {"height": 28, "width": 28, "levels": 255, "names": [], "images": 0, "held_out": 0, "source": ""}
NOTE = "Here a VAE learns. To train it, run this cell in a notebook; in a page of the book, turn JavaScript on."


def packed(images: Any, labels: Any = None) -> tuple[dict[str, Any], bytes]:
    """A sample of images as the browser takes it: what is to be known of it, and bytes packed by `zlib`.

    Those are a label for each image, then the images' pixels in four bits, two in a byte, the high bits first. The
    last images are held out: nobody learns from them.
    """
    x = as_images(images).cpu()
    if len(x) < LEAST:
        raise ValueError(f"images must be at least {LEAST}, some to learn from and some held out; got {len(x)}.")
    names = list(getattr(images, "class_names", ()))
    labels = getattr(images, "labels", None) if labels is None else labels
    if labels is None:
        classes, names = torch.zeros(len(x), dtype=torch.int64), ["images"]
    else:
        classes = as_labels(labels, (len(x),), len(names) or 255)
        names = names or [str(label) for label in range(int(classes.max()) + 1)]
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))[: MOST + MOST_HELD_OUT]
    held_out = min(MOST_HELD_OUT, len(order) // 11)
    greys = (x[order] * LEVELS).round().to(torch.uint8).flatten().numpy()
    pairs = np.pad(greys, (0, len(greys) % 2)).reshape(-1, 2)
    halves: NDArray[np.uint8] = pairs[:, 0] << 4 | pairs[:, 1]
    spec = {
        **{"height": x.shape[1], "width": x.shape[2], "levels": LEVELS, "names": names},
        **{"images": len(order), "held_out": held_out},
        "source": getattr(images, "source", ""),
    }
    return spec, zlib.compress(classes[order].to(torch.uint8).numpy().tobytes() + halves.tobytes(), 9)


def page_images(images: ImageSet) -> str:
    """The same as one JSON text, for the file that a page fetches when somebody presses train."""
    spec, data = packed(images)
    return json.dumps(spec | {"data": b64encode(data).decode()})


class TrainingLab(CourseWidget):
    """A VAE with two latent numbers that learns in the browser: press train.

    Without images it asks the reader for some: a folder, dropped files, or a sheet of doodles that a phone's camera
    takes. They stay in the browser, also in a notebook: Python gets the model, and not the pictures.

    Traits to read, observe and link: running (set it, and the training begins or pauses), step, elbo (of the images
    held out, in nats per image). More than 11,000 images are thinned for the browser, and greys rounded to sixteen
    levels; one image in eleven is held out.

    Args:
        images: (N, H, W) pictures in [0, 1], or an ImageSet; None: the reader's own
        labels: (N,) whole numbers from 0 to 254, for the colours of the codes; None: those of the ImageSet, if any
        sigma: standard deviation of a pixel, in grey levels; None learns it
        beta: how much the KL term weighs in what is learned; 1 is the ELBO
        seed: decides the first weights, the order of the images and the draws of z
        caption: what to try, and what to look for

    Raises:
        ValueError: Saying what to do, for what cannot be trained.

    Example:
        >>> lab = TrainingLab(torch.rand(64, 8, 8), seed=3)
        >>> lab.running, lab.step
        (False, 0)
    """

    _esm = HERE / "lab.js"

    running = traitlets.Bool(False, help="whether it is learning").tag(sync=True)
    step = traitlets.Int(0, help="how many steps it has made").tag(sync=True)
    elbo = traitlets.Float(None, allow_none=True, help="of the images held out, in nats per image").tag(sync=True)
    data = traitlets.Bytes(help="labels and images, packed").tag(sync=True)
    weights = traitlets.Bytes(help="what was trained, as a safetensors file; empty before").tag(
        sync=True,
        from_json=lambda value, _: bytes(value),  # a front end sends a view of its memory
    )

    def __init__(
        self,
        images: Any = None,
        labels: Any = None,
        sigma: float | None = None,
        beta: float = 1.0,
        seed: int = 0,
        caption: str = "",
    ):
        if images is None and labels is not None:
            raise ValueError(
                "labels need the images that they belong to. Leave both out, and the lab asks for pictures."
            )
        spec, data = (UNKNOWN, b"") if images is None else packed(images, labels)
        sigma = sigma if sigma is None else check_number(sigma, "sigma")
        beta, seed = check_number(beta, "beta"), check_whole(seed, "seed")
        if sigma is not None and not 0.01 <= sigma <= 1:
            raise ValueError(f"sigma must be a number from 0.01 to 1, or None to learn it; got {sigma:g}.")
        if not 0 <= beta <= 1000:
            raise ValueError(f"beta must be a number from 0 to 1000; got {beta:g}. 1 is the ELBO.")
        if not 0 <= seed < 2**32:
            raise ValueError(f"seed must be a whole number from 0 to 2**32 - 1, such as 0; got {seed}.")
        name = images.name if isinstance(images, ImageSet) and labels is None else None
        whole = name in SHARED and len(images) == 60_000  # what the page has is a sample of the whole set
        super().__init__(
            spec=spec
            | {"sigma": sigma, "beta": beta, "seed": seed, "caption": check_caption(caption)}
            | {"page_images": sorted(SHARED, key=lambda other: other != name) if whole else []},
            data=data,
        )

    def model(self) -> VAE:
        """What was trained, as it stood when the training last paused or ended: a VAE, on the CPU, in eval mode.

        Raises:
            RuntimeError: When nothing has been trained yet.
        """
        if not self.weights:
            raise RuntimeError(
                "nothing has been trained yet. Press train, pause it or wait for its end, and ask again."
            )
        return unpack(self.weights)

    def _twin(self) -> tuple[str, str]:
        names = self.spec["page_images"]
        data = "" if names else b64encode(self.data).decode()
        state = {"running": False, "step": 0, "elbo": None, "spec": self.spec, "data": data}
        attribute = f' data-images="{" ".join(names)}"' if names else ""
        known = self.spec["images"] - self.spec["held_out"]
        words = f"Training lab: press train, and a VAE learns from {known:,} images."
        if not known:
            words = "Training lab: choose pictures of your own, press train, and a VAE learns from them."
        return element("training-lab", state, "", NOTE, attribute), words
