"""The explorer without a kernel: an element that the book's page script brings to life, and a still for all others."""

from __future__ import annotations

import html
import json
from base64 import b64encode

import matplotlib.pyplot as plt
import numpy as np
import torch

from ..checkpoints import pretrained_names
from ..plots import CLASS_COLORS, DENSITY, INK, decoded_plane, latent_axes, png
from ..vae import VAE

__all__ = ["page_model", "twin"]

COPY = "(In this page a small copy of the model draws.)"
BYTES = ("codes", "labels", "heat", "path", "images")


def page_model(model: VAE) -> str | None:
    """The name of the small model that draws in a page for this one; None when the course ships none."""
    name = str(getattr(model, "meta", {}).get("name", "")).removesuffix("-page") + "-page"
    return name if name in pretrained_names() else None


def twin(explorer, model: VAE) -> tuple[str, str]:
    """The explorer as HTML, and what its still shows in words."""
    words = describe(explorer)
    name = explorer.spec["page_model"]
    picture = still(explorer, model)
    image = f'<img src="data:image/png;base64,{picture}" alt="{html.escape(words)}" width="608">'
    if name is None:
        note = "This model has no copy that a page can run: to drag the point, run the notebook."
        return f'<div class="lx-still">{image}<p>{note}</p></div>', words
    state = {n: getattr(explorer, n) for n in ("z1", "z2", "t", "ends", "background", "spec")}
    if name != model.meta["name"]:
        state["spec"] = state["spec"] | {"caption": f"{explorer.spec['caption']} {COPY}".strip()}
    state |= {n: b64encode(getattr(explorer, n)).decode() for n in BYTES}
    text = json.dumps(state, ensure_ascii=True, allow_nan=False).replace("<", "\\u003c")  # no tag may end the script
    note = "A picture of a plane with a point to drag: with JavaScript on, or in Jupyter, it comes to life."
    return (
        f'<latent-explorer data-model="{name}"><div class="lx-still">{image}<p>{note}</p></div>'
        f'<script type="application/json">{text}</script></latent-explorer>'
    ), words


def describe(explorer) -> str:
    """What a reader who cannot see the still should know."""
    z = f"z = ({explorer.z1:.2f}, {explorer.z2:.2f})"
    behind = "nothing" if explorer.background == "nothing" else f"the {explorer.background}"
    ends = "".join(f", end {n} at ({a:.2f}, {b:.2f})" for n, (a, b) in zip("AB", explorer.ends, strict=False))
    return (
        f"Latent plane explorer, {behind} behind the point; the point stands at {z}{ends}; beside it the drawing f(z)."
    )


@torch.no_grad()
def still(explorer, model: VAE) -> str:
    """The plane and the drawing as a PNG in base64."""
    extent = explorer.spec["extent"]
    fig, (ax, drawing) = plt.subplots(1, 2, figsize=(7.6, 4.6), width_ratios=(3, 2), layout="constrained")
    codes = np.frombuffer(explorer.codes, "<f2").astype(float).reshape(-1, 2)
    if explorer.background == "drawings":
        decoded_plane(ax, model, extent=extent, steps=17)
    elif explorer.background == "codes":
        labels = np.frombuffer(explorer.labels, np.uint8)
        ax.scatter(*codes.T, c=np.take(CLASS_COLORS, labels % 10), s=3, alpha=0.6, lw=0)
    elif spec := explorer.spec["heat"]:
        values = np.frombuffer(explorer.heat, np.uint8).reshape(spec["height"], spec["width"])
        ax.imshow(values, cmap=DENSITY, origin="lower", extent=(-extent, extent, -extent, extent))
    for name, end in zip("AB", explorer.ends, strict=False):
        ax.annotate(name, end, ha="center", va="center", color="white", bbox={"fc": "black"})
    ax.plot(explorer.z1, explorer.z2, "o", ms=12, mfc="#e8112d", mec="white", mew=2)
    latent_axes(ax, extent)
    z = torch.tensor([[explorer.z1, explorer.z2]], device=model.device)
    drawing.imshow(model.decode(z).mean[0].cpu().numpy(), cmap=INK, vmin=0, vmax=1)
    drawing.set_title(f"f(z) at ({explorer.z1:.2f}, {explorer.z2:.2f})")
    drawing.axis("off")
    return png(fig, dpi=80, colors=32)  # a stand-in: a page may hold several
