"""How each number of the prose is measured. `make claims` runs this and writes the values into book/claims.toml.

A claim's `how` names one of the functions below with its arguments, such as "elbo('mnist-2d')".
"""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path

import torch

from vaecourse import interpolation, load_dataset, load_pretrained, measures
from vaecourse.course import claims
from vaecourse.interpolation import scoring as scorecard
from vaecourse.views import protocol

CLAIMS = Path(__file__).resolve().parents[1] / "book" / "claims.toml"


@cache
def _loaded(name: str):
    """A shipped model, its training and test sets, and the codes of both."""
    model = load_pretrained(name)
    sets = [load_dataset(model.meta["recipe"]["dataset"], split=split) for split in ("train", "test")]
    return model, *sets, *(measures.codes(model, s) for s in sets)


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
    small, x = load_pretrained(f"{name}-page"), test.images
    with torch.no_grad():
        big_error, small_error = ((m.decode(z_test).mean - x).square().mean().item() for m in (model, small))
    return 100 * (small_error / big_error - 1)


@cache
def _coil() -> torch.Tensor:
    return protocol.rings(load_dataset("coil-20", size=64))


def new_views(gap: int) -> float:
    """PSNR in dB of COIL-20's held-out views, gap degrees between known ones: mean over views and three seeds."""
    every = gap // 5
    known, true = protocol.known_views(_coil(), every), protocol.held_out(_coil(), every)
    models = [load_pretrained(f"coil-20-views-{gap}{seed}") for seed in ("", "-seed1", "-seed2")]
    values = [protocol.score(m.between(known, protocol.fractions(every)), true).psnr.mean() for m in models]
    return sum(values) / len(values)


def _on_the_line(name: str, a: torch.Tensor, b: torch.Tensor, steps: int) -> dict[str, torch.Tensor]:
    """Pictures (P, steps, 28, 28) along the lines between codes a and b (P, 2), and the cross-fades of their ends."""
    with torch.no_grad():
        path = interpolation.lerp(a, b, steps)
        line = _loaded(name)[0].decode(path.reshape(-1, 2)).mean.reshape(*path.shape[:2], 28, 28)
    fades = [interpolation.crossfade(pictures[0], pictures[-1], steps) for pictures in line]
    return {"line": line, "cross-fade": torch.stack(fades)}


@cache
def _leaning_ones(name: str) -> dict[str, dict]:
    """Scorecards of all test 1s that lean to the left, each with the 1 that leans as much to the right."""
    model, train, test, _, z_test = _loaded(name)
    judge = load_pretrained(f"{train.name}-classes")
    z = z_test[test.labels == 1]
    with torch.no_grad():
        drawn = model.decode(z).mean
    z, lean = (v[judge.probabilities(drawn)[:, 1] > 0.9] for v in (z, scorecard.slant(drawn)))
    left, right = (lean < -0.08).nonzero()[:, 0], (lean > 0.08).nonzero()[:, 0]
    right = right[(lean[right] + lean[left][:, None]).abs().argmin(1)]
    ways, real = _on_the_line(name, z[left], z[right], 3), train.images[:20_000]
    ones = torch.ones(len(left), 2, dtype=torch.int64)
    return {way: scorecard.scorecard(pictures, ones, judge, real) for way, pictures in ways.items()}


def upright_one(name: str, way: str, measure: str) -> float:
    """What the scorecard says of the middle between two 1s that lean to both sides, in the mean over the pairs."""
    return _leaning_ones(name)[way][measure].mean()


def less_doubt(name: str, p: int, q: int) -> float:
    """Per cent of 500 random pairs of a p and a q whose line has less mean entropy of the class than the cross-fade."""
    _, _, test, _, z_test = _loaded(name)
    judge, g = load_pretrained(f"{test.name}-classes"), torch.Generator().manual_seed(7)
    members = [z_test[test.labels == c] for c in (p, q)]
    ways = _on_the_line(name, *(m[torch.randint(len(m), (500,), generator=g)] for m in members), 17)
    line, faded = (scorecard.entropy(judge.probabilities(pictures)).mean(1) for pictures in ways.values())
    return 100 * (line < faded).float().mean().item()


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
