"""What is this machine, what will the chapter cost here, and what to do if something is missing."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from ..data import resolve
from ..training import best_device

__all__ = ["Here", "preflight", "speed"]

# Seconds that 200 products of a batch with a layer, (128, 784) x (784, 512), took on the two-core machine without a
# GPU whose minutes the chapters state. Only the ratio matters.
_REFERENCE_SECONDS = 0.10


@dataclass(frozen=True)
class Here:
    """Where a chapter finds itself."""

    dataset: str  # the data it runs on: what it asked for, or the made-here stand-in
    device: torch.device  # where it trains


def speed() -> float:
    """How fast this CPU multiplies matrices, as a multiple of the machine whose minutes the chapters state."""
    x, w = torch.ones(128, 784), torch.ones(784, 512)
    best = float("inf")
    for _ in range(3):  # the best of three, for a busy moment is not a slow machine
        start = time.perf_counter()
        for _ in range(200):
            x @ w
        best = min(best, time.perf_counter() - start)
    return _REFERENCE_SECONDS / best


def preflight(data: str = "mnist", *, cpu_minutes: float, gpu_minutes: float | None = None) -> Here:
    """Prints one line (data, device, and the minutes this chapter will take here) and returns what it found.

    Args:
        data: the data set that the chapter wants; a set the course makes itself stands in when it cannot be had
        cpu_minutes: what the chapter takes on two cores; gpu_minutes the same with a GPU, when that has been measured
    """
    dataset, device = resolve(data), best_device()
    if device.type == "cpu":
        minutes = cpu_minutes / speed()
        threads = torch.get_num_threads()
        name = f"CPU, {threads} thread{'s' * (threads > 1)}"
    else:
        minutes = cpu_minutes if gpu_minutes is None else gpu_minutes
        name = torch.cuda.get_device_name() if device.type == "cuda" else "Apple GPU"
    cost = "less than a minute" if minutes < 0.8 else f"about {max(1, round(minutes))} min"
    print(f"Data: {dataset} · Device: {name} · Takes {cost} here.")
    return Here(dataset, device)
