"""A sound that can be steered: a plane of vowels, whose point is heard and seen as a spectrum.

    from vaecourse.explorer import SoundPlane

    SoundPlane(model, ends=("ee", "ah"))    # model: a VAE with two latent numbers, fitted to load_dataset("vowels")

The browser decodes, finds the nearest vowel, and sounds, here and in the book's pages. What runs there stands in
web/src, in sound.js and what it imports.
"""

from __future__ import annotations

import html
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import torch
import traitlets
from numpy.typing import ArrayLike
from torch import Tensor

from ..data import vowels
from ..model import VAE
from ..plots import CURVE_COLORS, latent_axes, png
from .inputs import check_caption, check_extent, check_model, check_point
from .weights import pack, unpack
from .widget import HERE, PlaneWidget, element, refusal

__all__ = ["SoundPlane"]

Found = tuple[Tensor, Tensor, Tensor]  # jaw, tongue and how far off in dB, as `vowels.recover` has them
WAYS = ("point", "plane", "fade", "truth")
HEARD = 1.0  # dB; what differs by less sounds the same to most
FILTER = {
    "pitch": vowels.PITCH,
    "harmonics": len(vowels.HARMONICS),
    "f1": vowels.F1,
    "f2": vowels.F2,
    "fixed": (vowels.F3, vowels.F4),
    "widths": vowels.BANDWIDTHS,
    "rate": vowels.RATE,
    "slope": vowels.SLOPE,
    "low": vowels.LOW,
    "high": vowels.HIGH,
}
NOTE = "This is a picture. To steer the sound, run this cell in a notebook; in a page of the book, turn JavaScript on."


class SoundPlane(PlaneWidget):
    """A plane of vowels: drag the point, and hear and see the vowel f(z). Named vowels are marked.

    Nothing sounds before the reader presses *Sound on*; it ends when the page or the widget is left, or when another
    begins. From one named vowel to another it can walk in three ways: along the straight line of the plane, as a
    cross-fade of the two levels of each harmonic, and as a mouth does it, whose jaw and tongue go straight.

    Traits to read, set, observe and link: z1, z2 (float); t, the share of the way from A to B; ends, the names of A and
    B; way, what sounds: "point", or a place of the way along the "plane", in the "fade" or in the "truth".

    Args:
        model: a VAE with two latent numbers of the vowels of `vaecourse.data.vowels`, pictures (1, 32)
        ends: the names of two of `vowels.VOWELS`
        z: where the point begins; None: at the code of the first end
        extent: the plane shows -extent to extent, in sd of the prior
        caption: what to try, and what to listen for

    Raises:
        ValueError: Saying what to do, for what cannot be shown.
        traitlets.TraitError: The same, for what a trait is set to later. It keeps the value that it had.

    Example:
        >>> plane = SoundPlane(VAE((1, 32), 2, hidden=(8,)), z=(0, 1))
        >>> plane.ends, plane.way
        (['ee', 'ah'], 'point')
    """

    _esm = HERE / "sound.js"

    ends: traitlets.List[str] = traitlets.List(help="the names of A and B").tag(sync=True)
    way = traitlets.Unicode("point", help="what sounds").tag(sync=True)

    def __init__(
        self,
        model: VAE,
        *,
        ends: Sequence[str] = ("ee", "ah"),
        z: ArrayLike | None = None,
        extent: float = 4.0,
        caption: str = "",
    ):
        check_model(model, draw=False)
        if tuple(model.image_shape) != (1, len(vowels.HARMONICS)) or model.likelihood != "gaussian":
            raise ValueError(
                "the plane sounds vowels, pictures of shape (1, 32) with a Gaussian likelihood; this model has "
                f'{model.image_shape}, {model.likelihood}. Fit VAE((1, 32), 2) to load_dataset("vowels").'
            )
        extent = check_extent(extent)
        super().__init__(
            pack(model),
            spec={
                "extent": extent,
                "named": {name: list(place) for name, place in vowels.VOWELS.items()},
                "filter": FILTER,
                "caption": check_caption(caption),
            },
            ends=check_names(ends),
        )
        start = codes(unpack(self.packed), self.ends[:1])[0].clamp(-extent, extent) if z is None else z
        self.z1, self.z2 = check_point(start, "z", extent)

    @traitlets.validate("ends")
    def _two_names(self, proposal: dict[str, Any]) -> list[str]:
        with refusal():
            return check_names(proposal["value"]) if self.spec else proposal["value"]

    @traitlets.validate("way")
    def _known_way(self, proposal: dict[str, Any]) -> str:
        if proposal["value"] not in WAYS:
            raise traitlets.TraitError(f"way must be one of {', '.join(WAYS)}; got {proposal['value']!r}.")
        return str(proposal["value"])

    def _twin(self) -> tuple[str, str]:
        model = unpack(self.packed)
        z = point(self, model)
        x = sounding(self, model, z)
        vowel = vowels.recover(x)
        words = describe(self, vowel)
        state = {name: getattr(self, name) for name in ("z1", "z2", "t", "ends", "way", "spec")}
        state |= {"weights": b64encode(self.packed).decode()}
        return element("sound-plane", state, still(self, model, z, x, vowel, words), NOTE), words


def check_names(ends: Any) -> list[str]:
    """Two different names of vowels. Raises ValueError."""
    names = list(ends) if isinstance(ends, list | tuple) else [ends]
    if len(names) != 2 or names[0] == names[1] or not all(name in list(vowels.VOWELS) for name in names):
        raise ValueError(f'ends must be two of {", ".join(vowels.VOWELS)}, such as ("ee", "ah"); got {ends!r}.')
    return names


@torch.no_grad()
def codes(model: VAE, names: Sequence[str]) -> Tensor:
    """Where the encoder puts named vowels, (N, 2)."""
    places = torch.tensor([vowels.VOWELS[name] for name in names])
    return model.encode(vowels.draw(*places.T)).mean


def point(widget: SoundPlane, model: VAE) -> Tensor | None:
    """The code (2,) of what the widget sounds; None for what is not of the plane, a fade and the truth."""
    if widget.way == "plane":
        a, b = codes(model, widget.ends)
        return torch.lerp(a, b, float(widget.t))
    return torch.tensor([widget.z1, widget.z2]) if widget.way == "point" else None


@torch.no_grad()
def sounding(widget: SoundPlane, model: VAE, z: Tensor | None) -> Tensor:
    """The picture (1, 1, 32) of what the widget sounds, at its `point` z or on its way."""
    if z is not None:
        return model.decode(z[None]).mean
    t = float(widget.t)
    a, b = (torch.tensor(vowels.VOWELS[name]) for name in widget.ends)
    if widget.way == "truth":
        return vowels.draw(*torch.lerp(a, b, t))[None]
    return torch.lerp(vowels.draw(*a), vowels.draw(*b), t)[None]


def describe(widget: SoundPlane, vowel: Found) -> str:
    """What a reader who can neither see nor hear it should know; `vowel` is the nearest to what sounds."""
    jaw, tongue, off = vowel
    f1, f2 = (f"{round(f, -1):.0f}" for f in vowels.resonances(jaw, tongue)[0, :2].tolist())
    what = {"plane": "along the plane", "fade": "in a cross-fade", "truth": "in truth"}
    where = f"at z = ({widget.z1:.2f}, {widget.z2:.2f})"
    if widget.way != "point":
        where = f"{100 * widget.t:.0f} % of the way from {' to '.join(widget.ends)} {what[widget.way]}"
    said = f"a vowel with resonances near {f1} and {f2} Hz"
    if off.item() >= HEARD:
        said = f"no vowel: the nearest, with resonances near {f1} and {f2} Hz, is {off.item():.1f} dB away"
    return f"Plane of vowels with {', '.join(vowels.VOWELS)} marked; {where} stands {said}."


@torch.no_grad()
def still(widget: SoundPlane, model: VAE, z: Tensor | None, x: Tensor, vowel: Found, words: str) -> str:
    """The plane and the spectrum as an <img>, with what they show in words: what sounds, and the nearest vowel."""
    fig, (ax, levels) = plt.subplots(1, 2, figsize=(8.6, 4.7), width_ratios=(4, 3), layout="constrained")
    fine = torch.linspace(0, 1, 33)
    for held in torch.linspace(0, 1, 5):
        jaw, tongue = (held, fine), (fine, held)
        for color, place, name in ((CURVE_COLORS[0], jaw, "same jaw"), (CURVE_COLORS[6], tongue, "same tongue")):
            label = name if held == 0 else None
            ax.plot(*model.encode(vowels.draw(*place)).mean.T.numpy(), color=color, lw=1.5, label=label)
    for name, code in zip(vowels.VOWELS, codes(model, list(vowels.VOWELS)).tolist(), strict=True):
        ax.annotate(name, code, ha="center", va="center", bbox={"fc": "white", "boxstyle": "round"})
    ax.plot(*codes(model, widget.ends).T.numpy(), color="black", lw=2)
    if z is not None:
        ax.plot(*z.tolist(), "o", ms=12, mfc="#e8112d", mec="white", mew=2, zorder=9)
    latent_axes(ax, widget.spec["extent"])
    ax.legend(fontsize=9)
    levels.bar(vowels.HARMONICS, vowels.to_decibels(x)[0, 0].numpy() - vowels.LOW, 70, vowels.LOW)
    nearest = vowels.to_decibels(vowels.draw(*vowel[:2]))[0, 0].numpy()
    levels.plot(vowels.HARMONICS, nearest, color="black", label="the nearest vowel")
    levels.set(xlabel="frequency (Hz)", ylabel="level (dB)", ylim=(vowels.LOW, vowels.HIGH))
    levels.legend()
    return f'<img src="data:image/png;base64,{png(fig, dpi=80, colors=32)}" alt="{html.escape(words)}" width="688">'
