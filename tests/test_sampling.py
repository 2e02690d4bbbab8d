"""The estimators against the linear decoder, whose log P(x) SciPy knows, and a two-peaked one that SciPy integrates."""

import math

import numpy as np
import pytest
import torch
from decoders import PRIORS, Decoder, Linear, summed
from scipy import stats
from scipy.integrate import quad
from torch.distributions import (
    AffineTransform,
    Beta,
    Categorical,
    Independent,
    Laplace,
    LogNormal,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    Poisson,
    StudentT,
    TransformedDistribution,
    Uniform,
)
from torch.utils.flop_counter import FlopCounterMode

from vaecourse import VAE, evidence, measures
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
    assert got.decodes == 2 * 7 * 8 * (50 + 1), "a gradient costs two"
    assert evidence.monte_carlo(model, x, 5000, generator=seeded(0)).decodes == 5000
    assert evidence.importance(model, x, 100, generator=seeded(0)).decodes == 700
    assert evidence.importance(model, x, 100, "laplace", generator=seeded(0)).decodes > 700 + 512
    assert evidence.iwae(model, x, 10, generator=seeded(0), repeats=3).decodes == 210


@pytest.mark.parametrize("name", ["encoder", "laplace", "annealed"])
def test_slopes_are_counted_as_what_they_cost(name):
    """Against the multiplications that PyTorch counts: who follows slopes must not look cheaper than who only draws."""

    def multiplications(run):
        with FlopCounterMode(display=False) as counter:
            result = run()
        return counter.get_total_flops(), result

    torch.manual_seed(0)
    model = VAE(image_shape=(8, 8), hidden=(64, 64), sigma=0.2).eval()
    x, z = torch.rand(6, 8, 8, generator=seeded(0)), torch.randn(100, 2, generator=seeded(1))
    with torch.no_grad():
        one = multiplications(lambda: model.decode(z))[0] / len(z)
    few = {"laplace": lambda: evidence.importance(model, x, 20, "laplace", generator=seeded(0))}  # mostly climbs
    took, got = multiplications(few.get(name, lambda: ESTIMATORS[name](model, x, seeded(0))))
    assert took / one / got.decodes == pytest.approx(1, abs=0.1)


def test_climbs_reach_the_top_in_many_dimensions():
    """Each axis bends by itself: without a guess to start from, a climb needs several steps to get there."""
    d = 24
    model = Decoder(lambda z: torch.cat([z, 0.3 * z.square(), z.sin()], -1), d, 0.1)
    x = model.f(torch.randn(5, d, generator=seeded(2)))
    got = evidence.importance(model, x, 500, "laplace", generator=seeded(0))
    truth = torch.zeros(5).double()
    axis = torch.linspace(-6, 6, 20_001, dtype=torch.float64)
    for i in range(d):  # the integral is a product of d
        three = torch.stack([axis, 0.3 * axis.square(), axis.sin()], -1)
        own = Normal(three, 0.1).log_prob(x[:, None, i::d].double()).sum(-1) + Normal(0, 1).log_prob(axis).double()
        truth += own.logsumexp(1) + math.log(axis[1] - axis[0])
    assert (got.log_p_x - truth).abs().max() < 0.5
    assert got.decodes_per_image.min() > 500 + 9 * (d + 2), "a climb takes more than its start"


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


EDGED = {  # guesses that cannot be drawn everywhere
    "uniform": lambda m, s: Independent(Uniform(m - s, m + s), 1),
    "stretched uniform": lambda m, s: Independent(
        TransformedDistribution(Uniform(0 * m, 0 * m + 1), [AffineTransform(m - s, 2 * s)]), 1
    ),
    "Beta": lambda m, s: Independent(Beta(2 + 0 * m, 2.0), 1),
    "log-normal": lambda m, s: Independent(LogNormal(m, s), 1),
    "whole numbers": lambda m, s: Independent(Poisson(s), 1),
    "a mixture": lambda m, s: MixtureSameFamily(
        Categorical(torch.ones(len(m), 1)), Independent(Uniform((m - s)[:, None], (m + s)[:, None]), 1)
    ),
}


@pytest.mark.parametrize("name", EDGED)
def test_a_guess_with_edges_is_refused_since_no_weight_makes_up_for_what_is_never_drawn(name):
    model = Linear(2, pixels=30, sigma=0.3)
    x, plain = model.draw(3), model.encode
    model.encode = lambda x: EDGED[name](plain(x).mean, plain(x).stddev)
    for estimate in (evidence.importance, evidence.iwae):
        with pytest.raises(ValueError, match=r"be able to draw every z|parts without edges"):
            estimate(model, x, 10)


def test_a_guess_with_the_edges_of_the_prior_does():
    model = Decoder(lambda z: z, 2, 0.3)
    model.prior = Independent(Beta(2 * torch.ones(2), 2 * torch.ones(2)), 1)
    model.encode = lambda x: Independent(Uniform(torch.zeros(len(x), 2), torch.ones(len(x), 2)), 1)
    x = torch.tensor([[0.3, 0.4]])
    got, other = evidence.importance(model, x, 5000), evidence.monte_carlo(model, x, 5000)
    assert got.log_p_x.item() == pytest.approx(other.log_p_x.item(), abs=4 * (got.error + other.error).item())


@pytest.mark.parametrize("double", [False, True])
def test_a_guess_too_narrow_for_its_numbers_is_no_sure_answer(double):
    """All draws would be rounded to one code: weights that agree perfectly, and a P(x) that is far too small."""
    torch.manual_seed(0)
    model = VAE((3, 3), hidden=(8,), sigma=0.3).eval()
    with torch.no_grad():
        model.encoder.net[-1].bias[2:] = -200.0
    x = torch.rand(2, 3, 3, generator=seeded(0))
    if double:
        assert evidence.importance(model.double(), x, 100).error.min() > 0.3
    else:
        with pytest.raises(ValueError, match=r"rounded to one.*model\.double\(\)"):
            evidence.importance(model, x, 100)
    truth = evidence.quadrature(model, x)
    got = evidence.importance(model, x, 4000, "laplace")
    assert truth.converged.all() and ((got.log_p_x - truth.log_p_x).abs() < 4 * got.error).all()


@pytest.mark.parametrize("learnt", [False, True])
def test_parts_of_a_prior_that_lie_far_apart_are_all_found(learnt):
    """The best of the prior's draws are all of one part; the other holds a quarter of P(x)."""
    model = Decoder(lambda z: torch.stack([z[..., 0] + 0.2 * z[..., 1].sin(), z[..., 1], z.sum(-1) / 2], -1), 2, 0.5)
    means = torch.tensor([[0.61, 0.55], [-1.1, 0.93]], requires_grad=learnt)
    model.prior = MixtureSameFamily(Categorical(torch.ones(2)), Independent(Normal(means, 0.03), 1))
    x = torch.tensor([[0.0, 0.1, 0.0]])
    truth = evidence.quadrature(model, x)
    got = evidence.importance(model, x, 2000, "laplace")
    assert got.log_p_x.item() == pytest.approx(truth.log_p_x.item(), abs=0.03)
    for value in (truth.log_p_x, got.log_p_x, evidence.annealed(model, x, 3, 2).log_p_x):
        assert not value.requires_grad, "numbers, whose graph nobody keeps"


class Flow(TransformedDistribution):
    """PyTorch does not know the mean of such a thing."""

    mean = torch.ones(2)


@pytest.mark.parametrize("distribution", [TransformedDistribution, Flow])
def test_a_flow_as_prior_and_as_guess(distribution):
    model = Decoder(lambda z: torch.cat([z, z.sum(-1, keepdim=True)], -1), 2, 0.5)
    half = Independent(Normal(torch.zeros(2), torch.ones(2)), 1)
    model.prior = distribution(half, [AffineTransform(torch.ones(2), 0.5 * torch.ones(2), event_dim=1)])
    model.encode = lambda x: TransformedDistribution(half, [AffineTransform(x[:, :2], 0.5 * torch.ones(2), 1)])
    x = torch.tensor([[0.5, 0.6, 0.9], [1.0, 0.9, 2.2]])
    estimates = [evidence.importance, lambda *a: evidence.importance(*a, "laplace"), evidence.monte_carlo]
    for estimate in [*estimates, lambda m, x, n: evidence.annealed(m, x, 50, 100)]:
        if distribution is Flow:
            got = estimate(model, x, 10_000)
            model_p = MultivariateNormal(torch.tensor([1.0, 1, 2]), COVARIANCE_OF_THE_FLOW)
            assert ((got.log_p_x - model_p.log_prob(x)).abs() < 4 * got.error + 0.01).all()
        else:
            with pytest.raises(ValueError, match=r"must have a finite mean.*mean = torch.zeros\(2\)"):
                estimate(model, x, 10)


COVARIANCE_OF_THE_FLOW = 0.25 * torch.tensor([[1.0, 0, 1], [0, 1, 1], [1, 1, 2]]) + 0.25 * torch.eye(3)


def test_a_mixture_of_parts_with_edges_is_no_prior_of_which_PyTorch_knows_where_it_is_zero():
    model = Linear(2)
    model.prior = MixtureSameFamily(
        Categorical(torch.ones(2)), Independent(Uniform(torch.tensor([[-1.0, -1], [0, 0]]), torch.ones(2, 2)), 1)
    )
    for estimate in (evidence.importance, evidence.monte_carlo):
        with pytest.raises(ValueError, match="parts without edges"):
            estimate(model, model.draw(2), 10)


@pytest.mark.parametrize("kind", ["Normal of one's own", "Independent of one's own"])
def test_pixels_that_may_score_as_they_like_are_refused(kind):
    normal = (
        type("Truncated", (Normal,), {})(torch.zeros(1, 4), 1.0) if "Normal" in kind else Normal(torch.zeros(1, 4), 1.0)
    )
    independent = Independent if "Normal" in kind else type("Mine", (Independent,), {})
    model = Linear(2)
    model.decode = lambda z: independent(normal, 1)
    with pytest.raises(TypeError, match="Independent of Normal or Bernoulli pixels"):
        evidence.monte_carlo(model, torch.zeros(1, 4), 10)


NET = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.BatchNorm1d(4))
ODD = {
    "draws": (lambda z: z + torch.randn(z.shape), "two answers for one code"),
    "hides batch norm": (
        lambda z: NET(z) if len(z) > 1 else NET(torch.cat([z, z + 1]))[:1],
        "two answers for one code",
    ),
    "NumPy": (lambda z: torch.from_numpy(z.detach().numpy()), "model.decode has no derivative"),
    "detached": (lambda z: z.detach(), "model.decode has no derivative"),
    "NaN": (lambda z: z * torch.nan, r"NaN at codes that were drawn. Look at model\.decode"),
    "NaN here and there": (lambda z: z.where(z < 1, torch.nan), r"NaN at codes that were drawn. Look at model\.decode"),
}


@pytest.mark.parametrize("method", ["annealed", "laplace", "monte_carlo", "quadrature"])
@pytest.mark.parametrize("name", ODD)
def test_decoders_of_ones_own_that_are_none_get_a_sentence(name, method):
    f, says = ODD[name]
    model = Decoder(f, 2, 0.3)
    model.decode = lambda z: Independent(Normal(f(z), 0.3, validate_args=False), 1)
    x = torch.zeros(2, 4 if "batch" in name else 2)
    estimate = {"quadrature": evidence.quadrature} | ESTIMATORS
    smooth = method == "monte_carlo" or (
        name == "detached" and method != "annealed"
    )  # else slopes only guide the search
    if smooth and "derivative" in says:
        assert evidence.monte_carlo(model, x, 100).log_p_x.isfinite().all()
    else:
        with pytest.raises(ValueError, match=says):
            estimate[method](model, x, *([] if method == "quadrature" else [seeded(0)]))


class Noisy(torch.nn.Module):
    """Layers of one's own that behave differently while they learn."""

    def __init__(self, into, out):
        super().__init__()
        batch = torch.nn.BatchNorm1d(16)
        self.layers = torch.nn.Sequential(
            *(torch.nn.Flatten(), torch.nn.Linear(into, 16), batch, torch.nn.Tanh(), torch.nn.Dropout()),
            torch.nn.Linear(16, out),
        )

    def forward(self, x):
        return self.layers(x)


MEASURES = {
    "quadrature": lambda m, x: evidence.quadrature(m, x).log_p_x,
    "modes": lambda m, x: evidence.modes(m, x).height[:, 0],
    "monte_carlo": lambda m, x: evidence.monte_carlo(m, x, 50).log_p_x,
    "importance": lambda m, x: evidence.importance(model=m, x=x, samples=50).log_p_x,
    "iwae": lambda m, x: evidence.iwae(m, x, 5).log_p_x,
    "annealed": lambda m, x: evidence.annealed(m, x, 5, 2).log_p_x,
    "posterior_maps": lambda m, x: evidence.posterior_maps(m, x[0], torch.zeros(3, 2), 0.0).log_posterior,
    "PlaneTable": lambda m, x: evidence.PlaneTable(m).log_integrand(x)[:, ::999],
    "codes": measures.codes,
    "mean_elbo": lambda m, x: torch.tensor(measures.mean_elbo(m, x)),
    "reconstruction_mse": lambda m, x: torch.tensor(measures.reconstruction_mse(m, x)),
}


@pytest.mark.parametrize("name", MEASURES)
def test_a_model_that_is_still_in_training_mode_is_measured_without_it_and_stays_in_it(name):
    torch.manual_seed(0)
    model = VAE((3, 3), encoder=Noisy(9, 4), decoder=Noisy(2, 9), sigma=0.3)
    x = torch.rand(4, 3, 3, generator=seeded(0))
    model.encoder.net.layers[2].eval()  # a layer that somebody has frozen stays so
    before = [(layer.training, str(layer)) for layer in model.modules()]
    got = MEASURES[name](model, x)
    assert [(layer.training, str(layer)) for layer in model.modules()] == before
    assert torch.equal(got, MEASURES[name](model.eval(), x))
    assert not got.requires_grad


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
    for fifty in (np.int64(50), 50.0, np.float32(50), torch.tensor(50)):
        assert torch.equal(evidence.monte_carlo(model, x.double().numpy(), fifty).log_p_x, plain)
    for none in (0, -3, 2.5, True, "3", None, math.nan):
        with pytest.raises(ValueError, match="samples must be a whole number"):
            evidence.log_weights(model, x, model.encode(x), none)
    assert evidence.annealed(model, x.numpy(), np.int64(3), np.int64(2)).decodes == 32
