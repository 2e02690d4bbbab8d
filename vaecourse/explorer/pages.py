"""The explorer without a kernel: an element that a page's script brings to life, and a still for all others."""

from __future__ import annotations

import html
from base64 import b64encode
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch

from ..model import VAE, pretrained_names, verdict
from ..plots import CLASS_COLORS, DENSITY, INK, decoded_plane, latent_axes, png
from .weights import unpack
from .widget import HERE, element

__all__ = ["page_model", "page_of_its_own", "twin"]

COPY = "(In this page a small copy of the model draws.)"
BYTES = ("codes", "labels", "heat", "path", "images")
NOTE = "This is a picture. To drag the point, run this cell in a notebook; in a page of the book, turn JavaScript on."
OWN_NOTE = "This is a picture. To drag the point, turn JavaScript on."
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
h1 {{ max-width: 900px; margin: 1rem auto; font: 600 26px/1.3 system-ui, sans-serif; }}
{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{element}
</main>
<script type="module">
{script}
frontEnd.bringToLife();
</script>
</body>
</html>
"""


def page_model(model: VAE) -> str | None:
    """The name of the small model that draws in a page for this one; None when the course ships none."""
    name = str(getattr(model, "meta", {}).get("name", "")).removesuffix("-page") + "-page"
    return name if name in pretrained_names() else None


def twin(explorer: Any) -> tuple[str, str]:
    """The explorer as HTML for the book's pages, and what its still shows in words."""
    words, name, model = describe(explorer), explorer.spec["page_model"], unpack(explorer.packed)
    picture, state = still(explorer, model, words), state_of(explorer)
    if name is None:
        note = "This model has no copy that a page can run: to drag the point, run the notebook."
        return f'<div class="lx-still">{picture}<p>{note}</p></div>', words
    if name != model.meta["name"]:
        state["spec"] |= {"caption": f"{state['spec']['caption']} {COPY}".strip()}
    return element("latent-explorer", state, picture, NOTE, f' data-model="{name}"'), words


def page_of_its_own(explorer: Any, title: str) -> str:
    """A whole HTML page with the explorer, its front end and its weights in it: it asks for no other file."""
    picture = still(explorer, unpack(explorer.packed), describe(explorer))
    state = state_of(explorer) | {"weights": b64encode(explorer.packed).decode()}
    return PAGE.format(
        title=html.escape(title),
        style=(HERE / "explorer.css").read_text("utf-8"),
        element=element("latent-explorer", state, picture, OWN_NOTE),
        script=(HERE / "explorer.js").read_text("utf-8"),
    )


def state_of(explorer: Any) -> dict[str, Any]:
    """What a page needs to know of the explorer beside the weights, bytes as base64."""
    state = {n: getattr(explorer, n) for n in ("z1", "z2", "t", "ends")}
    state |= {"background": behind(explorer), "spec": dict(explorer.spec)}
    return state | {n: b64encode(getattr(explorer, n)).decode() for n in BYTES}


def behind(explorer: Any) -> str:
    """What lies behind the point in a page that begins anew: there the posterior comes with the next drawing."""
    choices: list[str] = explorer.spec["backgrounds"]
    return explorer.background if explorer.background in choices else choices[0]


def describe(explorer: Any) -> str:
    """What a reader who cannot see the still should know."""
    z = f"z = ({explorer.z1:.2f}, {explorer.z2:.2f})"
    name = behind(explorer)
    back = name if name == "nothing" else f"the {name}"
    ends = "".join(f", end {n} at ({a:.2f}, {b:.2f})" for n, (a, b) in zip("AB", explorer.ends, strict=False))
    return f"Latent plane explorer, {back} behind the point; the point stands at {z}{ends}; beside it the drawing f(z)."


@verdict
def still(explorer: Any, model: VAE, words: str) -> str:
    """The plane and the drawing as an <img>, with what they show in words."""
    extent = explorer.spec["extent"]
    fig, (ax, drawing) = plt.subplots(1, 2, figsize=(7.6, 4.7), width_ratios=(3, 2), layout="constrained")
    codes = np.frombuffer(explorer.codes, "<f2").astype(float).reshape(-1, 2)
    if (name := behind(explorer)) == "drawings":
        decoded_plane(ax, model, extent=extent, steps=17)
    elif name == "codes":
        labels = np.frombuffer(explorer.labels, np.uint8)
        ax.scatter(*codes.T, c=np.take(CLASS_COLORS, labels % 10), s=3, alpha=0.6, lw=0)
    elif name != "nothing":
        spec = explorer.spec["heat"]
        values = np.frombuffer(explorer.heat, np.uint8).reshape(spec["height"], spec["width"])
        ax.imshow(values, cmap=DENSITY, origin="lower", extent=(-extent, extent, -extent, extent))
    walk = np.frombuffer(explorer.path, "<f4").reshape(-1, 2)
    ax.plot(*(walk if len(walk) else np.reshape(explorer.ends, (-1, 2))).T, color="black", lw=2)
    for name, end in zip("AB", explorer.ends, strict=False):
        ax.annotate(name, end, ha="center", va="center", color="white", bbox={"fc": "black"})
    ax.plot(explorer.z1, explorer.z2, "o", ms=12, mfc="#e8112d", mec="white", mew=2)
    latent_axes(ax, extent)
    z = torch.tensor([[explorer.z1, explorer.z2]], device=model.device)
    drawing.imshow(model.decode(z).mean[0].cpu().numpy(), cmap=INK, vmin=0, vmax=1)
    drawing.set_title(f"f(z) at ({explorer.z1:.2f}, {explorer.z2:.2f})")
    drawing.axis("off")
    data = png(fig, dpi=80, colors=32)  # a stand-in: a page may hold several
    return f'<img src="data:image/png;base64,{data}" alt="{html.escape(words)}" width="608">'
