"""The model against SciPy, hand-derived values and autograd."""

import json
import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.integrate import quad

from vaecourse import VAE, measures


@pytest.fixture
def small():
    torch.manual_seed(1)
    return VAE(image_shape=(3, 4), latent_dim=2, hidden=(8,), sigma=0.3).eval()


@pytest.fixture
def x():
    return torch.rand(5, 3, 4, generator=torch.Generator().manual_seed(2))


def test_shapes_of_the_three_distributions(small, x):
    q, p = small.encode(x), small.decode(torch.zeros(7, 2))
    assert (q.batch_shape, q.event_shape) == ((5,), (2,))
    assert (p.batch_shape, p.event_shape) == ((7,), (3, 4))
    assert small.prior.event_shape == (2,)
    assert small.sigma == pytest.approx(0.3)
    assert p.mean.min() > 0 and p.mean.max() < 1


def test_log_densities_keep_their_constants(small, x):
    z = torch.tensor([[0.3, -1.2]])
    f = small.decode(z).mean[0].detach().numpy()
    ours = small.decode(z).log_prob(x[0]).item()
    assert ours == pytest.approx(stats.norm(f, small.sigma).logpdf(x[0].numpy()).sum(), rel=1e-5)
    assert small.prior.log_prob(z).item() == pytest.approx(stats.norm.logpdf(z.numpy()).sum(), rel=1e-5)
    q = small.encode(x)
    expected = stats.norm(q.mean.detach(), q.stddev.detach()).logpdf(z.numpy()).sum(-1)
    assert q.log_prob(z).detach().numpy() == pytest.approx(expected, rel=1e-4)


def test_kl_is_the_integral_it_stands_for(small, x):
    q = small.encode(x)
    kl = small.elbo_terms(x, torch.Generator().manual_seed(0)).kl[0].item()
    expected = 0.0
    for mean, sd in zip(q.mean[0].tolist(), q.stddev[0].tolist(), strict=True):
        law = stats.norm(mean, sd)
        integrand = lambda z, law=law: law.pdf(z) * (law.logpdf(z) - stats.norm.logpdf(z))  # noqa: E731
        expected += quad(integrand, mean - 12 * sd, mean + 12 * sd)[0]
    assert kl == pytest.approx(expected, abs=1e-5)


@pytest.mark.slow
def test_elbo_is_its_two_terms_and_averages_to_the_integral(small, x):
    terms = small.elbo_terms(x, torch.Generator().manual_seed(3))
    assert torch.equal(small.elbo(x, torch.Generator().manual_seed(3)), terms.log_likelihood - terms.kl)
    g = torch.Generator().manual_seed(4)
    draws = torch.stack([small.elbo_terms(x[:1], g).log_likelihood[0] for _ in range(4000)])
    q = small.encode(x[:1])
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    z1, z2 = np.meshgrid(nodes, nodes)
    grid = torch.tensor(np.stack([z1, z2], -1), dtype=torch.float32) * q.stddev + q.mean
    exact = (small.decode(grid).log_prob(x[0]).detach().numpy() * np.outer(weights, weights)).sum() / (2 * math.pi)
    assert draws.mean().item() == pytest.approx(exact, abs=5 * draws.std().item() / 4000**0.5)


def test_the_elbo_never_beats_the_evidence(small, x):
    """Averaged over its draws, against a plain sum over the plane."""
    line = torch.linspace(-7, 7, 281)
    grid = torch.stack(torch.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
    area = 0.05**2
    g = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for image in x:
            log_joint = small.decode(grid).log_prob(image) + small.prior.log_prob(grid)
            evidence = (log_joint.double().logsumexp(0) + math.log(area)).item()
            elbo = small.elbo(image.expand(4000, 3, 4), g).mean().item()
            assert elbo < evidence + 0.01


def test_same_seed_same_elbo_and_another_seed_another(small, x):
    draws = [small.elbo(x, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])


def test_learned_sigma_settles_at_the_root_mean_square_error(x):
    """The best sigma of a Gaussian is its root mean squared error (Rybkin et al. 2021, equation 5)."""
    torch.manual_seed(0)
    model = VAE(image_shape=(3, 4), hidden=(8,))
    error = x - 0.5
    optimizer = torch.optim.Adam([model.log_sigma], lr=0.05)
    for _ in range(300):
        loss = -torch.distributions.Normal(0.5, model.log_sigma.exp()).log_prob(x).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert model.sigma == pytest.approx(error.square().mean().sqrt().item(), rel=1e-3)
    assert "log_sigma" in dict(model.named_parameters())
    assert "log_sigma" not in dict(VAE(sigma=0.1).named_parameters())


def test_bernoulli_likelihood_sums_to_one_over_all_images():
    torch.manual_seed(0)
    model = VAE(image_shape=(2, 2), hidden=(4,), likelihood="bernoulli").eval()
    every = torch.tensor([[(n >> b) & 1 for b in range(4)] for n in range(16)], dtype=torch.float32).reshape(16, 2, 2)
    total = model.decode(torch.tensor([0.7, -0.4])).log_prob(every).exp().sum().item()
    assert total == pytest.approx(1, abs=1e-5)
    assert model.sigma is None
    assert torch.isfinite(model.elbo(every, torch.Generator().manual_seed(0))).all()


def test_no_guess_is_wider_than_the_prior(small):
    x = torch.rand(200, 3, 4, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        small.encoder.net[-1].bias += 40
    assert small.encode(x).stddev.max() <= 1
    assert torch.isfinite(small.elbo_terms(x, torch.Generator().manual_seed(0)).kl).all()


def test_numpy_images_and_one_image_are_welcome(small, x):
    assert torch.equal(small.encode(x.numpy()).mean, small.encode(x).mean)
    assert small.encode(x[0]).batch_shape == ()


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (torch.zeros(4, 12), "must be (N, 3, 4); got (4, 12). They were flattened: images.reshape(-1, 3, 4)"),
        (torch.zeros(4, 3, 4, dtype=torch.uint8), "images / 255"),
        (torch.full((4, 3, 4), 255.0), "Divide by 255"),
        (torch.full((4, 3, 4), -1.0), "scale them"),
        (torch.full((4, 3, 4), math.nan), "NaN"),
        (torch.full((4, 3, 4), math.inf), "infinity"),
        (torch.zeros(0, 3, 4), "empty"),
    ],
)
def test_wrong_images_get_a_sentence(small, images, says):
    for model in (small, small.train()):
        for look in (model.encode, model.elbo):
            with pytest.raises(ValueError, match="images") as error:
                look(images)
            assert says in str(error.value)


def test_greys_are_no_pixels_of_a_bernoulli():
    """Their cross-entropy is a number, but no log-density."""
    model = VAE((3, 4), hidden=(8,), likelihood="bernoulli")
    for look in (model.encode, model.elbo, lambda x: measures.mean_elbo(model, x)):
        with pytest.raises(ValueError, match=r"\(images > 0\.5\)\.float\(\)"):
            look(torch.full((2, 3, 4), 0.5))
    assert model.elbo(torch.ones(2, 3, 4)).isfinite().all()


@pytest.mark.parametrize("z", [torch.zeros(5, 3), torch.tensor(1.0)])
def test_wrong_codes_get_a_sentence(small, z):
    with pytest.raises(ValueError, match="2 coordinates"):
        small.decode(z)


@pytest.mark.parametrize(
    "settings",
    [
        {"image_shape": ()},
        {"image_shape": (0, 3)},
        {"latent_dim": 0},
        {"latent_dim": 2.5},
        {"hidden": (-1,)},
        {"hidden": (8, True)},
        {"hidden": "64"},
        {"latent_dim": math.nan},
        {"latent_dim": math.inf},
        {"latent_dim": "two"},
        {"likelihood": "poisson"},
        {"sigma": 0.0},
        *({"sigma": sigma} for sigma in (math.nan, "3", True, 1e-50, 1e50, 2j)),
        {"sigma": 0.1, "likelihood": "bernoulli"},
    ],
)
def test_wrong_settings_get_a_sentence(settings):
    with pytest.raises(ValueError, match="must be"):
        VAE(**settings)


def test_sizes_as_people_have_them():
    plain = VAE((3, 4), 2, hidden=(64,), sigma=0.5)
    for settings in (
        {"image_shape": np.array([3, 4]), "latent_dim": np.int64(2), "hidden": 64, "sigma": np.float32(0.5)},
        {"image_shape": [3.0, 4.0], "latent_dim": 2.0, "hidden": [np.int32(64)], "decoder_hidden": 64, "sigma": 0.5},
    ):
        model = VAE(**settings)
        assert model.config == plain.config and str(model) == str(plain)
        assert json.loads(json.dumps(model.config)), "it can be written down"


def test_a_guess_that_would_be_a_point_keeps_finite_densities(small, x):
    with torch.no_grad():
        small.encoder.net[-1].bias[2:] = -200.0
    q, z = small.encode(x), torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    assert q.stddev.min() > 0
    for found in (q.log_prob(q.mean), q.log_prob(z), *small.elbo_terms(x)):
        assert torch.isfinite(found).all()
    expected = stats.norm(q.mean.detach(), 1e-12).logpdf(q.mean.detach().numpy()).sum(-1)
    assert q.log_prob(q.mean).detach().numpy() == pytest.approx(expected, rel=1e-5)


def test_double_precision_all_the_way(small, x):
    single, z = small.elbo_terms(x, noise=torch.ones(5, 2)), torch.ones(7, 2)
    coarse = small.decode(z).mean
    small.double()
    q, p, terms = small.encode(x), small.decode(z), small.elbo_terms(x, noise=torch.ones(5, 2).double())
    assert {t.dtype for t in (q.mean, q.stddev, p.mean, small.prior.mean, *terms)} == {torch.float64}
    assert small.elbo(x, torch.Generator().manual_seed(0)).dtype == torch.float64
    torch.testing.assert_close(p.mean.float(), coarse)
    torch.testing.assert_close(terms.log_likelihood.float(), single.log_likelihood)


def test_results_are_whole_floats_where_products_are_halves(small, x):
    seen = []
    small.encoder.net[1].register_forward_hook(lambda *arguments: seen.append(arguments[-1].dtype))
    with torch.autocast("cpu", torch.bfloat16):
        q, p = small.encode(x), small.decode(torch.zeros(2, 2))
    assert seen == [torch.bfloat16] and {q.mean.dtype, q.stddev.dtype, p.mean.dtype} == {torch.float32}


class Convolutions(torch.nn.Module):
    """An encoder of pictures (N, 8, 8) that knows one axis before the picture's own, and dropout."""

    def __init__(self, smooth=torch.nn.GELU):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(1, 3, 3, 2, 1), smooth(), torch.nn.Flatten(), torch.nn.Dropout(), torch.nn.Linear(48, 4)
        )

    def forward(self, x):
        assert x.ndim == 3
        return self.layers(x[:, None])


def up():
    """A decoder of codes (N, 2) that ends in pictures (N, 8, 8)."""
    return torch.nn.Sequential(
        *(torch.nn.Linear(2, 16), torch.nn.Unflatten(1, (1, 4, 4)), torch.nn.ConvTranspose2d(1, 1, 2, 2)),
        torch.nn.Flatten(1, 2),
    )


def test_networks_of_your_own_stand_where_the_layers_would():
    torch.manual_seed(0)
    encoder, decoder = Convolutions(), up()
    before = torch.random.get_rng_state()
    model = VAE((8, 8), encoder=encoder, decoder=decoder, sigma=0.1)
    assert torch.equal(before, torch.random.get_rng_state()) and encoder.training, "looking at them changes nothing"
    model.eval()
    x, z = torch.rand(5, 8, 8), torch.randn(3, 4, 2)
    numbers = encoder(x).detach().numpy().astype(float)
    q = model.encode(x)
    assert q.mean.detach().numpy() == pytest.approx(numbers[:, :2], abs=1e-6)
    assert q.stddev.detach().numpy() == pytest.approx(1 / (1 + np.exp(-numbers[:, 2:])), abs=1e-6)
    torch.testing.assert_close(model.encode(x[1]).mean, q.mean[1])
    drawn = model.decode(z).mean
    torch.testing.assert_close(drawn[2], decoder(z[2]).sigmoid())
    torch.testing.assert_close(model.decode(z[2, 1]).mean, drawn[2, 1])
    assert {id(p) for p in encoder.parameters()} < {id(p) for p in model.parameters()}


@pytest.mark.parametrize(
    ("networks", "says"),
    [
        ({"encoder": torch.nn.Flatten()}, r"the encoder must turn \(2, 8, 8\) into \(2, 4\); got \(2, 64\)"),
        ({"decoder": torch.nn.Linear(2, 60)}, r"the decoder must turn \(2, 2\) into \(2, 8, 8\); got \(2, 60\)"),
        ({"decoder": torch.nn.LSTM(2, 64)}, r"the decoder must turn .*; got tuple"),
    ],
)
def test_networks_that_do_not_fit_get_a_sentence(networks, says):
    with pytest.raises(ValueError, match=says):
        VAE((8, 8), **networks)
