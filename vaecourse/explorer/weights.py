"""A model's weights on their way to the browser: packed as a file, and sent once for all that draw with them."""

from __future__ import annotations

import json
from weakref import WeakSet, WeakValueDictionary

import anywidget
import torch
import traitlets
from safetensors.torch import save

from ..model import VAE, parse_safetensors

__all__ = ["Weights", "pack", "unpack", "weights_of"]


class Weights(anywidget.AnyWidget):
    """A model's weights in the kernel, in the browser and in a saved notebook.

    Jupyter keeps a widget until it is closed, also where the cell that made it has run again. So explorers have no
    weights of their own: those that draw with the same share one of these, and the last one that is closed closes it.
    """

    _esm = "export default {};\n"  # shows nothing; but of other widgets JupyterLab saves no bytes

    file = traitlets.Bytes(help="a safetensors file").tag(sync=True)

    def __init__(self, file: bytes):
        super().__init__(file=file)
        self.users: WeakSet[anywidget.AnyWidget] = WeakSet()

    def leave(self, user: anywidget.AnyWidget) -> None:
        self.users.discard(user)
        if not self.users:
            self.close()


_there: WeakValueDictionary[bytes, Weights] = WeakValueDictionary()


def weights_of(file: bytes, user: anywidget.AnyWidget) -> Weights:
    """The weights with this content: those that there are, or new ones."""
    found = _there.get(file)
    if found is None or found.comm is None:  # closed, as by Widget.close_all()
        found = _there[file] = Weights(file)
    found.users.add(user)
    return found


def pack(model: VAE, dtype: torch.dtype = torch.float16) -> bytes:
    """The weights, in half precision like those of a shipped model's file unless told otherwise."""
    tensors = {k: v.detach().cpu().to(dtype) if v.ndim else v.detach().cpu() for k, v in model.state_dict().items()}
    meta = {"config": model.config, "name": getattr(model, "meta", {}).get("name")}
    return save({k: v.contiguous() for k, v in tensors.items()}, metadata={"meta": json.dumps(meta)})


def unpack(file: bytes) -> VAE:
    """The model that `pack` packed, on the CPU."""
    tensors, meta = parse_safetensors(file, "the explorer's model")
    with torch.device("meta"):  # no random weights that the next line overwrites
        model = VAE(**meta["config"])
    model.load_state_dict({k: v.float() for k, v in tensors.items()}, assign=True)
    model.meta = meta
    return model.eval()
