"""How each number of the prose is measured. `make claims` runs this and writes the values into book/claims.toml.

A claim's `how` names one of the functions below with its arguments, such as "elbo('mnist-2d')". What is a mean over
cases is given as those cases, so that its interval comes with it.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from scipy.optimize import linear_sum_assignment
from torch.distributions import LowRankMultivariateNormal

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


def elbo(name: str) -> torch.Tensor:
    """The ELBO of each test image, in nats: the mean over eight draws of z."""
    model, _, test, _, _ = _loaded(name)
    g = torch.Generator().manual_seed(1)
    with torch.no_grad():
        return torch.stack([torch.cat([model.elbo(x, g) for x in test.images.split(4096)]) for _ in range(8)]).mean(0)


@cache
def _flat(name: str) -> tuple[LowRankMultivariateNormal, float, torch.Tensor, torch.Tensor]:
    """Probabilistic PCA with two numbers (Tipping and Bishop 1999, equations 7 and 8), the VAE's rival whose sheet is
    flat: P(x), the sheet's root mean squared error, and both sets' places on it.
    """
    _, train, test, _, _ = _loaded(name)
    x, x_new = (s.images.flatten(1).double() for s in (train, test))
    mean, (lengths, axes) = x.mean(0), torch.linalg.eigh(x.T.cov(correction=0))
    rest, sheet = lengths[:-2], axes[:, -2:]
    noise = rest.mean()  # of each pixel, after the two numbers
    spread = LowRankMultivariateNormal(mean, sheet * (lengths[-2:] - noise).sqrt(), noise.expand(len(mean)))
    return spread, float((rest.sum() / len(mean)).sqrt()), *((part - mean) @ sheet for part in (x, x_new))


def flat_elbo(name: str) -> torch.Tensor:
    """log P(x) of each test image under the flat sheet, in nats."""
    return _flat(name)[0].log_prob(_loaded(name)[2].images.flatten(1).double())


def sigma(name: str) -> float:
    """The calibrated standard deviation of a pixel, in grey levels."""
    return _loaded(name)[0].sigma


def flat_sigma(name: str) -> float:
    """The root mean squared error of the flat sheet's drawings of the training images."""
    return _flat(name)[1]


def knn(name: str, flat: bool = False) -> torch.Tensor:
    """For each test image 100 or 0: do its ten nearest training codes, or flat places, elect its class?"""
    _, train, test, z_train, z_test = _loaded(name)
    if flat:
        _, _, z_train, z_test = _flat(name)
    votes = torch.as_tensor(measures.neighbour_classes(z_train, train.labels, z_test))
    elected = torch.nn.functional.one_hot(votes, 10).sum(1).argmax(1)
    return 100 * (elected == test.labels).double()


def overlap(name: str, a: int, b: int, flat: bool = False) -> torch.Tensor:
    """For each test image of class a or b, per cent of its ten nearest training codes that are of the other class; so
    weighted that both classes count alike.
    """
    _, train, test, z_train, z_test = _loaded(name)
    if flat:
        _, _, z_train, z_test = _flat(name)
    shares = []
    for c, other in ((a, b), (b, a)):
        near = measures.neighbour_classes(z_train, train.labels, z_test[test.labels == c])
        shares.append(100 * torch.as_tensor(near == other).double().mean(1))
    count = sum(map(len, shares))
    return torch.cat([share * count / (2 * len(share)) for share in shares])


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


def new_views(gap: int) -> torch.Tensor:
    """PSNR in dB of COIL-20's held-out views, gap degrees between known ones: each object's mean, over three seeds."""
    every = gap // 5
    known, true = protocol.known_views(_coil(), every), protocol.held_out(_coil(), every)
    models = [load_pretrained(f"coil-20-views-{gap}{seed}") for seed in ("", "-seed1", "-seed2")]
    found = [protocol.score(m.between(known, protocol.fractions(every)), true).psnr for m in models]
    return torch.as_tensor(np.stack(found)).mean((0, 2, 3))


def morphed_views(gap: int) -> torch.Tensor:
    """The same by optical flow, which has learned nothing."""
    every = gap // 5
    known, true = protocol.known_views(_coil(), every), protocol.held_out(_coil(), every)
    new = protocol.optical_flow(known, protocol.fractions(every))
    return torch.as_tensor(protocol.score(new, true).psnr).mean((1, 2))


def _on_the_line(name: str, a: torch.Tensor, b: torch.Tensor, steps: int) -> dict[str, torch.Tensor]:
    """Pictures (P, steps, 28, 28) along the lines between codes a and b (P, 2), at constant speed, and the cross-fades
    and morphs of their ends.
    """
    model = _loaded(name)[0]
    path = interpolation.constant_speed(lambda z: model.decode(z).mean, interpolation.lerp(a, b, steps))
    with torch.no_grad():
        line = model.decode(path.reshape(-1, 2)).mean.reshape(*path.shape[:2], 28, 28)
    ways = {"cross-fade": interpolation.crossfade, "morph": interpolation.morph}
    rivals = {way: torch.stack([make(p[0], p[-1], steps) for p in line]) for way, make in ways.items()}
    return {"line": line} | rivals


@cache
def _leaning_ones(name: str) -> dict[str, dict]:
    """Scorecards of all test 1s that lean to the left, each with a 1 of its own that leans as much to the right."""
    model, train, test, _, z_test = _loaded(name)
    judge = load_pretrained(f"{train.name}-classes")
    z = z_test[test.labels == 1]
    with torch.no_grad():
        drawn = model.decode(z).mean
    z, lean = (v[judge.probabilities(drawn)[:, 1] > 0.9] for v in (z, scorecard.slant(drawn)))
    left, right = (lean < -0.08).nonzero()[:, 0], (lean > 0.08).nonzero()[:, 0]
    order, match = linear_sum_assignment((lean[left][:, None] + lean[right]).abs())
    ways, real = _on_the_line(name, z[left[order]], z[right[match]], 17), train.images[:20_000]
    held_out = scorecard.nearest_real(test.images[:5000], real)
    usual = torch.stack([held_out[test.labels[:5000] == c].mean() for c in range(10)])
    ones = torch.ones(len(left), 2, dtype=torch.int64)
    return {way: scorecard.scorecard(pictures, ones, judge, real, usual) for way, pictures in ways.items()}


def upright_one(name: str, way: str, measure: str) -> torch.Tensor:
    """What the scorecard says of each way between two 1s that lean to both sides."""
    return torch.as_tensor(_leaning_ones(name)[way][measure])


@cache
def _in_doubt(name: str, p: int, q: int) -> dict[str, torch.Tensor]:
    """Of 200 pairs of a p and a q: per cent of each way on which the class has more than 0.3 nats of entropy."""
    _, _, test, _, z_test = _loaded(name)
    judge, g = load_pretrained(f"{test.name}-classes"), torch.Generator().manual_seed(7)
    members = [z_test[test.labels == c] for c in (p, q)]
    ways = _on_the_line(name, *(m[torch.randperm(len(m), generator=g)[:200]] for m in members), 33)
    doubts = {way: scorecard.entropy(judge.probabilities(pictures)) for way, pictures in ways.items()}
    return {way: 100 * (doubt > scorecard.DOUBT).double().mean(1) for way, doubt in doubts.items()}


def in_doubt(name: str, p: int, q: int, way: str) -> torch.Tensor:
    """Per cent of each way from a p to a q on which the judge is in doubt."""
    return _in_doubt(name, p, q)[way]


@cache
def _cleaned(name: str) -> dict[str, torch.Tensor]:
    """Of 1,000 test images with noise of 0.5 added: 100 or 0, does the judge read what each way makes of it?"""
    model, _, test, _, _ = _loaded(name)
    judge, x = load_pretrained(f"{test.name}-classes"), test.images[:1000]
    noisy = x + 0.5 * torch.randn(x.shape, generator=torch.Generator().manual_seed(3))
    side = torch.linspace(-4, 4, 161)
    z = torch.cartesian_prod(side, side)
    with torch.no_grad():
        sheet = torch.cat([model.decode(some).mean for some in z.split(4096)]).flatten(1)
        again = model.decode(measures.codes(model, noisy.clamp(0, 1))).mean
    match = (noisy.flatten(1) @ sheet.T - sheet.square().sum(1) / 2) / (model.sigma**2 + 0.25)
    found = (match - z.square().sum(1) / 2).softmax(1) @ sheet
    blurred = torch.as_tensor(gaussian_filter(noisy.numpy(), (0, 1, 1)))
    ways = {"search": found.reshape(x.shape), "encoder": again, "blur": blurred}
    named = {way: judge.probabilities(p.clamp(0, 1)).argmax(1) for way, p in ways.items()}
    return {way: 100 * (said == test.labels[:1000]).double() for way, said in named.items()}


def cleaned(name: str, way: str) -> torch.Tensor:
    """Per cent of noisy digits that can be read after a search of the plane, encoder and decoder, or a blur."""
    return _cleaned(name)[way]


def one_label(name: str, pixels: bool = False) -> torch.Tensor:
    """Per cent of 2,000 test images that have the class of the nearest of ten labelled training images, one a class;
    for 30 draws of the ten. Nearest by code, or by pixels.
    """
    _, train, test, z_train, z_test = _loaded(name)
    if pixels:
        z_train, z_test = train.images.flatten(1), test.images.flatten(1)
    g, right = torch.Generator().manual_seed(4), []
    for _ in range(30):
        order = torch.randperm(len(train), generator=g)
        ten = torch.stack([order[train.labels[order] == c][0] for c in range(10)])
        near = torch.cdist(z_test[:2000], z_train[ten]).argmin(1)
        right.append(100 * (train.labels[ten][near] == test.labels[:2000]).double().mean())
    return torch.stack(right)


def recompute(how: str) -> tuple[float, float]:
    """Runs what a claim names, one function of this file with literal arguments: the mean, and half a 95 % interval for
    it, which is 0 for what is no mean over cases.
    """
    found = eval(how, {"__builtins__": {}}, globals())
    if not isinstance(found, torch.Tensor):
        return float(found), 0.0
    mean, low, _ = scorecard.interval(found.double())
    return float(mean), float(mean - low)


def main() -> int:
    text = CLAIMS.read_text("utf-8")
    for name, claim in claims().items():
        value, spread = recompute(claim.how)
        moved = "" if abs(value - claim.value) <= claim.tolerance else "   (moved by more than its tolerance)"
        new = {"value": value, "spread": spread, "reference": recompute(claim.beside_how)[0]}
        print(f"{name}: {claim.value:g} -> {value:.6g} ± {spread:.2g} {claim.unit}{moved}")
        block = re.compile(rf"(?ms)^\[{re.escape(name)}\]$.*?(?=^\[|\Z)")
        for field, number in new.items():
            line = re.compile(rf"(?m)^{field} = .*$")
            text = block.sub(lambda m, x=f"{field} = {number:.6g}", line=line: line.sub(x, m.group()), text)
    temporary = CLAIMS.with_suffix(".tmp")
    temporary.write_text(text, "utf-8")
    temporary.replace(CLAIMS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
