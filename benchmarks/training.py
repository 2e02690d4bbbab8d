"""How fast the course trains, side by side with the loop that a reader would otherwise write (benchmarks/textbook.py).

    python benchmarks/training.py            prints tables and writes benchmarks/results/training.json, in ten minutes
    python benchmarks/training.py --quick    the same on a tenth of the images, in one: to see that it runs

All contenders of a table run in turn, A B A B, in this process; a ratio compares two runs of the same turn. Beside the
clock on the wall stands the processor's own, which counts this process alone: on a machine that is busy with something
else, and with one thread (OMP_NUM_THREADS=1), it is the one to trust.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from clock import machine, show, side_by_side, spread
from textbook import Digits, train_textbook
from torch import Tensor, nn
from torch.nn.functional import interpolate

from vaecourse import VAE, fit, load_dataset, measures
from vaecourse.data import resolve
from vaecourse.files import write_whole

RESULTS = Path(__file__).resolve().parent / "results" / "training.json"
NOT_YET = "not yet measured"

MODELS = {"the textbook's model": {"hidden": (400,)}, "the course's model": {}}  # arguments for VAE
TEXTBOOK_EPOCHS = 10  # as in PyTorch's example
# Settings of `fit` that reach what the textbook's loop reaches in those epochs, with either model. Chosen on MNIST's
# training images alone: 50,000 to learn from, 10,000 to compare.
SETTINGS = {
    "the textbook's model": {"batch_size": 256, "learning_rate": 1.2e-2, "epochs": 6},
    "the course's model": {"batch_size": 128, "learning_rate": 4e-3, "epochs": 2},
}


def layers(model: nn.Module) -> list[tuple[int, int]]:
    """(inputs, outputs) of every linear layer, the encoder's first."""
    return [(m.in_features, m.out_features) for m in model.modules() if isinstance(m, nn.Linear)]


def operations(model: nn.Module, n: int) -> int:
    """Floating-point operations in the matrix products of an epoch over n images.

    A layer multiplies three times, at 2 operations a weight and image: forward, for the gradient of its weights, and
    for that of its input, which the first layer does without.
    """
    return sum(2 * n * m * k * (3 if i else 2) for i, (m, k) in enumerate(layers(model)))


def multiply(model: nn.Module, n: int, precision: str, batch_size: int, device: str) -> None:
    """Does nothing but the matrix products of an epoch over n images."""
    options = {"dtype": getattr(torch, precision), "device": device}
    batches = [batch_size] * (n // batch_size) + [n % batch_size]
    for i, (m, k) in enumerate(layers(model)):
        x, weight, gradient = (torch.ones(shape, **options) for shape in ((batch_size, m), (k, m), (batch_size, k)))
        for size in batches:
            x[:size] @ weight.T
            gradient[:size].T @ x[:size]
            if i:
                gradient[:size] @ weight


def epoch(data: Digits, images: Tensor, hidden: dict, device: str, rounds: int) -> dict[str, dict]:
    """An epoch of the textbook's loop, of `fit`, and of the matrix products that neither can do without."""
    model = functools.partial(VAE, images.shape[1:], **hidden)
    n, work = len(images), operations(model(), len(images))

    def ours(precision: str, batch_size: int) -> Callable[[int], object]:
        settings = {"precision": precision, "batch_size": batch_size, "device": device, "progress": False}
        return lambda seed: fit(model(), images, 1, seed=seed, **settings)

    def products(precision: str, batch_size: int) -> Callable[[int], object]:
        return lambda _: multiply(model(), n, precision, batch_size, device)

    tried = [("float32", 128), ("bfloat16", 128), ("bfloat16", 256), ("bfloat16", 512)]
    contenders = {
        "textbook, float32, batch 128": lambda seed: train_textbook(model(), data, 1, device=device, seed=seed),
        **{f"ours, {precision}, batch {size}": ours(precision, size) for precision, size in tried},
        **{f"products, {precision}, batch {size}": products(precision, size) for precision, size in tried},
    }
    rows = side_by_side(contenders, rounds)
    clock = "seconds" if device == "cuda" else "processor seconds"
    for name, row in rows.items():
        row["Gflop/s"] = work / row[clock]["median"] / 1e9
        row["note"] = f"{row['Gflop/s']:.0f} Gflop/s"
        if name.startswith("ours"):
            row["share of the limit"] = rows[name.replace("ours", "products")][clock]["median"] / row[clock]["median"]
            row["note"] += f", {row['share of the limit']:.0%} of what the bare products reach"
    return rows


def faster_precision() -> str:
    """The precision in which this CPU multiplies the course's matrices faster: not every one has bfloat16."""
    contenders = {p: lambda _, p=p: multiply(VAE(), 10_000, p, 128, "cpu") for p in ("float32", "bfloat16")}
    rows = side_by_side(contenders, rounds=3)
    return min(rows, key=lambda precision: rows[precision]["seconds"]["median"])


def quality(data: Digits, images: Tensor, test: Tensor, rounds: int) -> dict[str, dict]:
    """Seconds to the ELBO on the test images (N, H, W) that the textbook's loop ends with."""
    trained: dict[str, list[VAE]] = {}
    precision = faster_precision()

    def contender(name: str, hidden: dict, train: Callable[[VAE, int], object]) -> Callable[[int], object]:
        def work(seed: int) -> None:
            torch.manual_seed(seed)  # the weights that a network is born with
            model = VAE(images.shape[1:], **hidden)
            train(model, seed)
            trained.setdefault(name, []).append(model)

        return work

    def textbook(model: VAE, seed: int) -> None:
        train_textbook(model, data, TEXTBOOK_EPOCHS, seed=seed)

    def ours(settings: dict) -> Callable[[VAE, int], object]:
        settings = settings | {"precision": precision, "device": "cpu", "progress": False}
        return lambda model, seed: fit(model, images, seed=seed, **settings)

    tasks = {f"textbook, {TEXTBOOK_EPOCHS} epochs": (MODELS["the textbook's model"], textbook)}
    for name, settings in SETTINGS.items():
        tasks[f"ours, {name}, {settings['epochs']} epochs"] = MODELS[name], ours(settings)
    rows = side_by_side({name: contender(name, *task) for name, task in tasks.items()}, rounds)
    elbo = {
        name: [measures.mean_elbo(model, test, torch.Generator().manual_seed(0)) for model in models]
        for name, models in trained.items()
    }
    to_reach = next(iter(elbo.values()))
    for name, row in rows.items():
        row["test ELBO"] = spread(elbo[name])
        row["turns as good as the textbook's"] = good = sum(a >= b for a, b in zip(elbo[name], to_reach, strict=True))
        row["note"] = f"test ELBO {row['test ELBO']['median']:.1f} nats per image, as good in {good} of {rounds} turns"
    return rows


def growth(pixels: np.ndarray, labels: np.ndarray, rounds: int) -> dict[str, dict]:
    """Milliseconds for 1,000 images of an epoch in float32, when one thing changes and the rest is as usual."""
    n, threads = len(pixels), torch.get_num_threads()
    usual = {"images": n, "side": 28, "latent_dim": 2, "batch_size": 128, "threads": threads}
    tried = {
        "images": (n // 8, n // 4, n // 2, n),
        "side": (14, 28, 56),
        "latent_dim": (2, 10, 100),
        "batch_size": (32, 128, 512, 2048),
        "threads": sorted({1, 2, os.cpu_count() or 1}),
    }
    rows = {}
    for what, values in tried.items():
        for value in values:
            here = usual | {what: value}
            torch.set_num_threads(here["threads"])
            x = torch.as_tensor(pixels[: here["images"], None]).div(255)
            x = interpolate(x, (here["side"], here["side"]), mode="bilinear")[:, 0].contiguous()
            for name, row in _both(x, labels, here["latent_dim"], here["batch_size"], rounds).items():
                wall, processor = (1e6 / len(x) * row[k]["median"] for k in ("seconds", "processor seconds"))
                row["milliseconds for 1,000 images"], row["of the processor's"] = wall, processor
                row["note"] = f"{wall:.0f} ms for 1,000 images, {processor:.0f} of the processor's"
                rows[f"{what} {value}, {name}"] = row
    torch.set_num_threads(threads)
    return rows


def _both(x: Tensor, labels: np.ndarray, latent_dim: int, batch_size: int, rounds: int) -> dict[str, dict]:
    """An epoch over x (N, H, W) of the textbook's loop and of ours, in float32."""
    data = Digits(x.mul(255).byte().numpy(), labels)
    model = functools.partial(VAE, x.shape[1:], latent_dim, **MODELS["the textbook's model"])
    return side_by_side(
        {
            "textbook": lambda seed: train_textbook(model(), data, 1, batch_size=batch_size, seed=seed),
            "ours": lambda seed: fit(model(), x, 1, batch_size=batch_size, device="cpu", seed=seed, progress=False),
        },
        rounds,
    )


def measure(pixels: np.ndarray, labels: np.ndarray, test: Tensor, rounds: int) -> dict[str, object]:
    """All tables, by title, for pixels (N, 28, 28) uint8 with labels (N,) and test images (M, 28, 28) in [0, 1]."""
    data, images = Digits(pixels, labels), torch.as_tensor(pixels).div(255)
    _both(images[:256], labels, 2, 128, rounds=1)  # whatever runs first pays for what PyTorch loads on the way
    result: dict[str, object] = {"before": machine(), "images": len(images), "turns": rounds}
    for name, hidden in MODELS.items():
        for device in ("cpu", "cuda"):
            title = f"An epoch of {len(images):,} images, {name}, {device}"
            if device == "cpu" or torch.cuda.is_available():
                result[title] = epoch(data, images, hidden, device, rounds)
                show(title, result[title])
            else:
                result[title] = NOT_YET
                print(f"\n{title}: {NOT_YET}, for want of a GPU")
    title = "To the test ELBO that the textbook's loop ends with"
    result[title] = quality(data, images, test, rounds)
    show(title, result[title])
    few = len(images) // 5
    title = f"How an epoch grows; usually {few:,} images of 28 x 28, 2 latent dimensions, batch 128"
    result[title] = growth(pixels[:few], labels[:few], rounds)
    show(title, result[title])
    return result | {"after": machine()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the images, one turn: to see that it runs")
    quick = parser.parse_args().quick
    name = resolve("mnist")  # the digits that the course draws itself, where MNIST cannot be had
    train, test = (load_dataset(name, split=split) for split in ("train", "test"))
    n = len(train) // 10 if quick else len(train)
    pixels, labels = (train.images[:n].numpy() * 255).round().astype(np.uint8), train.labels[:n].numpy()
    result = {"data": name} | measure(pixels, labels, test.images, rounds=1 if quick else 3)
    write_whole(RESULTS, (json.dumps(result, indent=2) + "\n").encode())
    print(f"\nLoad {result['before']['load']} before and {result['after']['load']} after; written to {RESULTS.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
