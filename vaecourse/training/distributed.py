"""Training on several processes or machines, by PyTorch's own DistributedDataParallel.

    torchrun --nproc_per_node=2 -m vaecourse train mnist-2d

starts two processes on this machine. For two machines, run this on the first, whose name is HOST, and the same with
--node_rank=1 on the second (they need not share a folder: the first one writes):

    torchrun --nnodes=2 --node_rank=0 --master_addr=HOST --nproc_per_node=8 -m vaecourse train mnist-2d

All processes hold the same weights. Each takes its share of every batch, and the gradients of the shares are averaged
(Li et al., "PyTorch Distributed", VLDB 2020). So a batch is as large as in one process, and each step is the same up to
rounding. (Over thousands of steps roundings grow, in bfloat16 above all: a long run ends at other weights than one
process would have found.) The first process, the leader, writes, prints and shows the bar. NVIDIA's NCCL carries what
lies on GPUs, one for each process; gloo carries the rest.

When a process dies, one of the others says so in a sentence, and all end (torchrun adds a report of its own). The same
command goes on from the last whole epoch; with --max_restarts=3, torchrun itself tries so often.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

__all__ = [
    "PeerLost",
    "average",
    "check_same",
    "first_to_speak",
    "from_leader",
    "in_parallel",
    "join",
    "leads",
    "rank_and_size",
    "talking",
]

Means = Callable[..., dict[str, Tensor]]
_store: Any = None  # a small table that all processes of the run can read and write


class PeerLost(RuntimeError):
    """Another process of the run no longer answers."""


@contextmanager
def join() -> Iterator[None]:
    """While it lasts, this process is one of those that torchrun started. Does nothing for a process that is alone.

    Raises:
        ValueError: When this machine has fewer GPUs than processes.
        PeerLost: When the others do not come.
    """
    global _store
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield
        return
    here, gpus = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
    if 0 < gpus <= here:
        raise ValueError(
            f"there are {os.environ['LOCAL_WORLD_SIZE']} processes on a machine with {gpus} GPU{'s' * (gpus > 1)}, and "
            f"each needs its own. Give torchrun --nproc_per_node={gpus}."
        )
    if gpus:
        torch.cuda.set_device(here)  # from here on, "cuda" means one GPU for each process
    # torchrun ends the others with SIGTERM when one has died: let it feel like Ctrl-C, which gets a sentence.
    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, signal.default_int_handler)}
    before[signal.SIGINT] = signal.getsignal(signal.SIGINT)
    try:
        with talking():
            _store, rank, size = next(rendezvous("env://"))  # torchrun tells through environment variables
            dist.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo", store=_store, rank=rank, world_size=size)
        yield
    finally:
        for ending in before:  # a second blow while it takes its leave would only add a traceback
            signal.signal(ending, signal.SIG_IGN)
        if dist.is_initialized():
            dist.destroy_process_group()
        for ending, handler in before.items():
            signal.signal(ending, handler)


def rank_and_size() -> tuple[int, int]:
    """The number of this process, from 0, and how many there are; 0 and 1 for one that is alone."""
    together = dist.is_available() and dist.is_initialized()
    return (dist.get_rank(), dist.get_world_size()) if together else (0, 1)


def leads() -> bool:
    """Whether this process is the one that writes and prints; one that trains alone does."""
    return rank_and_size()[0] == 0


@contextmanager
def talking() -> Iterator[None]:
    """Raises PeerLost where a connection breaks."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "gloo" in str(error):  # gloo names itself, but has no class of its own
            raise PeerLost("another process of this run is gone (was it killed, or out of memory?)") from error
        raise


class _Share(nn.Module):
    """A function of a batch that gives means by name, computed from this process's rows of every tensor of the batch.

    The means are weighed such that their average over all processes is that over all rows. Shares differ by one row at
    most; where there are fewer rows than processes, some look at a row that does not count.
    """

    def __init__(self, model: nn.Module, means: Means):
        super().__init__()
        self.model, self.means = model, means  # the model, too: its weights are what the processes talk about

    def forward(self, *batch: Tensor) -> dict[str, Tensor]:
        rank, size = rank_and_size()
        mine = [rows.tensor_split(size)[rank] for rows in batch]
        weight = size * len(mine[0]) / len(batch[0])
        found = self.means(*(mine if weight else [rows[:1] for rows in batch]))
        return {name: weight * mean for name, mean in found.items()}


def in_parallel(model: nn.Module, means: Means) -> Means:
    """`means`, of which each process computes its share; from here on all hold the leader's weights, and gradients are
    averaged over all processes. Returns `means` itself where one process trains alone.
    """
    return means if rank_and_size()[1] == 1 else DistributedDataParallel(_Share(model, means))


def average(tensor: Tensor) -> Tensor:
    """The average of a tensor over all processes, in its place."""
    size = rank_and_size()[1]
    if size > 1:
        dist.all_reduce(tensor)
        tensor /= size
    return tensor


def from_leader(content: bytes) -> bytes:
    """What the leader has given, in all processes."""
    if rank_and_size()[1] == 1:
        return content
    length = torch.tensor(len(content))
    with talking():
        dist.broadcast(length, src=0)
        message = torch.zeros(int(length), dtype=torch.uint8)
        if leads() and content:
            message = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        dist.broadcast(message, src=0)
    return message.numpy().tobytes()


def check_same(device: torch.device, settings: dict[str, Any]) -> None:
    """Raises ValueError, in all processes, unless all were given the same settings and the same kind of device.

    The device must be the CPU or "cuda", which is another GPU in each process.
    """
    if device not in (torch.device("cpu"), torch.device("cuda")):
        raise ValueError(
            f"several processes train on NVIDIA GPUs, one for each, or on the CPU; got {device}. Give --device cuda or "
            f"--device cpu."
        )
    mine = torch.tensor(list(sha256(json.dumps([device.type, settings]).encode()).digest()))
    every = [torch.empty_like(mine) for _ in range(rank_and_size()[1])]
    dist.all_gather(every, mine)  # (its cousin for objects would load pickles)
    for rank, other in enumerate(every):
        if not other.equal(every[0]):
            raise ValueError(
                f"process {rank} trains on other images, with other settings or on another kind of device than process "
                f"0. Give each machine the same command, the same data and the same version of the course."
            )


def first_to_speak() -> bool:
    """Whether no other process of the run has said yet why it ends: the first one knows best."""
    try:
        return _store is None or _store.add("spoken", 1) == 1
    except RuntimeError:  # the table has gone with the machine that kept it
        return True
