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
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, Normal, kl_divergence

from ..images import as_codes, as_generator, as_images, check_binary
from .checkpoints import CheckpointError, load_model, save_model, stored
from .sizes import as_count, as_positive

__all__ = ["VAE", "Decoder", "ElboTerms", "Encoder"]

NARROWEST = 1e-12  # no standard deviation of a guess is smaller: its square, and a distance over it, stay float32


class ElboTerms(NamedTuple):
    """The two terms of the bound, each (N,) in nats per image: elbo = log_likelihood - kl."""

    log_likelihood: Tensor  # log P(x|z) at one z drawn from Q(z|x)
    kl: Tensor  # KL(Q(z|x) || P(z))


def mlp(sizes: Sequence[int]) -> nn.Sequential:
    """Linear layers through `sizes`, with a GELU between each two and none at the end."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), nn.GELU()]
    return nn.Sequential(*layers[:-1])


def batched(net: nn.Module, x: Tensor, dims: int) -> Tensor:
    """net(x) in the precision of x, whatever axes stand before the last `dims`: networks know one such axis only."""
    before, own = x.shape[: x.ndim - dims], x.shape[x.ndim - dims :]
    y: Tensor = net(x.reshape(math.prod(before), *own)).to(x.dtype)
    return y.reshape(*before, *y.shape[1:])


class Encoder(nn.Module):
    """x -> Q(z|x): one pass over images (N, *image_shape) guesses where each
    one's z lies, and how surely.

    Args:
        net: any module that turns images into numbers (N, 2 * latent_dim): the
            means, then the raw widths
    """

    def __init__(self, net: nn.Module, image_shape: tuple[int, ...]):
        super().__init__()
        self.net, self.image_shape = net, image_shape

    def forward(self, x: Tensor) -> Independent[Normal]:
        mean, raw = batched(self.net, x, len(self.image_shape)).chunk(2, dim=-1)
        # An image only ever narrows down where its z may lie, so no guess is
        # wider than the prior. (With the usual exp(raw), one odd image in a
        # million asks for a width of 1e12, and training ends in NaN.) Nor is
        # any guess a single point, whose density would be infinite.
        scale = raw.sigmoid().clamp_min(NARROWEST)
        normals = Normal(mean, scale, validate_args=False)
        return Independent(normals, 1, validate_args=False)


class Decoder(nn.Module):
    """z -> the logits of f(z), images of shape (N, *image_shape). f(z) itself
    is their sigmoid.

    Args:
        net: any module that turns codes (N, latent_dim) into so many numbers as
            the images have pixels
    """

    def __init__(self, net: nn.Module, image_shape: tuple[int, ...]):
        super().__init__()
        self.net, self.image_shape = net, image_shape

    def forward(self, z: Tensor) -> Tensor:
        return batched(self.net, z, 1).reshape(*z.shape[:-1], *self.image_shape)


@stored
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
        encoder: a network of your own in the place of those layers: images (N, *image_shape) to numbers (N, 2 *
            latent_dim), first the means, then raw widths, of which a sigmoid makes standard deviations
        decoder: a network of your own: codes (N, latent_dim) to logits (N, *image_shape); also as rows of pixels

    Raises:
        ValueError: For a shape, width, likelihood, sigma or network that makes no model.

    Example:
        >>> model = VAE(image_shape=(8, 8), latent_dim=3, hidden=(16,))
        >>> x = torch.rand(5, 8, 8)
        >>> model.encode(x).mean.shape, model.decode(torch.zeros(5, 3)).mean.shape
        (torch.Size([5, 3]), torch.Size([5, 8, 8]))
        >>> model.elbo(x, torch.Generator().manual_seed(0)).shape
        torch.Size([5])
        >>> shallow = VAE((8, 8), 3, decoder=torch.nn.Linear(3, 64))
    """

    meta: dict[str, Any]  # of a model that was loaded: how it was made, and what it scored

    def __init__(
        self,
        image_shape: Sequence[int] = (28, 28),
        latent_dim: int = 2,
        hidden: int | Sequence[int] = (512, 512, 256),
        decoder_hidden: int | Sequence[int] | None = None,
        likelihood: str = "gaussian",
        sigma: float | None = None,
        encoder: nn.Module | None = None,
        decoder: nn.Module | None = None,
    ):
        super().__init__()
        self.image_shape = _counts(image_shape, "image_shape")
        self.latent_dim = as_count(latent_dim, "latent_dim")
        widths = _counts(hidden, "hidden")
        back = widths[::-1] if decoder_hidden is None else _counts(decoder_hidden, "decoder_hidden")
        if not self.image_shape:
            raise ValueError("image_shape must be at least one number, such as (28, 28); got ().")
        if likelihood not in ("gaussian", "bernoulli"):
            raise ValueError(f'likelihood must be "gaussian" or "bernoulli"; got {likelihood!r}.')
        if sigma is not None and likelihood != "gaussian":
            raise ValueError(f'sigma must be left out with likelihood="bernoulli", which has none; got {sigma!r}.')
        sigma = None if sigma is None else as_positive(sigma, "sigma")
        self.likelihood = likelihood
        self.config: dict[str, Any] = {
            "image_shape": self.image_shape,
            "latent_dim": self.latent_dim,
            "hidden": widths,
            "decoder_hidden": back,
            "likelihood": likelihood,
            "sigma": sigma,
        }
        pixels = math.prod(self.image_shape)
        if encoder is None:
            layers = mlp((pixels, *widths, 2 * self.latent_dim)).named_children()
            encoder = nn.Sequential(OrderedDict(row=nn.Flatten(), **dict(layers)))  # the layers keep their numbers
        else:
            _try("encoder", encoder, self.image_shape, (2 * self.latent_dim,))
        if decoder is None:
            decoder = mlp((self.latent_dim, *back, pixels))
        else:
            _try("decoder", decoder, (self.latent_dim,), self.image_shape)
        self.encoder = Encoder(encoder, self.image_shape)
        self.decoder = Decoder(decoder, self.image_shape)
        if likelihood == "gaussian":
            # A learned sigma starts near the spread of MNIST's pixels, so the first steps are neither blind nor wild.
            log_sigma = torch.tensor(math.log(0.3 if sigma is None else sigma))
            if sigma is None:
                self.log_sigma = nn.Parameter(log_sigma)
            else:
                self.register_buffer("log_sigma", log_sigma)

    @property
    def _weight(self) -> Tensor:
        """Any weight: it tells the device and the precision of all."""
        return next(chain(self.parameters(), self.buffers()))

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self._weight.device

    @property
    def sigma(self) -> float | None:
        """Standard deviation of a pixel around f(z), in grey levels; None for a Bernoulli likelihood."""
        return None if self.likelihood == "bernoulli" else self.log_sigma.exp().item()

    @property
    def prior(self) -> Independent[Normal]:
        """P(z) = N(0, I), event shape (latent_dim,)."""
        zero = torch.zeros(self.latent_dim, device=self.device, dtype=self._weight.dtype)
        return Independent(Normal(zero, torch.ones_like(zero), validate_args=False), 1, validate_args=False)

    def encode(self, x: Tensor) -> Independent[Normal]:
        """Q(z|x) for images x (N, *image_shape): batch shape (N,), event shape (latent_dim,).

        One image (*image_shape) has the batch shape (). (While training on a GPU, only the shape is looked at: `fit`
        has checked the whole set once, and a look at the values at each step would stall it.)

        Raises:
            ValueError: For another shape, dtype or range, and for greys where pixels are to be 0 or 1.
        """
        q: Independent[Normal] = self.encoder(self._images(x))
        return q

    def _images(self, x: Tensor) -> Tensor:
        look = not self.training or self.device.type == "cpu"
        images = as_images(x, self.image_shape, self._weight, leading=(0, 1), values=look)
        if look and self.likelihood == "bernoulli":
            check_binary(images)
        return images

    def decode(self, z: Tensor) -> Distribution:
        """P(x|z) for codes z (N, latent_dim): batch shape (N,), event shape image_shape; its mean is f(z).

        Raises:
            ValueError: When z has another number of coordinates.
        """
        logits = self.decoder(as_codes(z, self.latent_dim, self._weight))
        if self.likelihood == "bernoulli":
            pixels: Distribution = Bernoulli(logits=logits, validate_args=False)
        else:
            pixels = Normal(logits.sigmoid(), self.log_sigma.exp(), validate_args=False)
        return Independent(pixels, len(self.image_shape), validate_args=False)

    def elbo_terms(
        self,
        x: Tensor,
        generator: torch.Generator | None = None,
        noise: Tensor | None = None,
    ) -> ElboTerms:
        """log P(x|z) at one z drawn from Q(z|x), and KL(Q(z|x) || P(z)); each
        (N,) in nats per image.

        z is drawn with `generator` (None: one with seed 0), or made of `noise`
        (N, latent_dim) that somebody has drawn.
        """
        x = self._images(x)
        q = self.encoder(x)
        if noise is None:
            generator = as_generator(generator, self.device)
            noise = torch.empty_like(q.mean).normal_(generator=generator)
        # The reparameterisation: z moves smoothly with the encoder's weights.
        z = q.mean + q.stddev * noise
        return ElboTerms(self.decode(z).log_prob(x), kl_divergence(q, self.prior))

    def elbo(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """A one-sample estimate of the evidence lower bound, (N,) in nats per
        image.

        E_Q[log P(x|z)] - KL(Q(z|x) || P(z)) <= log P(x)   (Kingma and Welling
        2014, equation 3).
        """
        log_likelihood, kl = self.elbo_terms(x, generator)
        return log_likelihood - kl

    def save(self, path: str | Path, meta: dict[str, Any] | None = None, precision: str = "float32") -> None:
        """Writes the weights to a safetensors file, whole or not at all, with what `meta` says of the model (JSON).

        precision "float16" makes half the file and rounds to three digits.

        Raises:
            CheckpointError: Where the file cannot be written.
            ValueError: For another precision.
        """
        save_model(path, self, meta or {}, precision)

    @classmethod
    def load(cls, path: str | Path, encoder: nn.Module | None = None, decoder: nn.Module | None = None) -> VAE:
        """The model that `save` wrote: on the CPU, in eval mode, with `meta` in .meta.

        A network of your own is not in the file, but for its weights. Give a new one of the same layers, and it gets
        them. (What its `forward` does beside calling them, a file does not tell.)

        Raises:
            CheckpointError: For a file that holds something else, or where the structure is another.
        """
        model = load_model(path, **{k: v for k, v in (("encoder", encoder), ("decoder", decoder)) if v is not None})
        if not isinstance(model, cls):
            raise CheckpointError(f"{path} holds a {type(model).__name__}. Read it with vaecourse.model.load_model.")
        return model


def _counts(given: int | Sequence[int], name: str) -> tuple[int, ...]:
    """One width, or several, as whole numbers. Raises ValueError."""
    several = given if isinstance(given, Iterable) else (given,)
    return tuple(as_count(n, f"each number of {name}") for n in several)


def _try(name: str, net: nn.Module, given: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Raises ValueError unless the network turns two inputs of one shape into two outputs as large as wanted."""
    like = next(net.parameters(), torch.zeros(()))
    training = net.training
    with torch.no_grad():
        found = net.eval()(torch.zeros((2, *given), device=like.device, dtype=like.dtype))
    net.train(training)
    if not isinstance(found, Tensor) or len(found) != 2 or found[0].numel() != math.prod(wanted):
        got = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise ValueError(f"the {name} must turn {(2, *given)} into {(2, *wanted)}; got {got}.")
