"""The training loop that a reader would otherwise write, after the VAE among PyTorch's examples (vae/main.py).

Every picture is fetched, turned into a tensor and stacked by itself, the optimiser is Adam as it comes, and the loss is
read at every step for a running mean. The model is handed in, so that both loops train the same one.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from vaecourse import VAE

__all__ = ["Digits", "train_textbook"]


class Digits(Dataset):
    """What `torchvision.datasets.MNIST(..., transform=ToTensor())` is: pairs of a picture (1, H, W) and its label.

    pixels  (N, H, W) uint8
    labels  (N,) whole numbers
    """

    def __init__(self, pixels: NDArray[np.uint8], labels: NDArray[np.int64]):
        self.pixels, self.labels = torch.as_tensor(pixels), torch.as_tensor(labels)

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        picture = Image.fromarray(self.pixels[i].numpy())  # "consistent with all other datasets", says torchvision
        return _to_tensor(picture), int(self.labels[i])


def _to_tensor(picture: Image.Image) -> Tensor:
    """A grey picture as a tensor (1, H, W) float32 in [0, 1], by the steps of torchvision's ToTensor."""
    x = torch.from_numpy(np.array(picture, np.uint8, copy=True))
    x = x.view(picture.size[1], picture.size[0], 1).permute(2, 0, 1).contiguous()
    return x.to(torch.float32).div(255)


def train_textbook(
    model: VAE, digits: Digits, epochs: int, *, batch_size: int = 128, device: str = "cpu", seed: int = 0
) -> list[float]:
    """Trains `model` in place and returns its ELBO of each epoch, the mean over the images in nats per image."""
    torch.manual_seed(seed)
    faster = {"num_workers": 1, "pin_memory": True} if device == "cuda" else {}
    loader = DataLoader(digits, batch_size=batch_size, shuffle=True, **faster)
    model.to(device).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    elbo = []
    for _ in range(epochs):
        total = 0.0
        for x, _label in loader:
            x = x.to(device)
            optimizer.zero_grad()
            loss = -model.elbo(x.squeeze(1)).sum()
            loss.backward()
            total += loss.item()
            optimizer.step()
        elbo.append(-total / len(digits))
    model.eval()
    return elbo
