"""What log P(x) costs for a given error: quadrature and sampling, beside what a reader would otherwise use.

    python benchmarks/evidence.py            prints tables and writes benchmarks/results/evidence.json
    python benchmarks/evidence.py --quick    the same with fewer pictures and draws

Errors are taken against a brute-force sum over the plane, or a closed form. pythae is optional (pip install pythae).
The methods take turns, so that a busy moment hits all of them. Beside the clock on the wall stands the processor's,
which counts this process alone.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import torch
from clock import machine, spread
from torch import Tensor

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "oracles"))

from decoders import Linear, brute_force  # noqa: E402

from vaecourse import evidence, load_dataset, load_pretrained  # noqa: E402
from vaecourse.data import resolve  # noqa: E402
from vaecourse.evidence import Estimate  # noqa: E402
from vaecourse.files import write_whole  # noqa: E402

THEIRS = "pythae's get_nll"
MISSING = "not measured: pip install pythae, and run it again"
GOALS = [(0.1, "p50"), (1.0, "p50"), (0.1, "p95"), (1.0, "p95")]  # nats, and of which picture
WORDS = {"p50": "a typical picture (median)", "p95": "19 pictures in 20"}

Method = Callable[[Tensor, int, int], Estimate]  # (x, draws, seed); quadrature does not look at the last two
NO_DRAWS = {"quadrature + table": (0,), "quadrature": (0,)}


class Size(NamedTuple):
    """How much is measured."""

    images: int
    draws: tuple[int, ...]  # for each image
    prior_draws: tuple[int, ...]  # that serve all images
    rounds: int
    counts: tuple[int, ...]  # numbers of images, to see the cost grow
    dims: tuple[int, ...]  # numbers of latent dimensions, likewise


FULL = Size(48, (10, 30, 100, 300, 1000, 3000), (1000, 10_000, 100_000), 3, (1, 4, 16, 48), (2, 10, 50))
QUICK = Size(8, (10, 100, 1000), (1000, 10_000), 2, (1, 8), (2, 10))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def samplers(model) -> dict[str, Method]:
    """The estimators that draw; they work in any number of dimensions."""

    def drawing_from(proposal: str) -> Method:
        return lambda x, n, seed: evidence.importance(model, x, n, proposal, generator=seeded(seed))

    return {
        "Laplace": drawing_from("laplace"),
        "defensive": drawing_from("defensive"),
        "encoder (IWAE)": drawing_from("encoder"),
        "prior draws": lambda x, n, seed: evidence.monte_carlo(model, x, n, generator=seeded(seed)),
    }


def quadratures(model) -> dict[str, Method]:
    """With the decoded plane made in the call, and with one that is there already."""
    table = evidence.PlaneTable(model)
    return {
        "quadrature + table": lambda x, *_: evidence.quadrature(model, x),
        "quadrature": lambda x, *_: evidence.quadrature(model, x, table),
    }


def pythae(model, image_shape: tuple[int, ...]) -> Method:
    """pythae's own `VAE.get_nll` with the networks of a Gaussian `model`. Raises ImportError where pythae is missing.

    For grey pixels pythae (0.1.2) knows P(x|z) = N(f(z), I) only. In units of sigma ours is just that, so it is handed
    x / sigma and f(z) / sigma; back in grey levels, log sigma comes off for each pixel. get_nll goes through the
    pictures one by one and returns the mean of log P(x) (the sign is not turned), so it is asked about one by one.
    It encodes a picture as often as it decodes. The gradients, which it would keep, are off.
    """
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder

    sigma, pixels = model.sigma, math.prod(image_shape)

    class Encoder(BaseEncoder):
        def forward(self, x):
            q = model.encoder(sigma * x)
            return ModelOutput(embedding=q.mean, log_covariance=2 * q.stddev.log())

    class Decoder(BaseDecoder):
        def forward(self, z):
            return ModelOutput(reconstruction=model.decode(z).mean / sigma)

    theirs = VAE(VAEConfig(input_dim=image_shape, latent_dim=model.latent_dim), Encoder(), Decoder())

    @torch.no_grad()
    def log_p_x(x: Tensor, draws: int, seed: int) -> Estimate:
        batch = min(draws, 100)  # 100 is get_nll's default, and the least it draws
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            values = [theirs.get_nll(image[None] / sigma, draws, batch) - pixels * math.log(sigma) for image in x]
        return Estimate(torch.tensor(values).double(), None, torch.full((len(x),), draws // batch * batch))

    return log_p_x


def race(methods: dict[str, Method], draws: dict[str, tuple[int, ...]], x: Tensor, truth: Tensor, rounds: int):
    """Rows, one for each method and number of draws: error against truth (N,) in nats, decodes and seconds.

    The methods take turns, with as many draws each, then with more, and all of it `rounds` times.
    """
    for name, method in methods.items():
        method(x[:1], draws[name][0], 0)  # whatever is made on the first call only
    together = zip_longest(*([(name, n) for n in draws[name]] for name in methods))
    runs = {run: ([], []) for turn in together for run in turn if run is not None}
    for seed in range(rounds):
        for (name, n), (estimates, seconds) in runs.items():
            start = time.perf_counter(), time.process_time()
            estimates.append(methods[name](x, n, seed))
            seconds.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    rows = []
    for (name, n), (estimates, seconds) in runs.items():
        errors = torch.cat([(estimate.log_p_x - truth).abs() for estimate in estimates])
        wall, processor = map(list, zip(*seconds, strict=True))
        rows.append(
            {
                "method": name,
                "draws": n,
                "decodes an image": statistics.mean(e.decodes_per_image.double().mean().item() for e in estimates),
                "decodes for all": estimates[0].shared_decodes,
                "error, nats": {"p50": errors.quantile(0.5).item(), "p95": errors.quantile(0.95).item()},
                "ms an image": spread([1000 * s / len(x) for s in wall]),
                "processor ms an image": spread([1000 * s / len(x) for s in processor]),
                "seconds": wall,
                "processor seconds": processor,
            }
        )
    return rows


def reach(rows: list[dict], limit: float, share: str) -> list[dict]:
    """For each method the row with the fewest draws whose error is at most `limit`, or where it ends above.

    `times sooner` compares with pythae by either clock: round by round, then the median and the spread. Where pythae
    does not get there, its longest run stands for it and the ratio is a lower bound.
    """
    ends = {}
    for row in rows:  # in order of draws
        if row["method"] not in ends or not ends[row["method"]]["reached"]:
            ends[row["method"]] = row | {"reached": row["error, nats"][share] <= limit}
    if theirs := ends.get(THEIRS):
        for row in filter(lambda row: row["reached"], ends.values()):
            row["at least"] = not theirs["reached"]
            for ratio, clock in (("times sooner", "seconds"), ("times sooner, processor", "processor seconds")):
                row[ratio] = spread([a / b for a, b in zip(theirs[clock], row[clock], strict=True)])
    return list(ends.values())


HEAD = f"{'decodes an image':>24s}{'ms an image':>28s}{'processor ms':>14s}"


def cost(row: dict) -> str:
    shared = f" + {row['decodes for all']:,} for all" if row["decodes for all"] else ""
    decodes = f"{row['decodes an image']:,.0f}{shared}"
    ms = "{median:,.1f} ({low:,.1f}..{high:,.1f})".format(**row["ms an image"])
    return f"{decodes:>24s}{ms:>28s}{row['processor ms an image']['median']:14,.1f}"


def show_goal(rows: list[dict], limit: float, share: str, measured: bool) -> None:
    print(f"\n{WORDS[share]}: off by at most {limit:g} nats")
    print(f"  {'':18s}{'draws':>8s}{'off by':>9s}{HEAD}   sooner than pythae (by the processor's clock)")
    for row in rows:
        draws = f"{row['draws']:,}" if row["draws"] else "-"
        told = cost(row) if row["reached"] else "   not reached"
        if "at least" in row:
            bound = "> " if row["at least"] else ""
            told += f"   {bound}{row['times sooner']['median']:,.1f} x"
            told += " ({median:,.1f}: {low:,.1f}..{high:,.1f})".format(**row["times sooner, processor"])
        print(f"  {row['method']:18s}{draws:>8s}{row['error, nats'][share]:9.2g}{told}")
    if not measured:
        print(f"  {THEIRS:18s}{MISSING}")


def show_growth(title: str, growth: dict[int, list[dict]]) -> None:
    print(f"\n{title}\n  {'':24s}{HEAD}   off by p50 / p95, nats")
    for size, rows in growth.items():
        for row in rows:
            error = "{p50:9.2g} / {p95:.2g}".format(**row["error, nats"])
            print(f"  {size:4d}  {row['method']:18s}{cost(row)}   {error}")


def by_images(methods: dict[str, Method], x: Tensor, truth: Tensor, size: Size) -> dict[int, list[dict]]:
    """Cost against the number of images asked about at once; those that draw take 300 draws."""
    draws = dict.fromkeys(methods, (300,)) | NO_DRAWS
    return {count: race(methods, draws, x[:count], truth[:count], size.rounds) for count in size.counts}


def by_dimensions(size: Size) -> dict[int, list[dict]]:
    """Cost and error against the latent dimension, where quadrature cannot follow: a linear decoder of 784 pixels."""

    def measure(dim: int) -> list[dict]:
        model = Linear(dim, pixels=784, sigma=1.0)  # broad posteriors, so that what goes wrong is the dimension's doing
        x, methods = model.draw(size.images), samplers(model)
        methods["annealed"] = lambda x, n, seed: evidence.annealed(model, x, n // 16, 16, generator=seeded(seed))
        return race(methods, dict.fromkeys(methods, (1000,)), x, model.log_p_x(x), size.rounds)

    return {dim: measure(dim) for dim in size.dims}


def main(size: Size) -> dict:
    """Measures, prints the tables, and returns what was found."""
    name = resolve("mnist")
    model, x = load_pretrained(f"{name}-2d"), torch.as_tensor(load_dataset(name, split="test").images[: size.images])
    methods = quadratures(model) | samplers(model)
    try:
        methods[THEIRS] = pythae(model, model.image_shape)
        said = f"{version('pythae')}, handed x / sigma and f(z) / sigma, for it knows sigma = 1 only"
    except ImportError:
        said = MISSING
    found = machine() | {"model": f"{name}-2d", "images": len(x), "rounds": size.rounds, "pythae": said}
    print(", ".join(f"{key} {value}" for key, value in found.items()))
    truth = brute_force(model, x)
    draws = dict.fromkeys(methods, size.draws) | NO_DRAWS | {"prior draws": size.prior_draws}
    found["race"] = race(methods, draws, x, truth, size.rounds)
    found["goals"] = []
    for limit, share in GOALS:
        rows = reach(found["race"], limit, share)
        found["goals"].append({"nats": limit, "of": share, "rows": rows})
        show_goal(rows, limit, share, THEIRS in methods)
    found["by images"] = by_images(methods, x, truth, size)
    show_growth("number of images at once (300 draws where one draws)", found["by images"])
    found["by dimensions"] = by_dimensions(size)
    show_growth("latent dimensions (1,000 draws; linear decoder, log P(x) in closed form)", found["by dimensions"])
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer pictures and draws")
    result = main(QUICK if parser.parse_args().quick else FULL)
    write_whole(ROOT / "benchmarks/results/evidence.json", (json.dumps(result, indent=2) + "\n").encode())
