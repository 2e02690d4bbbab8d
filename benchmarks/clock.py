"""A stopwatch for contenders that take turns."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import ArrayLike

__all__ = ["machine", "show", "side_by_side", "spread"]


def spread(values: ArrayLike) -> dict[str, float]:
    """Lowest, median and highest."""
    return {"low": float(np.min(values)), "median": float(np.median(values)), "high": float(np.max(values))}


def side_by_side(contenders: dict[str, Callable[[int], object]], rounds: int) -> dict[str, dict]:
    """Runs all contenders in turn, `rounds` times, each with the turn's number for a seed.

    Returns for each its seconds, by the clock on the wall and by the processor's, and how many times faster than the
    first contender it was, in the same turn, by either clock.
    """
    times = {name: [] for name in contenders}
    for seed in range(rounds):
        for name, work in contenders.items():
            start = time.perf_counter(), time.process_time()
            work(seed)
            if torch.cuda.is_available():
                torch.cuda.synchronize()  # until then the GPU has only been told what to do
            times[name].append((time.perf_counter() - start[0], time.process_time() - start[1]))
    wall, processor = (np.array([[t[i] for t in times[name]] for name in contenders]) for i in (0, 1))
    return {
        name: {
            "seconds": spread(wall[i]),
            "processor seconds": spread(processor[i]),
            "times faster": spread(wall[0] / wall[i]),
            "times faster by the processor's clock": spread(processor[0] / processor[i]),
        }
        for i, name in enumerate(contenders)
    }


def show(title: str, rows: dict[str, dict]) -> None:
    """Prints a table of what `side_by_side` returns."""
    print(f"\n{title}\n{'':46s} {'seconds':>20s} {'times faster':>18s} {'processor only':>18s}")
    for name, row in rows.items():
        cells = [row[k] for k in ("seconds", "times faster", "times faster by the processor's clock")]
        shown = (f"{c['median']:.2f} ({c['low']:.2f}-{c['high']:.2f})" for c in cells)
        print("{:46s} {:>20s} {:>18s} {:>18s}".format(name, *shown), row.get("note", ""), flush=True)


def machine() -> dict[str, object]:
    """What the numbers depend on. `load` is the number of processes that want a core, over the last minute."""
    return {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,  # Windows does not say
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
