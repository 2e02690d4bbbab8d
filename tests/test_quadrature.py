"""Quadrature against closed forms, against SciPy, and against a brute-force sum that shares nothing with it."""

import math

import pytest
import torch
from decoders import Decoder, Linear, brute_force
from scipy import stats
from scipy.integrate import quad
from torch.distributions import Independent, Normal

from vaecourse import VAE, evidence, load_pretrained


@pytest.mark.parametrize("sigma", [1.0, 0.3, 0.03, 0.003])
def test_linear_decoders_from_broad_posteriors_to_needles(sigma):
    model = Linear(2, pixels=20, sigma=sigma)
    x = model.draw(30)
    got = evidence.quadrature(model, x)
    # The decoder works in float32: what it cannot say more exactly, nobody can add up more exactly.
    assert (got.log_p_x - model.log_p_x(x)).abs().max() < (1e-3 if sigma > 0.01 else 0.05)
    assert got.log_p_x.dtype == torch.float64
    assert got.decodes_per_image.max() <= 500 and got.decodes == got.shared_decodes + got.decodes_per_image.sum()
    if sigma > 0.01:
        assert got.converged.all() and ((got.log_p_x - model.log_p_x(x)).abs() <= got.error + 1e-4).all()


def test_codes_far_outside_the_prior_are_found():
    """Pictures from z as far out as 11: a grid on +-4 would lose dozens of nats."""
    model = Linear(2, pixels=20, sigma=0.1)
    z = torch.tensor([[6.0, 0.0], [0.0, -9.0], [8.0, 7.0], [-11.0, 0.5]])
    x = model.f(z)
    assert (evidence.quadrature(model, x).log_p_x - model.log_p_x(x)).abs().max() < 1e-3


def test_several_peaks_near_and_far():
    """f = (z1^2, z2): two peaks at +-sqrt(a), which meet as a goes to 0. The integral is a product of two."""
    sigma = 0.1
    model = Decoder(lambda z: torch.stack([z[..., 0] ** 2, z[..., 1]], -1), 2, sigma)
    x = torch.tensor([[2.25, 0.4], [0.8, -1.0], [0.2, 0.0], [0.1, 0.0], [0.05, 0.3], [0.02, 0.0], [0.0, 0.0]])
    got = evidence.quadrature(model, x)
    for (a, b), value, sure in zip(x.tolist(), got.log_p_x.tolist(), got.converged.tolist(), strict=True):
        first = quad(
            lambda z, a=a: stats.norm.pdf(a, z * z, sigma) * stats.norm.pdf(z),
            -6,
            6,
            points=sorted({-(a**0.5), 0.0, a**0.5}),
        )[0]
        truth = math.log(first * stats.norm.pdf(b, 0, math.hypot(1, sigma)))
        assert not sure or value == pytest.approx(truth, abs=1e-3)
        assert value == pytest.approx(truth, abs=0.05)
    assert got.converged[:2].all()
    assert (evidence.modes(model, x).real.sum(1)[:2] == 2).all()


def test_it_says_when_it_has_not_converged():
    """A ring of good codes, as thin as a hair: no lattice of 500 nodes can add it up, and none may claim to."""
    model = Decoder(lambda z: z.norm(dim=-1, keepdim=True) * torch.ones(50), 2, 0.02)
    x = 2.0 * torch.ones(1, 50)
    got = evidence.quadrature(model, x)
    truth = math.log(
        quad(lambda r: math.exp(-50 * (r - 2) ** 2 / (2 * 0.02**2)) * r * math.exp(-r * r / 2), 1.9, 2.1, points=[2])[0]
    ) - 50 * math.log(0.02 * math.sqrt(2 * math.pi))
    assert not got.converged[0] and got.error[0] > 0.01
    assert abs(got.log_p_x[0].item() - truth) > 0.01, "if this can be added up now, ask for more"


def test_a_peak_that_no_climb_found_is_reported():
    """Dozens of equal peaks, five of which are climbed: the table sees the rest."""
    model = Decoder(lambda z: torch.sin(4 * z), 2, 0.05)
    x = torch.tensor([[0.5, 0.5]])
    got = evidence.quadrature(model, x)
    assert not got.converged[0] and got.error[0] > 1


def test_a_sigma_too_small_for_float32_gets_a_sentence():
    model = Linear(2, sigma=1e-20)
    with pytest.raises(ValueError, match="so steep that float32 overflows"):
        evidence.quadrature(model, Linear(2).draw(2))


def test_bernoulli_pixels():
    torch.manual_seed(0)
    model = VAE(image_shape=(2, 3), hidden=(8,), likelihood="bernoulli").eval()
    with torch.no_grad():
        model.decoder.net[0].weight *= 4  # something to find
    every = torch.tensor([[(n >> b) & 1 for b in range(6)] for n in range(64)], dtype=torch.float32).reshape(64, 2, 3)
    got = evidence.quadrature(model, every)
    assert got.error.max() < 0.05
    assert got.log_p_x.exp().sum().item() == pytest.approx(1, abs=1e-3), "64 images are all there are"


def test_maps_are_the_three_factors_and_the_posterior_adds_up():
    model = Linear(2, sigma=0.5)
    x = model.draw(1)
    line = torch.linspace(-6, 6, 401)
    z = torch.cartesian_prod(line, line)
    log_p_x = evidence.quadrature(model, x).log_p_x[0]
    maps = evidence.posterior_maps(model, x[0], z, log_p_x)
    assert torch.equal(maps.log_integrand, maps.log_prior + maps.log_likelihood) or torch.allclose(
        maps.log_integrand, maps.log_prior + maps.log_likelihood
    )
    assert (maps.log_posterior.exp().sum() * 0.03**2).item() == pytest.approx(1, abs=1e-4)
    expected = model.posterior(x).log_prob(z.double())
    near = expected > expected.max() - 20
    assert torch.allclose(maps.log_posterior[near], expected[near], atol=1e-3)


def test_the_map_is_the_top_of_the_posterior():
    model = Linear(2, sigma=0.2)
    x = model.draw(70)
    peaks = evidence.modes(model, x)
    exact = model.posterior(x)
    assert torch.allclose(peaks.z[:, 0], exact.mean, atol=1e-3)
    assert torch.allclose(peaks.covariance[:, 0], exact.covariance_matrix.expand(70, 2, 2), rtol=1e-3, atol=1e-7)


def test_a_table_made_before_gives_the_same():
    model = Linear(2, sigma=0.3)
    x = model.draw(3)
    table = evidence.PlaneTable(model)
    assert torch.equal(evidence.quadrature(model, x, table).log_p_x, evidence.quadrature(model, x).log_p_x)


@pytest.mark.parametrize(
    ("model", "x", "says"),
    [
        (Linear(3), torch.zeros(1, 12), "needs a latent plane.*evidence.importance"),
        (Linear(2), torch.zeros(1, 5), "must be"),
        (Linear(2), torch.full((1, 12), math.nan), "finite"),
        (VAE(image_shape=(2, 2)), torch.full((1, 2, 2), 9.0), "Divide by 255"),
    ],
)
def test_wrong_input_gets_a_sentence(model, x, says):
    with pytest.raises(ValueError, match=says):
        evidence.quadrature(model, x)


def test_a_decoder_whose_sigma_changes_is_refused():
    class Odd(Linear):
        def decode(self, z):
            return Independent(Normal(self.f(z), 0.1 + z[..., :1].abs().expand(*z.shape[:-1], 12)), 1)

    with pytest.raises(ValueError, match="same for all z"):
        evidence.quadrature(Odd(2), torch.zeros(1, 12))


def test_the_shipped_model_on_test_images_against_brute_force(mnist):
    """Twelve images spread over the test set, and the test image whose code lies farthest out."""
    model = load_pretrained("mnist-2d")
    images = torch.as_tensor(mnist["test"].images)
    with torch.no_grad():
        far = model.encode(images).mean.norm(dim=1).argmax().item()
    chosen = images[[*range(7, 10_000, 840), far]]
    got = evidence.quadrature(model, chosen)
    off = (got.log_p_x - brute_force(model, chosen)).abs()
    assert got.decodes_per_image.max() <= 500
    assert off.median() < 1e-3
    assert (off[got.converged] < 1e-3).all() and got.converged.double().mean() > 0.8, off
