"""The integrand P(x|z) P(z): what a model must have, and how a picture is scored at many codes z.

Decoders run in the model's own precision; what follows (784 terms that nearly cancel) is summed in float64.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Distribution, Independent, MixtureSameFamily, Normal, constraints

from .. import memory
from ..images import as_generator, as_images, check_binary, check_range
from ..model import VAE
from .draws import called, diagonal, draw, moment

__all__ = [
    "CODE",
    "KEPT",
    "Model",
    "Table",
    "check_model",
    "check_reach",
    "check_smooth",
    "check_x",
    "codes_at_once",
    "log_integrand",
    "log_prior",
    "natural",
    "no_slope",
    "not_a_number",
    "pixels",
    "prior_gradient",
    "score_pixels",
    "too_steep",
]

CODE = 256  # bytes for each pixel of a code: its drawing, the sums in float64, and the layers of a decoder
KEPT = 0.4  # of the budget for memory: what a table of decoded codes may take


@runtime_checkable
class Model(Protocol):
    """What `evidence` asks of a model: a VAE of the course has it, and so has what you write in a few lines.

    Example:
        An encoder, encode(x), is wanted only where a function says so. Its Q(z|x), and the prior, may be any
        torch.distributions with a density and the event shape (latent_dim,). Here two numbers make a picture of three
        pixels, and P(z) says that the two go together. No encoder, no training:

        >>> from torch.distributions import Independent, MultivariateNormal, Normal
        >>> from vaecourse import evidence
        >>> class Waves:
        ...     latent_dim = 2
        ...     prior = MultivariateNormal(
        ...         torch.zeros(2), torch.tensor([[1.0, 0.8], [0.8, 1.0]])
        ...     )
        ...
        ...     def decode(self, z):
        ...         mean = torch.stack([z[:, 0], z[:, 1], z.prod(1)], 1).sin()
        ...         return Independent(Normal(mean, 0.1), 1)
        >>> x = torch.tensor([[0.5, 0.6, 0.3]])
        >>> print(f"{evidence.quadrature(Waves(), x).log_p_x.item():.2f}")
        -0.13
        >>> found = evidence.importance(Waves(), x, proposal="laplace")
        >>> print(f"{found.log_p_x.item():.2f} ± {found.error.item():.2f}")
        -0.13 ± 0.01
    """

    @property
    def latent_dim(self) -> int:
        """How many numbers stand for a picture, d."""

    @property
    def prior(self) -> Distribution:
        """P(z): batch shape (), event shape (d,)."""

    def decode(self, z: Tensor, /) -> Distribution:
        """P(x|z) for codes z (M, d): Independent(Normal) or Independent(Bernoulli) over the pixels."""


def pixels(model: Model, z: Tensor) -> Normal | Bernoulli:
    """The pixels of P(x|z) for codes z (M, d)."""
    like = model.prior.mean
    p = model.decode(z.to(like.device, like.dtype))
    if not (type(p) is Independent and type(p.base_dist) in (Normal, Bernoulli)):  # a subclass may score as it likes
        raise TypeError(
            f"model.decode(z) must be an Independent of Normal or Bernoulli pixels; got {called(p)}. "
            "For flat pictures (M, D): Independent(Normal(mean, sigma), 1)."
        )
    if p.batch_shape != z.shape[:1]:
        raise ValueError(
            f"model.decode(z) must make one picture a code: for {len(z)} codes it has the batch shape "
            f"{tuple(p.batch_shape)}. Is the number in Independent(…, n) that of the picture's axes?"
        )
    return p.base_dist


def natural(p: Normal | Bernoulli) -> Tensor:
    """eta in log p(x) = x eta + log p(0) + h(x), which normal and Bernoulli pixels share (the exponential family)."""
    return p.logits if isinstance(p, Bernoulli) else p.mean / p.variance


def score_pixels(p: Normal | Bernoulli, x: Tensor) -> Tensor:
    """log p(x) summed over the pixels, (M,), in float64."""
    fine: Distribution = (
        Bernoulli(logits=p.logits.double(), validate_args=False)
        if isinstance(p, Bernoulli)
        else Normal(p.mean.double(), p.stddev.double(), validate_args=False)
    )
    return fine.log_prob(x.double()).flatten(start_dim=1).sum(1)


def log_prior(model: Model, z: Tensor) -> Tensor:
    """log P(z) for codes (..., d), in float64; -inf where P(z) is zero."""
    prior = model.prior
    if normal := diagonal(prior):
        normal = Normal(normal.mean.double(), normal.stddev.double(), validate_args=False)
        return normal.log_prob(z.double()).sum(-1)
    z = z.to(prior.mean)
    inside = z.isfinite().all(-1) & _support(prior).check(z)
    z = z.where(inside[..., None], prior.mean)  # a density that checks what it is asked would rather stop
    return prior.log_prob(z).double().masked_fill(~inside, -torch.inf)


def prior_gradient(model: Model, z: Tensor, create_graph: bool = False) -> Tensor:
    """The gradient of log P(z) at codes z (..., d)."""
    prior = model.prior
    if normal := diagonal(prior):
        return (normal.mean - z) / normal.variance
    with torch.enable_grad():
        z = z if z.requires_grad else z.detach().requires_grad_()
        height = prior.log_prob(z.to(prior.mean)).sum() + 0 * z.square().sum()  # some densities have no second slope
        return torch.autograd.grad(height, z, create_graph=create_graph)[0]


def codes_at_once(x: Tensor, share: float = 0.25) -> int:
    """How many codes are decoded at once, for images x (N, *image_shape)."""
    return memory.at_once(CODE * x[0].numel(), f"a picture of {' x '.join(map(str, x.shape[1:]))}", share)


@torch.no_grad()
def log_integrand(model: Model, x: Tensor, image: Tensor, z: Tensor) -> Tensor:
    """log P(x|z) P(z), (M,), in float64, of the images x[image] at codes z (M, d); x (N, *image_shape), image (M,)."""
    total, size = log_prior(model, z), codes_at_once(x)
    # Into what is there: a small tensor that outlives each block would keep the holes between them from being used.
    for some, c, i in zip(total.split(size), z.split(size), image.split(size), strict=True):
        some += score_pixels(pixels(model, c), x[i])
    return total


def check_model(model: Model) -> None:
    """Raises TypeError for what is no model, and ValueError for a prior of another shape, or one without a mean."""
    if not isinstance(model, Model):
        raise TypeError(f"a model has decode(z), prior and latent_dim (see evidence.Model); got {called(model)}.")
    prior, d = model.prior, model.latent_dim
    if prior.batch_shape or prior.event_shape != (d,):
        raise ValueError(
            f"model.prior must have the batch shape () and the event shape ({d},); got {tuple(prior.batch_shape)} and "
            f"{tuple(prior.event_shape)}. For coordinates that know nothing of each other: Independent(…, 1)."
        )
    if not moment(prior, "mean").isfinite().all():
        raise ValueError(
            f"model.prior must have a finite mean, where looking begins; got {called(prior)}. Any code that it finds "
            f"probable will do: in a subclass of your own, mean = torch.zeros({d})."
        )


def check_x(model: Model, x: Any, leading: tuple[int, ...] = (1,)) -> Tensor:
    """Images on the model's device, with so many axes before their own as one of `leading`.

    Raises:
        TypeError: For what is no model.
        ValueError: For images of another shape or type, NaN, or values that no pixel can have.
    """
    check_model(model)
    codes = draw(model.prior, 2, as_generator(None, model.prior.mean.device))
    p, beside = pixels(model, codes[:1]), pixels(model, codes)
    if ((natural(p) - natural(beside)[:1]).abs() > 1e-3 * natural(p).abs().max()).any():
        raise ValueError(
            "model.decode must look at each code by itself and draw nothing, but it gave two answers for one code. Is "
            "a network in it in training mode, with dropout or batch norm? Call its eval() first."
        )
    x = as_images(x, tuple(p.mean.shape[1:]), p.mean, name="x", leading=leading, values=False)
    if isinstance(model, VAE) or isinstance(p, Bernoulli):
        check_range(x, "x")
    elif not len(x) or not x.isfinite().all():  # a decoder of one's own may draw what is no grey level
        raise ValueError("x must hold finite numbers only, and at least one picture. Leave out NaN and infinity.")
    if isinstance(p, Bernoulli):
        check_binary(x, "x")
    return x


def check_smooth(model: Model, method: str) -> None:
    """Raises ValueError for a prior with an edge, for methods that follow slopes."""
    if not _endless(model.prior):
        raise ValueError(
            f"{method} follows the slopes of P(z), and model.prior ends at an edge. There evidence.monte_carlo and, "
            "with an encoder, evidence.importance work."
        )


def check_reach(q: Distribution, prior: Distribution) -> None:
    """Raises ValueError where guesses q never look, though P(z) is not zero there: no weight makes up for that."""
    if diagonal(q):
        return
    reaches = _support(q).is_discrete == _support(prior).is_discrete
    if reaches:
        z = draw(prior, 512, as_generator(None, prior.mean.device))[:, None].expand(-1, *q.batch_shape, -1)
        try:  # what PyTorch says of a support is not all: it believes that a uniform, stretched, has no edge
            reaches = bool(_support(q).check(z).all() and q.log_prob(z).isfinite().all())
        except ValueError:
            reaches = False
    if not reaches:
        raise ValueError(
            f"model.encode(x) must be able to draw every z that model.prior can, and {called(q)} cannot. Take one "
            "without edges, such as Independent(Normal(mean, scale), 1)."
        )


def _support(p: Distribution) -> constraints.Constraint:
    """Where a prior, or a guess, is not zero."""
    if p.support is None:
        raise ValueError(f"a prior or guess must say where it is not zero: its `support` is None; got {called(p)}.")
    if isinstance(p, MixtureSameFamily) and not _endless(p.component_distribution):
        raise ValueError(
            "PyTorch does not know where a mixture of parts with edges is zero. Take parts without edges, such as "
            "Independent(Normal(mean, scale), 1)."
        )
    return p.support


def _endless(p: Distribution) -> bool:
    """Whether a density has no edge anywhere."""
    support = _support(p)
    while hasattr(support, "base_constraint"):
        support = support.base_constraint
    return support is constraints.real


def not_a_number() -> ValueError:
    """What is said where a model answers with NaN."""
    return ValueError(
        "P(x|z), or the guess Q(z|x), is NaN at codes that were drawn. Look at model.decode(z).mean and .variance for "
        "z from model.prior, and at model.encode(x).mean, where there is one."
    )


def no_slope(error: RuntimeError) -> Exception:
    """What is said of an error in differentiating a decoder: that it has no derivative, if that is the reason."""
    if not re.search("require grad|storage", str(error)):
        return error
    return ValueError(
        "model.decode has no derivative: is there a .detach(), a rounding or NumPy in it? evidence.monte_carlo and, "
        "with an encoder, evidence.importance do without."
    )


def too_steep() -> ValueError:
    """What is said where the landscape is steeper than numbers can hold."""
    return ValueError(
        "P(x|z) is so steep that its numbers overflow. Is sigma very small? Try the model in double precision "
        "(model.double()), if it is not, or a larger sigma."
    )


class Table:
    """Codes that serve every image: each is decoded once, and one matrix product scores all images at all codes.

    z (G, d); the product runs in `dtype`. `KEPT` of the budget for memory may keep the decoded codes; where they do not
    fit, `kept` is False, and they are decoded again for each call of `log_likelihood`.

    Raises:
        ValueError: When sigma changes with z: the product has no room for it.
    """

    @torch.no_grad()
    def __init__(self, model: Model, z: Tensor, dtype: torch.dtype = torch.float64) -> None:
        self.model, self.z, self.dtype, self.log_prior = model, z, dtype, log_prior(model, z)
        p = pixels(model, z[:16])  # drawn alone, the first would be rounded in another way than in a block
        self.first: Normal | Bernoulli = (
            Bernoulli(logits=p.logits[:1], validate_args=False)
            if isinstance(p, Bernoulli)
            else Normal(p.mean[:1], p.stddev[:1], validate_args=False)
        )
        width = self.first.mean.numel()
        self.kept = len(z) * width * dtype.itemsize <= KEPT * memory.BUDGET
        if self.kept:
            self.eta = torch.empty(len(z), width, dtype=dtype, device=z.device)
            self.log_p_0 = torch.empty(len(z), dtype=torch.float64, device=z.device)
            for some, eta, log_p_0 in self._decoded():
                self.eta[some], self.log_p_0[some] = eta, log_p_0

    def _decoded(self) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Block by block: which codes, their eta, and their log p(0)."""
        size, start = codes_at_once(self.first.mean), 0
        for z in self.z.split(size):
            p = pixels(self.model, z)
            if isinstance(p, Normal) and (p.variance != self.first.variance).any():
                raise ValueError("the decoder's sigma must be the same for all z; this one changes with z.")
            eta = natural(p).flatten(start_dim=1).to(self.dtype)
            if not eta.isfinite().all():
                raise not_a_number() if eta.isnan().any() else too_steep()
            yield slice(start, start + len(z)), eta, score_pixels(p, torch.zeros_like(p.mean))
            start += len(z)

    @torch.no_grad()
    def log_likelihood(self, x: Tensor) -> Tensor:
        """log P(x|z), (N, G), of images x (N, *image_shape) at all the codes."""
        flat = x.flatten(start_dim=1).to(self.dtype)
        scores = torch.empty(len(x), len(self.z), dtype=torch.float64, device=x.device)
        for some, eta, log_p_0 in [(slice(None), self.eta, self.log_p_0)] if self.kept else self._decoded():
            scores[:, some] = flat @ eta.T
            scores[:, some] += log_p_0
        # h(x) is the same at every z, so the first z tells it.
        exact = torch.cat([score_pixels(self.first, part) for part in x.split(codes_at_once(x))])
        return scores.add_((exact - scores[:, 0])[:, None])
