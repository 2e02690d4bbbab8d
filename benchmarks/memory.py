"""How much memory log P(x) and geodesics take beyond their model and pictures, for small and for large pictures.

    python benchmarks/memory.py            prints a table and writes benchmarks/results/memory.json
    python benchmarks/memory.py --quick    the same with small pictures only

Each row is a process of its own, with one thread: its peak, less what it held when it had imported everything and made
an untrained model and pictures. What counts is the size of things, not what they show. Linux only, which lets a process
reset its own peak.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from clock import machine
from torch import Tensor

from vaecourse import VAE, evidence, interpolation, memory
from vaecourse.files import write_whole

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 300.0  # MB, which nothing may exceed

Work = Callable[[VAE, Tensor], object]


def _importance(proposal: str) -> Work:
    return lambda model, x: evidence.importance(model, x, 1000, proposal)


def _geodesic(model: VAE, x: Tensor) -> object:
    ends = torch.linspace(-2, 2, 4 * len(x)).reshape(2, len(x), 2).flip(2)
    return interpolation.geodesic(lambda z: model.decode(z).mean, ends[0], ends[1] * 0.5, 9)


WORK: dict[str, Work] = {
    "PlaneTable": lambda model, x: evidence.PlaneTable(model),
    "quadrature": lambda model, x: evidence.quadrature(model, x),
    "modes": lambda model, x: evidence.modes(model, x),
    "monte_carlo": lambda model, x: evidence.monte_carlo(model, x, 1000),
    "encoder": _importance("encoder"),
    "defensive": _importance("defensive"),
    "laplace": _importance("laplace"),
    "annealed": lambda model, x: evidence.annealed(model, x, steps=10),
    "geodesic": _geodesic,
    "magnification": lambda model, x: interpolation.magnification(
        lambda z: model.decode(z).mean, torch.linspace(-2, 2, 4000).reshape(-1, 2)
    ),
}
ROWS = [  # what, the side of a picture, and how many of them
    *((name, 28, 64) for name in WORK),
    ("PlaneTable", 64, 1),
    ("quadrature", 64, 2),
    *((name, 128, 1) for name in WORK),
]


def _held(what: str) -> float:
    """What this process holds, VmRSS, or has held at the most, VmHWM, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(what))) / 1024


def peak(name: str, side: int, count: int) -> float:
    """MB beyond model and pictures, in this process."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model, x = VAE(image_shape=(side, side), sigma=0.2).eval(), torch.rand(count, side, side)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is what is held now
    before = _held("VmRSS")
    WORK[name](model, x)
    return _held("VmHWM") - before


def measure(name: str, side: int, count: int) -> float:
    """The same, in a fresh process."""
    command = [sys.executable, __file__, "--one", name, str(side), str(count)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main(rows: list[tuple[str, int, int]]) -> dict[str, object]:
    """Measures, prints the table, and returns what was found."""
    found = []
    print(f"{'':14s}{'picture':>10s}{'pictures':>10s}{'MB':>7s}   (the limit is {LIMIT:.0f} MB)")
    for name, side, count in rows:
        found.append({"what": name, "side": side, "pictures": count, "MB": round(measure(name, side, count))})
        over = "" if found[-1]["MB"] <= LIMIT else "   too much"
        print(f"{name:14s}{f'{side} x {side}':>10s}{count:10d}{found[-1]['MB']:7d}{over}", flush=True)
    return machine() | {"budget": memory.BUDGET, "limit, MB": LIMIT, "rows": found}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small pictures only")
    parser.add_argument("--one", nargs=3, metavar=("WHAT", "SIDE", "PICTURES"), help="one row, in this process")
    asked = parser.parse_args()
    if asked.one:
        print(peak(asked.one[0], int(asked.one[1]), int(asked.one[2])))
    else:
        result = main([row for row in ROWS if row[1] == 28] if asked.quick else ROWS)
        write_whole(ROOT / "benchmarks/results/memory.json", (json.dumps(result, indent=2) + "\n").encode())
