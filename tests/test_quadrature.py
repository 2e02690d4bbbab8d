"""Quadrature against closed forms, against SciPy, and against a brute-force sum that shares nothing with it."""

import copy
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from conftest import ROOT
from decoders import PRIORS, Decoder, Linear, brute_force, summed
from scipy import stats
from scipy.integrate import quad
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal, Uniform

from vaecourse import VAE, evidence, interpolation, load_pretrained, memory

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("sigma", [1.0, 0.3, 0.03, 0.003])
def test_linear_decoders_from_broad_posteriors_to_needles(sigma):
    model = Linear(2, pixels=20, sigma=sigma)
    x = model.draw(30)
    got = evidence.quadrature(model, x)
    # The decoder works in float32: what it cannot say more exactly, nobody can add up more exactly.
    assert (got.log_p_x - model.log_p_x(x)).abs().max() < (1e-3 if sigma > 0.01 else 0.05)
    assert got.log_p_x.dtype == torch.float64
    assert got.decodes_per_image.max() <= 550 and got.decodes == got.shared_decodes + got.decodes_per_image.sum()
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


def test_a_second_lattice_mends_what_one_cannot_add_up():
    """Two peaks that have nearly met: one lattice is off by 6e-3 nats, and says so; with a second all is well."""
    sigma = 0.1
    model = Decoder(lambda z: torch.stack([z[..., 0] ** 2, z[..., 1]], -1), 2, sigma)
    got = evidence.quadrature(model, torch.tensor([[0.0, -1.0]]))
    first = quad(lambda z: stats.norm.pdf(z * z, 0, sigma) * stats.norm.pdf(z), -4, 4, points=[0.0])[0]
    truth = math.log(first * stats.norm.pdf(-1, 0, math.hypot(1, sigma)))
    assert got.converged[0] and got.log_p_x[0].item() == pytest.approx(truth, abs=1e-3)


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
    with pytest.raises(ValueError, match="so steep that its numbers overflow"):
        evidence.quadrature(model, Linear(2).draw(2))


@pytest.mark.parametrize("sigma", [0.3, 1e-3])
def test_what_a_decoder_rounds_is_part_of_the_error(sigma):
    """In float32 the drawings are off in their last digits, which a small sigma blows up to whole nats."""
    torch.manual_seed(0)
    model = VAE((6, 6), hidden=(8,), sigma=sigma).eval()
    x = torch.rand(8, 6, 6, generator=torch.Generator().manual_seed(0))
    coarse = evidence.quadrature(model, x)
    fine = evidence.quadrature(model.double(), x)
    off = (coarse.log_p_x - fine.log_p_x).abs()
    assert fine.converged.any() and (off < 2 * coarse.error + fine.error + 1e-3)[fine.converged].all()
    assert coarse.converged.all() if sigma == 0.3 else not coarse.converged.any()


def test_a_decoder_that_jumps_is_not_called_added_up():
    """Slopes know nothing of its jumps, and lattices of a step nearly as long step over them alike."""
    model = Decoder(lambda z: torch.stack([z[..., 0], z[..., 1], z.sum(-1)], -1).round(), 2, 0.3)
    x = torch.tensor([[0.5, 0.6, 0.8], [0.0, 0.1, 0.0]])
    got = evidence.quadrature(model, x)
    assert not got.converged.any() and ((got.log_p_x - summed(model, x, step=0.01)).abs() < got.error).all()


def test_a_sigma_that_float32_cannot_square_works_in_double_precision():
    model = VAE((6, 6), hidden=(8,), sigma=1e-20).eval()
    x = torch.rand(2, 6, 6, generator=torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match=r"model\.double\(\)"):
        evidence.quadrature(model, x)
    found = evidence.quadrature(model.double(), x)
    assert found.log_p_x.isfinite().all() and not found.converged.any()


def changed_prior(model):
    parts = Independent(Normal(torch.tensor([[0.0, 0], [3, 3]]), torch.tensor([[1.0], [0.2]])), 1)
    model = copy.copy(model)
    model.prior = MixtureSameFamily(Categorical(torch.tensor([0.99, 0.01])), parts)
    return model


def test_a_table_of_another_prior_is_noticed_and_so_is_what_is_no_table():
    model = Linear(2)
    x, table = model.draw(2), evidence.PlaneTable(model)
    with pytest.raises(ValueError, match="made from another model"):
        evidence.quadrature(changed_prior(model), x, table)
    for wrong in (True, "table", x):
        with pytest.raises(TypeError, match=r"must be an evidence\.PlaneTable"):
            evidence.modes(model, x, wrong)


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
        (VAE(image_shape=(2, 2)), torch.full((1, 2, 2), 200.0), "Divide by 255"),
        (VAE(image_shape=(2, 2), likelihood="bernoulli"), torch.full((1, 2, 2), 0.5), "hold greys"),
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
    assert got.decodes_per_image.max() <= 550
    assert off.median() < 1e-3
    assert (off[got.converged] < 1e-3).all() and got.converged.double().mean() > 0.8, off


@pytest.mark.parametrize("name", ["correlated", "mixture", "Laplace", "StudentT"])
def test_any_smooth_prior_against_a_sum_over_the_plane(name):
    model = Decoder(lambda z: torch.stack([z[..., 0] * z[..., 1], z[..., 0].sin(), z[..., 1]], -1), 2, 0.2)
    model.prior = PRIORS[name]
    x = torch.tensor([[0.5, 0.6, 0.8], [-1.0, 0.9, -1.2], [0.0, 0.1, 0.0]])
    got, truth = evidence.quadrature(model, x), summed(model, x)
    off = (got.log_p_x - truth).abs()
    assert off.max() < (0.02 if name == "Laplace" else 1e-3), "a lattice does not like the edges of a Laplace density"
    assert (off <= 3 * got.error + 1e-3).all()
    maps = evidence.posterior_maps(model, x[0], torch.tensor([[0.3, 0.4]]), 0.0)
    assert maps.log_prior.item() == pytest.approx(model.prior.log_prob(torch.tensor([0.3, 0.4])).item(), abs=1e-5)


@pytest.mark.parametrize(
    ("prior", "says"),
    [
        (Independent(Uniform(-torch.ones(2), torch.ones(2)), 1), "ends at an edge"),
        (Normal(torch.zeros(2), torch.ones(2)), "event shape"),
        (PRIORS["mixture"].expand((3,)), "batch shape"),
        (PRIORS["needles"], "narrower somewhere"),
    ],
)
def test_a_prior_that_quadrature_cannot_take_gets_a_sentence(prior, says):
    model = Linear(2)
    model.prior = prior
    with pytest.raises(ValueError, match=says):
        evidence.quadrature(model, torch.zeros(1, 12))


def test_a_table_of_another_model_or_of_before_more_training_is_noticed():
    torch.manual_seed(0)
    model, other = (VAE(image_shape=(3, 3), hidden=(8,), sigma=0.2).eval() for _ in range(2))
    x, table = torch.rand(1, 3, 3), evidence.PlaneTable(model)
    evidence.quadrature(model, x, table)
    for use in (evidence.quadrature, evidence.modes):
        with pytest.raises(ValueError, match="made from another model"):
            use(other, x, table)
    with torch.no_grad():
        next(model.decoder.parameters()).mul_(1.01)
    with pytest.raises(ValueError, match="trained further"):
        evidence.quadrature(model, x, table)
    plane = Linear(2)
    table = evidence.PlaneTable(plane)
    plane.sigma = 0.31
    with pytest.raises(ValueError, match="made from another model"):
        evidence.modes(plane, plane.draw(1), table)


def test_a_table_that_is_not_kept_gives_the_same_and_counts_its_decodes(monkeypatch):
    model = Linear(2, sigma=0.3)
    x = model.draw(7)
    roomy = evidence.quadrature(model, x)
    monkeypatch.setattr(memory, "BUDGET", 2**21)  # no room for drawings of all codes, nor for seven images at once
    monkeypatch.setattr("vaecourse.evidence.integrand.KEPT", 0.1)
    table = evidence.PlaneTable(model)
    passed, plain = [], model.decode
    model.decode = lambda z: passed.append(len(z)) or plain(z)
    tight = evidence.quadrature(model, x, table)
    assert not table.kept and (tight.log_p_x - roomy.log_p_x).abs().max() < 1e-6
    passes = tight.shared_decodes / 161**2
    assert passes == int(passes) > 1
    assert passed.count(1) <= 1 + len(x) and sum(passed) <= tight.decodes * 1.05, "jvp decodes along all axes at once"
    monkeypatch.setattr(memory, "BUDGET", 2000)
    with pytest.raises(MemoryError, match=r"vaecourse.memory.BUDGET = \d+"):
        evidence.quadrature(model, x)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells a process its own peak")
@pytest.mark.parametrize("row", ["quadrature 28 64", "quadrature 64 2", "encoder 128 1", "geodesic 28 64"])
def test_memory_stays_below_300_mb(row):
    command = [sys.executable, str(ROOT / "benchmarks/memory.py"), "--one", *row.split()]
    assert float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) < 300


def test_nothing_is_made_on_another_device():
    """With another device for whatever names none, every such tensor clashes with the model's."""
    torch.manual_seed(0)
    model, g = VAE(image_shape=(3, 3), hidden=(8,), sigma=0.3).eval(), torch.Generator().manual_seed(0)
    x, f = torch.rand(2, 3, 3), lambda z: model.decode(z).mean
    z, table = torch.rand(4, 2), evidence.PlaneTable(model)
    torch.set_default_device("meta")
    try:
        evidence.modes(model, x, table)
        found = [evidence.importance(model, x, 20, p, generator=g) for p in ("encoder", "defensive", "laplace")]
        found += [evidence.monte_carlo(model, x, 20, generator=g), evidence.annealed(model, x, 3, 2, generator=g)]
        found += [evidence.iwae(model, x, 5, repeats=2), evidence.quadrature(model, x)]
        evidence.posterior_maps(model, x[0], z, 0.0)
        for path in (interpolation.lerp(z[0], z[1], 3), interpolation.slerp(z[:2], z[2:], 4)):
            assert path.device.type == "cpu"
            interpolation.path_energy(f, interpolation.constant_speed(f, path))
        interpolation.magnification(f, z)
        interpolation.crossfade(x[0], x[1], 3)
        interpolation.geodesic(interpolation.density_aware(f, z), z[:2], z[2:], 5)
    finally:
        torch.set_default_device(None)
    for estimate in found:
        assert estimate.log_p_x.device.type == estimate.decodes_per_image.device.type == "cpu"


def test_maps_are_of_one_picture():
    model = Linear(2)
    for x, log_p_x, says in ((model.draw(2), 0.0, "one picture"), (model.draw(1)[0], torch.zeros(2), "one number")):
        with pytest.raises(ValueError, match=says):
            evidence.posterior_maps(model, x, torch.zeros(2, 2), log_p_x)


def test_what_is_no_model_gets_a_sentence():
    with pytest.raises(TypeError, match=r"decode.*prior.*latent_dim"):
        evidence.quadrature(torch.nn.Linear(2, 3), torch.zeros(1, 3))
    model = Linear(2)
    model.decode = lambda z: Normal(model.f(z), 1.0)
    with pytest.raises(TypeError, match="Independent of Normal or Bernoulli"):
        evidence.quadrature(model, torch.zeros(1, 12))
    model.decode = lambda z: Independent(Normal(model.f(z), 1.0), 2)
    with pytest.raises(ValueError, match="one picture a code"):
        evidence.quadrature(model, torch.zeros(1, 12))
