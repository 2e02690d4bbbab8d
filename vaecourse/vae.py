"""The variational autoencoder, written as its mathematics reads.

    z ~ P(z) = N(0, I)                         the prior: numbers decided before the pen moves
    x | z ~ P(x|z) = N(f(z), sigma^2 I)        the decoder: an image drawn from those numbers
    z | x ~ Q(z|x) = N(mu(x), diag s(x)^2)     the encoder: a guess at the numbers behind an image

Every density is a `torch.distributions` object, so sampling, scoring and the loss share one definition.
Log-densities are in nats per image: summed over pixels, averaged over nothing, constants kept.

Sources: Kingma and Welling, "Auto-Encoding Variational Bayes", 2014 (the model, its bound and the
reparameterisation); Doersch, "Tutorial on Variational Autoencoders", 2016 (the reading of P(x) as a search over z);
Rybkin et al., "Simple and Effective VAE Training with Calibrated Decoders", 2021 (a learned sigma).
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, Normal, kl_divergence

__all__ = ["VAE", "Decoder", "ElboTerms", "Encoder", "check_images"]


class ElboTerms(NamedTuple):
    """The two terms of the bound, each (N,) in nats per image: elbo = log_likelihood - kl."""

    log_likelihood: Tensor  # log P(x|z) at one z drawn from Q(z|x)
    kl: Tensor  # KL(Q(z|x) || P(z))


def mlp(sizes: tuple[int, ...]) -> nn.Sequential:
    """Linear layers through `sizes`, with a GELU between each two and none at the end."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), nn.GELU()]
    return nn.Sequential(*layers[:-1])


class Encoder(nn.Module):
    """x -> Q(z|x): one pass over an image (N, *image_shape) guesses where its z lies, and how surely."""

    def __init__(self, image_shape: tuple[int, ...], latent_dim: int, hidden: tuple[int, ...]):
        super().__init__()
        self.net = mlp((math.prod(image_shape), *hidden, 2 * latent_dim))
        self.image_dims = len(image_shape)

    def forward(self, x: Tensor) -> Independent:
        mean, raw = self.net(x.flatten(start_dim=-self.image_dims)).float().chunk(2, dim=-1)
        # An image only ever narrows down where its z may lie, so no guess is wider than the prior. (With the usual
        # exp(raw), one odd image in a million asks for a width of 1e12, and training ends in NaN.)
        return Independent(Normal(mean, raw.sigmoid(), validate_args=False), 1, validate_args=False)


class Decoder(nn.Module):
    """z -> the logits of f(z), an image of shape (N, *image_shape). f(z) itself is their sigmoid."""

    def __init__(self, image_shape: tuple[int, ...], latent_dim: int, hidden: tuple[int, ...]):
        super().__init__()
        self.net = mlp((latent_dim, *hidden, math.prod(image_shape)))
        self.image_shape = image_shape

    def forward(self, z: Tensor) -> Tensor:
        return self.net(z).float().unflatten(-1, self.image_shape)


class VAE(nn.Module):
    """A variational autoencoder for images with values in [0, 1].

    Args:
        image_shape: the shape of one image, such as (28, 28)
        latent_dim: how many numbers stand for a picture
        hidden: widths of the encoder's hidden layers
        decoder_hidden: widths of the decoder's; None means the encoder's in reverse
        likelihood: "gaussian": P(x|z) = N(f(z), sigma^2 I); "bernoulli": for images whose pixels are 0 or 1
        sigma: standard deviation of a pixel, in grey levels of [0, 1]; None learns one number for all pixels, which
            settles at the root mean squared error of the drawings ("calibrated")

    Raises:
        ValueError: For a shape, width, likelihood or sigma that makes no model.

    Example:
        >>> model = VAE(image_shape=(8, 8), latent_dim=3, hidden=(16,))
        >>> x = torch.rand(5, 8, 8)
        >>> model.encode(x).mean.shape, model.decode(torch.zeros(5, 3)).mean.shape
        (torch.Size([5, 3]), torch.Size([5, 8, 8]))
        >>> model.elbo(x, torch.Generator().manual_seed(0)).shape
        torch.Size([5])
    """

    meta: dict[str, Any]  # of a model that was loaded: how it was made, and what it scored

    def __init__(
        self,
        image_shape: tuple[int, ...] = (28, 28),
        latent_dim: int = 2,
        hidden: tuple[int, ...] = (512, 512, 256),
        decoder_hidden: tuple[int, ...] | None = None,
        likelihood: str = "gaussian",
        sigma: float | None = None,
    ):
        super().__init__()
        image_shape, hidden = tuple(image_shape), tuple(hidden)
        decoder_hidden = hidden[::-1] if decoder_hidden is None else tuple(decoder_hidden)
        sizes = (*image_shape, latent_dim, *hidden, *decoder_hidden)
        if not image_shape or any(not isinstance(n, int) or n < 1 for n in sizes):
            raise ValueError(
                "image_shape, latent_dim and hidden must be whole numbers of at least 1, such as "
                f"(28, 28), 2 and (512, 512, 256); got {image_shape}, {latent_dim} and {hidden}."
            )
        if likelihood not in ("gaussian", "bernoulli"):
            raise ValueError(f'likelihood must be "gaussian" or "bernoulli"; got {likelihood!r}.')
        if sigma is not None and not (likelihood == "gaussian" and 0 < sigma < math.inf):
            raise ValueError(f'sigma must be a positive number, with likelihood="gaussian"; got {sigma!r}.')
        self.image_shape, self.latent_dim = image_shape, latent_dim
        self.likelihood = likelihood
        self.config = {
            "image_shape": image_shape,
            "latent_dim": latent_dim,
            "hidden": hidden,
            "decoder_hidden": decoder_hidden,
            "likelihood": likelihood,
            "sigma": sigma,
        }
        self.encoder = Encoder(image_shape, latent_dim, hidden)
        self.decoder = Decoder(image_shape, latent_dim, decoder_hidden)
        if likelihood == "gaussian":
            # A learned sigma starts near the spread of MNIST's pixels, so the first steps are neither blind nor wild.
            log_sigma = torch.tensor(math.log(0.3 if sigma is None else sigma))
            if sigma is None:
                self.log_sigma = nn.Parameter(log_sigma)
            else:
                self.register_buffer("log_sigma", log_sigma)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @property
    def sigma(self) -> float | None:
        """Standard deviation of a pixel around f(z), in grey levels; None for a Bernoulli likelihood."""
        return None if self.likelihood == "bernoulli" else self.log_sigma.exp().item()

    @property
    def prior(self) -> Independent:
        """P(z) = N(0, I), event shape (latent_dim,)."""
        zero = torch.zeros(self.latent_dim, device=self.device)
        return Independent(Normal(zero, torch.ones_like(zero), validate_args=False), 1, validate_args=False)

    def encode(self, x: Tensor) -> Independent:
        """Q(z|x) for images x (N, *image_shape): batch shape (N,), event shape (latent_dim,).

        (While training, only the shape is looked at: `fit` has checked the whole set once, and a look at the values at
        each step would stall a GPU.)

        Raises:
            ValueError: For another shape, dtype or range.
        """
        x = torch.as_tensor(x, device=self.device)
        if self.training:
            _check_shape(x, self.image_shape)
        else:
            check_images(x, self.image_shape)
        return self.encoder(x)

    def decode(self, z: Tensor) -> Distribution:
        """P(x|z) for codes z (N, latent_dim): batch shape (N,), event shape image_shape; its mean is f(z).

        Raises:
            ValueError: When z has another number of coordinates.
        """
        z = torch.as_tensor(z, device=self.device)
        if not z.is_floating_point() or z.ndim < 1 or z.shape[-1] != self.latent_dim:
            raise ValueError(
                f"z must be floats with {self.latent_dim} coordinates in the last dimension, such as "
                f"torch.zeros(5, {self.latent_dim}); got shape {tuple(z.shape)} of {z.dtype}."
            )
        logits = self.decoder(z)
        if self.likelihood == "bernoulli":
            pixels: Distribution = Bernoulli(logits=logits, validate_args=False)
        else:
            pixels = Normal(logits.sigmoid(), self.log_sigma.exp(), validate_args=False)
        return Independent(pixels, len(self.image_shape), validate_args=False)

    def elbo_terms(self, x: Tensor, generator: torch.Generator | None = None, noise: Tensor | None = None) -> ElboTerms:
        """log P(x|z) at one z drawn from Q(z|x), and KL(Q(z|x) || P(z)); each (N,) in nats per image.

        z is drawn with `generator`, or made of `noise` (N, latent_dim) that somebody has drawn already.
        """
        x = torch.as_tensor(x, device=self.device)
        q = self.encode(x)
        if noise is None:
            noise = torch.randn(q.mean.shape, generator=generator, device=self.device)
        z = q.mean + q.stddev * noise  # the reparameterisation: z moves smoothly with the encoder's weights
        return ElboTerms(self.decode(z).log_prob(x), kl_divergence(q, self.prior))

    def elbo(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """A one-sample estimate of the evidence lower bound, (N,) in nats per image.

        E_Q[log P(x|z)] - KL(Q(z|x) || P(z)) <= log P(x)   (Kingma and Welling 2014, equation 3).
        """
        log_likelihood, kl = self.elbo_terms(x, generator)
        return log_likelihood - kl


def _check_shape(images: Tensor, image_shape: tuple[int, ...]) -> None:
    if images.shape[-len(image_shape) :] != image_shape or not images.is_floating_point():
        wanted = ", ".join(["N", *map(str, image_shape)])
        raise ValueError(
            f"images must be floats of shape ({wanted}); got {tuple(images.shape)} of {images.dtype}. "
            f"Reshape with images.reshape(-1, {', '.join(map(str, image_shape))}) and convert with images.float()."
        )


def check_images(images: Tensor, image_shape: tuple[int, ...]) -> None:
    """Raises ValueError, saying what to do, unless images are floats (N, *image_shape), finite and in [0, 1]."""
    _check_shape(images, image_shape)
    if images.numel() == 0:
        raise ValueError("images are empty: there is nothing to look at. Was the selection before this too strict?")
    low, high = (v.item() for v in images.aminmax())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("images hold NaN or infinity. Find them with torch.isfinite(images) and leave those out.")
    if low < 0 or high > 1:
        advice = "Divide by 255." if low >= 0 and 1 < high <= 255 else "Scale them first."
        raise ValueError(f"images must lie in [0, 1]; got [{low:g}, {high:g}]. {advice}")
