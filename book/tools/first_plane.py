"""A Sphinx extension: the plane that stands on the first page, with a walk from one slanted 1 to another.

It is made in building, from the model and the data that there are, and costs a few seconds.
"""

from __future__ import annotations

from docutils import nodes
from docutils.parsers.rst import Directive

CAPTION = (
    "Each dot is a digit, at its two numbers; the machine has not learned from these. Drag the point, or walk from A, "
    "a 1 that leans one way, to B, one that leans the other way. Look for: what stands halfway."
)


def first_plane() -> str:
    """HTML of an explorer on whose plane A and B are two 1s that lean to both sides, alike and as far as any two."""
    import torch  # which most pages do without

    from vaecourse import LatentExplorer, load_dataset, load_pretrained, measures
    from vaecourse.data import resolve
    from vaecourse.interpolation import scoring

    name = resolve("mnist")
    model, digits = load_pretrained(f"{name}-2d-page"), load_dataset(name, split="test")
    codes = measures.codes(model, digits.images)
    ones = codes[digits.labels == 1]
    with torch.no_grad():
        lean = scoring.slant(model.decode(ones).mean)
    tilt = min(-lean.quantile(0.02), lean.quantile(0.98))  # a lean that is found on both sides
    ends = [ones[(lean - wanted).abs().argmin()].tolist() for wanted in (-tilt, tilt)]
    explorer = LatentExplorer(model, codes, digits.labels, ends=ends, caption=CAPTION)
    return explorer._repr_mimebundle_()[0]["text/html"]


class FirstPlane(Directive):
    def run(self) -> list[nodes.Node]:
        return [nodes.raw("", first_plane(), format="html")]


def setup(app) -> dict:
    app.add_directive("first-plane", FirstPlane)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
