"""Training on several processes or machines, by PyTorch's own engine.

    torchrun --nproc_per_node=2 -m vaecourse train mnist-2d

starts two processes on this machine. For two machines, run this on the first, whose name is HOST, and the same with
--node_rank=1 on the second (they need not share a folder: the first one writes):

    torchrun --nnodes=2 --node_rank=0 --master_addr=HOST --nproc_per_node=8 -m vaecourse train mnist-2d

All processes hold the same weights. Each takes its share of every batch; the gradients of the shares are added up, and
all make the same step ("synchronous data parallelism": Li et al., "PyTorch Distributed", VLDB 2020). So a batch is as
large as in one process, and each step is the same up to rounding. (Over thousands of steps roundings grow, in bfloat16
above all: a long run ends at other weights than one process would have found.) The first process, the leader, writes,
prints and shows the bar. NVIDIA's NCCL carries what lies on GPUs, one for each process; gloo carries the rest.

When a process dies, one of the others says so in a sentence, and all end (torchrun adds a report of its own). The same
command goes on from the last whole epoch; with --max_restarts=3, torchrun itself tries so often.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor

from .vae import VAE, ElboTerms

__all__ = [
    "PeerLost",
    "add_up",
    "alone",
    "check_same",
    "copy_from_leader",
    "elbo_terms",
    "first_to_speak",
    "join",
    "leads",
    "said_by_leader",
]

_store: dist.Store | None = None  # a small table that all processes of the run can read and write


class PeerLost(RuntimeError):
    """Another process of the run no longer answers."""


@contextmanager
def join() -> Iterator[None]:
    """While it lasts, this process is one of those that torchrun started. Does nothing for a process that is alone.

    Raises:
        ValueError: When this machine has fewer GPUs than processes.
    """
    global _store
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield
        return
    _store, rank, size = next(dist.rendezvous("env://"))  # torchrun tells through environment variables
    # torchrun ends the others with SIGTERM when one has died: let it feel like Ctrl-C, which gets a sentence.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _take_gpu()
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        with _talking():
            dist.init_process_group(backend, store=_store, rank=rank, world_size=size)
        yield
    finally:
        for ending in (signal.SIGTERM, signal.SIGINT):  # on its way out: a second blow would only add a traceback
            signal.signal(ending, signal.SIG_IGN)
        if dist.is_initialized():
            dist.destroy_process_group()


def _take_gpu() -> None:
    """Makes "cuda" mean one GPU for each process of this machine."""
    here, gpus = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
    if 0 < gpus <= here:
        raise ValueError(
            f"there are {os.environ['LOCAL_WORLD_SIZE']} processes on a machine with {gpus} GPU{'s' * (gpus > 1)}, and "
            f"each needs its own. Give torchrun --nproc_per_node={gpus}."
        )
    if gpus:
        torch.cuda.set_device(here)


def _rank_and_size() -> tuple[int, int]:
    """The number of this process, from 0, and how many there are."""
    together = dist.is_available() and dist.is_initialized()
    return (dist.get_rank(), dist.get_world_size()) if together else (0, 1)


def alone() -> bool:
    """Whether this process trains by itself."""
    return _rank_and_size()[1] == 1


def leads() -> bool:
    """Whether this process is the one that writes and prints; one that trains alone does."""
    return _rank_and_size()[0] == 0


def elbo_terms(model: VAE, x: Tensor, generator: torch.Generator) -> ElboTerms:
    """`model.elbo_terms` of this process's share of a batch x (B, *image_shape), drawn as one process would draw.

    The shares differ by one image at most; where there are fewer images than processes, some are empty.
    """
    rank, size = _rank_and_size()
    if size == 1:
        return model.elbo_terms(x, generator)
    mine = torch.arange(len(x), device=x.device).tensor_split(size)[rank]
    work = mine if len(mine) else mine.new_zeros(1)  # an idle process looks at an image, too, and then drops it
    noise = torch.randn((len(x), model.latent_dim), generator=generator, device=x.device)  # so generators stay in step
    terms = model.elbo_terms(x[work], noise=noise[work])
    return ElboTerms(*(term[: len(mine)] for term in terms))


@contextmanager
def _talking() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # gloo and NCCL raise nothing more special when a connection breaks
        raise PeerLost("another process of this run is gone (was it killed, or out of memory?)") from error


def add_up(given: Sequence[Tensor | None]) -> None:
    """Replaces each tensor, in place, by its sum over all processes; one message carries them all.

    None stands for the slope of a weight that is not trained, and is left alone.
    """
    tensors = [t for t in given if t is not None]
    if alone():
        return
    flat = torch.cat([t.flatten() for t in tensors])
    with _talking():
        dist.all_reduce(flat)
    for t, part in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
        t.copy_(part.view_as(t))


def check_same(device: torch.device, settings: dict) -> None:
    """Raises ValueError, in all processes, unless all were given the same settings and the same kind of device.

    The device must be the CPU or "cuda", which is another GPU in each process.
    """
    if alone():
        return
    if device not in (torch.device("cpu"), torch.device("cuda")):
        raise ValueError(
            f"several processes train on NVIDIA GPUs, one for each, or on the CPU; got {device}. Give --device cuda or "
            f"--device cpu."
        )
    digest = sha256(json.dumps([device.type, settings]).encode()).digest()
    mine = torch.tensor(list(digest))
    digests = [torch.empty_like(mine) for _ in range(_rank_and_size()[1])]
    with _talking():
        dist.all_gather(digests, mine)
    others = [str(rank) for rank, other in enumerate(digests) if not other.equal(digests[0])]
    if others:
        raise ValueError(
            f"process {', '.join(others)} trains on other images, with other settings or on another kind of device "
            f"than process 0. Give each machine the same command, the same data and the same version of the course."
        )


def said_by_leader(number: int) -> int:
    """The leader's number, in all processes."""
    said = torch.tensor(number)
    if not alone():
        with _talking():
            dist.broadcast(said, src=0)
    return int(said)


def copy_from_leader(path: Path) -> None:
    """Writes the leader's file `path` under the same name in all other processes, whatever machine they run on."""
    content = path.read_bytes() if leads() else b""
    length = said_by_leader(len(content))
    message = torch.frombuffer(bytearray(content), dtype=torch.uint8) if leads() else torch.empty(length).byte()
    with _talking():
        dist.broadcast(message, src=0)
    if not leads():
        path.write_bytes(message.numpy().tobytes())


def first_to_speak() -> bool:
    """Whether no other process of the run has said yet why it ends: the first one knows best."""
    try:
        return _store is None or _store.add("spoken", 1) == 1
    except RuntimeError:  # the table has gone with the machine that kept it
        return True
