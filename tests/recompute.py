"""How each number of the prose is measured. `make claims` runs this and writes the values into book/claims.toml.

A claim's `how` names one of the functions below with its arguments, such as "elbo('mnist-2d')".
"""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path

import torch

from vaecourse import load_dataset, load_pretrained, measures
from vaecourse.claims import claims

CLAIMS = Path(__file__).resolve().parents[1] / "book" / "claims.toml"


@cache
def _loaded(name: str):
    """A shipped model, its training and test sets, and the codes of both."""
    model = load_pretrained(name)
    sets = [load_dataset(model.meta["recipe"]["dataset"], split=split) for split in ("train", "test")]
    return model, *sets, *(measures.codes(model, s.images).numpy() for s in sets)


def elbo(name: str) -> float:
    """Mean ELBO of the test images, nats per image."""
    model, _, test, _, _ = _loaded(name)
    return measures.mean_elbo(model, test.images, torch.Generator().manual_seed(1))


def sigma(name: str) -> float:
    """The calibrated standard deviation of a pixel, in grey levels."""
    return _loaded(name)[0].sigma


def knn(name: str) -> float:
    """Per cent of the test images whose ten nearest training codes elect the right class."""
    _, train, test, z_train, z_test = _loaded(name)
    return 100 * measures.knn_accuracy(z_train, train.labels, z_test, test.labels)


def overlap(name: str, a: int, b: int) -> float:
    """Per cent of the ten nearest training codes of a test image of class a (or b) that are of class b (or a)."""
    _, train, test, z_train, z_test = _loaded(name)
    matrix = measures.overlap_matrix(z_train, train.labels, z_test, test.labels)
    return 50 * (matrix[a, b] + matrix[b, a])


def page_decoder(name: str) -> float:
    """By how many per cent the small decoder's squared error exceeds the big one's, at the same codes."""
    model, _, test, _, z_test = _loaded(name)
    small, z, x = load_pretrained(f"{name}-page"), torch.as_tensor(z_test), torch.as_tensor(test.images)
    with torch.no_grad():
        big_error, small_error = ((m.decode(z).mean - x).square().mean().item() for m in (model, small))
    return 100 * (small_error / big_error - 1)


def recompute(how: str) -> float:
    """Runs what a claim names: one function of this file with literal arguments."""
    return float(eval(how, {"__builtins__": {}}, globals()))


def main() -> int:
    text = CLAIMS.read_text("utf-8")
    for name, claim in claims().items():
        value = recompute(claim.how)
        moved = "" if abs(value - claim.value) <= claim.tolerance else "   (moved by more than its tolerance)"
        print(f"{name}: {claim.value:g} -> {value:.6g} {claim.unit}{moved}")
        block = re.compile(rf"(?ms)^\[{re.escape(name)}\]$.*?(?=^\[|\Z)")
        text = block.sub(lambda m, v=value: re.sub(r"(?m)^value = .*$", f"value = {v:.6g}", m.group()), text)
    temporary = CLAIMS.with_suffix(".tmp")
    temporary.write_text(text, "utf-8")
    temporary.replace(CLAIMS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
