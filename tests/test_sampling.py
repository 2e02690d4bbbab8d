"""The estimators against the linear decoder, whose log P(x) SciPy knows, and a two-peaked one that SciPy integrates."""

import math

import numpy as np
import pytest
import torch
from decoders import PRIORS, Decoder, Linear, summed
from scipy import stats
from scipy.integrate import quad
from torch.distributions import (
    Categorical,
    Independent,
    Laplace,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    StudentT,
    Uniform,
)

from vaecourse import VAE, evidence
from vaecourse.evidence.draws import draw
from vaecourse.evidence.sampling import _PROPOSALS


def seeded(seed):
    return torch.Generator().manual_seed(seed)


ESTIMATORS = {
    "monte_carlo": lambda m, x, g: evidence.monte_carlo(m, x, 4000, generator=g),
    "encoder": lambda m, x, g: evidence.importance(m, x, 400, "encoder", generator=g),
    "defensive": lambda m, x, g: evidence.importance(m, x, 400, "defensive", generator=g),
    "laplace": lambda m, x, g: evidence.importance(m, x, 400, "laplace", generator=g),
    "annealed": lambda m, x, g: evidence.annealed(m, x, 60, 24, generator=g),
}


@pytest.mark.slow
@pytest.mark.parametrize("latent_dim", [2, 10])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_error_bars_cover_the_truth(name, latent_dim):
    """Over 300 images the z-scores spread as a standard normal's do: some 95 % within two errors, none far out."""
    # A mild decoder for those that look everywhere or walk: a starved estimator has no honest error bar.
    hard = name in ("encoder", "defensive", "laplace")
    # Many pixels, so that the posterior is nearly round and a diagonal guess can cover it.
    model = Linear(latent_dim, pixels=100, sigma=0.3) if hard else Linear(latent_dim, sigma=1.5)
    x = model.draw(300)
    got = ESTIMATORS[name](model, x, seeded(0))
    off = (got.log_p_x - model.log_p_x(x)) / got.error
    within = (off.abs() < 2).double().mean().item()
    assert 0.88 < within <= 1, within
    assert 0.5 < off.square().mean().sqrt().item() < 1.5
    assert abs(off.mean().item()) < 0.4 if name != "monte_carlo" else True, "images share the draws there"
    assert got.log_p_x.dtype == got.error.dtype == torch.float64
    assert got.error.median() < 0.25


@pytest.mark.parametrize("latent_dim", [2, 10])
def test_laplace_is_nearly_exact_on_a_linear_decoder(latent_dim):
    model = Linear(latent_dim, pixels=20, sigma=0.05)
    x = model.draw(20)
    got = evidence.importance(model, x, 2000, "laplace", generator=seeded(0))
    assert (got.log_p_x - model.log_p_x(x)).abs().max() < 0.25
    assert got.ess.min() > 200


def test_laplace_needs_no_encoder():
    model = Linear(3)
    x = model.draw(10)
    bare = Decoder(model.f, 3, model.sigma)
    got = evidence.importance(bare, x, 2000, "laplace", generator=seeded(0))
    assert (got.log_p_x - model.log_p_x(x)).abs().max() < 0.25


def test_two_peaks():
    """f depends on |z1|: a peak left and one right. SciPy does the integral, which splits into a product of two."""
    sigma = 0.1
    model = Decoder(lambda z: torch.stack([z[..., 0] ** 2, z[..., 1]], -1), 2, sigma)
    x = torch.tensor([[2.25, 0.4], [0.8, -1.0]])
    for image, got in zip(x, evidence.importance(model, x, 4000, "laplace", generator=seeded(0)).log_p_x, strict=True):
        a, b = image.tolist()
        first = quad(
            lambda z, a=a: stats.norm.pdf(a, z * z, sigma) * stats.norm.pdf(z), -6, 6, points=[-(a**0.5), a**0.5]
        )[0]
        second = stats.norm.pdf(b, 0, math.hypot(1, sigma))
        assert got.item() == pytest.approx(math.log(first * second), abs=0.05)


def test_monte_carlo_says_when_it_starves():
    model = Linear(2, pixels=40, sigma=0.005)
    x = model.draw(50)
    got = evidence.monte_carlo(model, x, 500, generator=seeded(0))
    assert got.ess.median() < 1.5
    assert (got.log_p_x < model.log_p_x(x) - 5).double().mean() > 0.8, "it must come out far too low"


@pytest.mark.slow
def test_iwae_rises_towards_the_truth():
    model = Linear(4, sigma=0.3)
    x = model.draw(40)
    means = [evidence.iwae(model, x, k, generator=seeded(0), repeats=40).log_p_x.mean().item() for k in (1, 5, 50)]
    truth = model.log_p_x(x).mean().item()
    assert means[0] < means[1] < means[2] < truth + 0.02
    gap = evidence.iwae(model, x, 1, generator=seeded(1), repeats=400)
    q, p = model.encode(x), model.posterior(x)
    widths = p.covariance_matrix.diagonal(dim1=-2, dim2=-1)
    trace = (torch.linalg.inv(p.covariance_matrix).diagonal(dim1=-2, dim2=-1) * q.variance).sum(-1)
    kl = 0.5 * (trace - 4 + torch.logdet(p.covariance_matrix) - q.variance.double().log().sum(-1))
    assert widths.min() > 0
    assert gap.log_p_x.mean().item() == pytest.approx(truth - kl.mean().item(), abs=0.05), "the gap is KL(Q || P(z|x))"
    assert gap.error.max() < 0.5


@pytest.mark.slow
def test_iwae_with_one_draw_is_the_elbo():
    torch.manual_seed(0)
    model = VAE(image_shape=(3, 3), hidden=(8,), sigma=0.4).eval()
    x = torch.rand(6, 3, 3, generator=seeded(0))
    bound = evidence.iwae(model, x, 1, generator=seeded(1), repeats=3000)
    with torch.no_grad():
        elbo = torch.stack([model.elbo(x, seeded(2 + i)) for i in range(3000)]).mean(0)
    assert bound.log_p_x == pytest.approx(elbo.double().numpy(), abs=0.15)


def test_bernoulli_pixels_too():
    torch.manual_seed(0)
    model = VAE(image_shape=(2, 3), hidden=(8,), likelihood="bernoulli").eval()
    x = (torch.rand(5, 2, 3, generator=seeded(0)) > 0.5).float()
    prior = evidence.monte_carlo(model, x, 50_000, generator=seeded(1))
    for name in ("encoder", "defensive", "laplace"):
        other = evidence.importance(model, x, 5000, name, generator=seeded(2))
        assert ((other.log_p_x - prior.log_p_x).abs() < 4 * other.error + 0.01).all()
        assert other.error.max() < 0.15
    assert (evidence.annealed(model, x, 50, 64, generator=seeded(3)).log_p_x - prior.log_p_x).abs().max() < 0.3


def test_annealing_reports_its_acceptance_and_all_count_their_decodes():
    model = Linear(3, sigma=0.5)
    x = model.draw(7)
    got = evidence.annealed(model, x, 50, 8, generator=seeded(0))
    assert ((got.acceptance > 0.3) & (got.acceptance < 0.95)).all()
    assert got.decodes == 7 * 8 * (50 + 1)
    assert evidence.monte_carlo(model, x, 5000, generator=seeded(0)).decodes == 5000
    assert evidence.importance(model, x, 100, generator=seeded(0)).decodes == 700
    assert evidence.importance(model, x, 100, "laplace", generator=seeded(0)).decodes > 700 + 512
    assert evidence.iwae(model, x, 10, generator=seeded(0), repeats=3).decodes == 210


@pytest.mark.parametrize("name", ESTIMATORS)
def test_same_seed_same_numbers(name):
    model = Linear(3, sigma=0.6)
    x = model.draw(5)
    a, b, c = (ESTIMATORS[name](model, x, seeded(s)).log_p_x for s in (0, 0, 1))
    assert torch.equal(a, b) and not torch.equal(a, c)


def test_memory_is_bounded_and_blocks_add_up():
    """More draws than fit into one block."""
    model = Linear(2, sigma=1.0)
    x = model.draw(3)
    got = evidence.monte_carlo(model, x, 20_000, generator=seeded(0))
    assert (got.log_p_x - model.log_p_x(x)).abs().max() < 5 * got.error.max()
    got = evidence.importance(model, x, 5000, generator=seeded(0))
    assert (got.log_p_x - model.log_p_x(x)).abs().max() < 5 * got.error.max()


def test_proposals_draw_from_what_they_score():
    """A weight is only right if z really comes from q: the mean of q's own density ratio to a known one must be 1."""
    model = Linear(2, sigma=0.5)
    x = model.draw(1)
    for make in _PROPOSALS.values():
        q, _, _ = make(model, x, seeded(0))
        z = draw(q, 60_000, seeded(1))
        inside = Independent(Normal(q.mean, 0.5 * q.variance.sqrt()), 1)
        ratio = (inside.log_prob(z.movedim(1, 0)) - q.log_prob(z.movedim(1, 0))).double().exp()
        assert ratio.mean().item() == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda m, x, g: evidence.monte_carlo(m, x, 0, generator=g), ValueError, "samples must be"),
        (lambda m, x, g: evidence.importance(m, x, 10, "encodr", generator=g), ValueError, "Did you mean 'encoder'"),
        (lambda m, x, g: evidence.importance(m, x, 10, generator=0), TypeError, "manual_seed"),
        (lambda m, x, g: evidence.annealed(m, x, steps=0, generator=g), ValueError, "steps must be"),
        (lambda m, x, g: evidence.iwae(m, x, 2.5, generator=g), ValueError, "k must be"),
        (lambda m, x, g: evidence.monte_carlo(m, x[:, :5], 10, generator=g), ValueError, "must be"),
        (lambda m, x, g: evidence.monte_carlo(m, x * math.nan, 10, generator=g), ValueError, "finite"),
    ],
)
def test_wrong_input_gets_a_sentence(call, error, says):
    model = Linear(2)
    with pytest.raises(error, match=says):
        call(model, model.draw(3), seeded(0))


def wider(q):
    """The same centre and width in other families: a draw that is not from q itself shows in the mean weight."""
    mean, sd = q.mean, 1.5 * q.stddev
    shared = MixtureSameFamily(
        Categorical(torch.ones(len(mean), 2)), Independent(Laplace(mean[:, None].expand(-1, 2, -1), sd[:, None]), 1)
    )
    return {
        "MultivariateNormal": MultivariateNormal(mean, (sd**2).diag_embed() + 0.3 * sd[..., None] * sd[:, None]),
        "Laplace": Independent(Laplace(mean, sd), 1),
        "StudentT": Independent(StudentT(torch.full_like(mean, 5.0), mean, sd), 1),
        "mixture of Laplace": shared,
    }


@pytest.mark.parametrize("name", ["MultivariateNormal", "Laplace", "StudentT", "mixture of Laplace"])
def test_an_encoder_of_any_kind_is_drawn_from_as_it_is(name):
    model = Linear(2, pixels=30, sigma=0.3)
    x, plain = model.draw(40), model.encode
    model.encode = lambda x: wider(plain(x))[name]
    state = torch.get_rng_state()
    got = evidence.importance(model, x, 2000, generator=seeded(0))
    assert torch.equal(torch.get_rng_state(), state), "the global state is as it was"
    off = (got.log_p_x - model.log_p_x(x)) / got.error
    assert off.square().mean().sqrt() < 1.6 and off.abs().max() < 5 and got.error.max() < 0.1
    assert torch.equal(evidence.importance(model, x, 2000).log_p_x, got.log_p_x), "no generator is one with seed 0"
    assert (evidence.iwae(model, x, 2000).log_p_x - model.log_p_x(x)).abs().max() < 0.3


@pytest.mark.parametrize("name", ["correlated", "mixture", "Laplace", "StudentT", "uniform"])
def test_any_prior_against_a_sum_over_the_plane(name):
    model = Decoder(lambda z: torch.stack([z[..., 0] + 0.2 * z[..., 1].sin(), z[..., 1], z.sum(-1) / 2], -1), 2, 0.5)
    flat = Independent(Uniform(-2 * torch.ones(2), 2 * torch.ones(2)), 1)
    model.prior = flat if name == "uniform" else PRIORS[name]
    model.encode = lambda x: Independent(Normal(torch.zeros(len(x), 2), 1.5), 1)
    x = torch.tensor([[0.5, 0.6, 0.8], [-1.0, 0.9, -1.2], [0.0, 0.1, 0.0]])
    truth = summed(model, x)
    found = [evidence.monte_carlo(model, x, 20_000), evidence.importance(model, x, 20_000)]
    slopes = [lambda: evidence.importance(model, x, 5000, "laplace"), lambda: evidence.annealed(model, x, 50, 200)]
    for estimate in slopes:
        if name == "uniform":
            with pytest.raises(ValueError, match="ends at an edge"):
                estimate()
        else:
            found.append(estimate())
    for got in found:
        assert ((got.log_p_x - truth).abs() < 4.5 * got.error + 0.01).all() and got.error.max() < 0.15
    with pytest.raises(ValueError, match="both normal"):
        evidence.importance(model, x, 10, "defensive")


def test_want_of_an_encoder_and_encoders_that_are_none_get_a_sentence():
    model = Decoder(lambda z: z, 2, 0.3)
    for estimate in (
        lambda: evidence.importance(model, torch.zeros(1, 2)),
        lambda: evidence.iwae(model, torch.zeros(1, 2), 3),
    ):
        with pytest.raises(TypeError, match="Decoder has none"):
            estimate()
    model.encode = lambda x: Normal(x, 1.0)
    with pytest.raises(ValueError, match=r"Independent\(…, 1\)"):
        evidence.importance(model, torch.zeros(1, 2))


def test_counts_and_pictures_from_numpy_do():
    model = Linear(2)
    x = model.draw(2)
    plain = evidence.monte_carlo(model, x, 50).log_p_x
    assert torch.equal(evidence.monte_carlo(model, x.double().numpy(), np.int64(50)).log_p_x, plain)
    assert evidence.annealed(model, x.numpy(), np.int64(3), np.int64(2)).decodes == 16
