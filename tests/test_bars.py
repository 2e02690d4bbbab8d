"""Three pixels: the bars against closed forms, sums and SciPy, and that a model learns from them."""

from hashlib import sha256

import numpy as np
import pytest
import torch
from scipy.integrate import dblquad
from scipy.special import logsumexp
from scipy.stats import norm

from vaecourse import VAE, evidence, fit, load_dataset
from vaecourse.data import bars
from vaecourse.data.bars import World, draw, sample
from vaecourse.interpolation import jacobian

WORLDS = [World(), World("ink"), World("width"), World("ink", width=0.9, sigma=0.1)]


def log_normal(x, mean=0.0, sd=1.0):
    return -0.5 * ((x - mean) / sd) ** 2 - np.log(sd * np.sqrt(2 * np.pi))


def height(world, x, z1, z2=None):
    """log N(x; f(z), sigma²) N(z; 0, I), written down a second time: in NumPy, for any number of codes."""
    ink, width = 1.0, world.width
    if world.second is not None:
        share = 1 / (1 + np.exp(-1.7 * z2))
        ink, width = (share, width) if world.second == "ink" else (ink, 0.35 + 0.6 * share)
    total = sum(log_normal(z) for z in (z1, z2) if z is not None)
    for cell, pixel in zip((-1, 0, 1), x, strict=True):
        mean = 0.1 + 0.8 * ink * np.exp(-0.5 * ((1.5 * z1 - cell) / width) ** 2)
        total = total + log_normal(pixel, mean, world.sigma)
    return total


def log_p_x(world, x, step=0.01):
    """log P(x) of one picture: the plain sum over a grid, whose steps are below the width of any posterior here."""
    axis = np.arange(-6, 6 + step / 2, step)
    codes = (axis,) if world.latent_dim == 1 else np.meshgrid(axis, axis)
    return logsumexp(height(world, x, *codes)) + world.latent_dim * np.log(step)


def test_a_bar_is_darkest_on_its_own_cell_and_fades_like_a_gaussian():
    assert torch.allclose(draw([-1.0, 0.0, 1.0])[:, 0].diag(), torch.tensor(0.9))
    f = draw(torch.tensor(0.4, dtype=torch.float64), width=0.7, ink=0.5)
    assert f.shape == (1, 3) and f.dtype == torch.float64
    expected = 0.1 + 0.4 * norm.pdf([-1, 0, 1], 0.4, 0.7) / norm.pdf(0, 0, 0.7)
    np.testing.assert_allclose(f[0], expected, rtol=1e-12)
    assert draw(np.zeros((4, 1)), width=[0.5, 0.6]).shape == (4, 2, 1, 3)


def test_far_apart_in_z_and_together_in_the_cube():
    ends = World().decode(torch.tensor([[-3.0], [3.0]])).mean
    assert torch.allclose(ends, torch.tensor(0.1), atol=1e-6)


@pytest.mark.parametrize("world", WORLDS, ids=lambda w: f"{w.second}-{w.sigma}")
def test_the_factors_say_what_is_drawn(world):
    z, x = world.sample(4000, torch.Generator().manual_seed(0))
    f = world.decode(z).mean
    torch.testing.assert_close(draw(**world.factors(z)), f)
    assert x.shape == (4000, 1, 3) and x.min() >= 0 and x.max() <= 1
    assert (x - f).std().item() == pytest.approx(world.sigma, rel=0.03 if world.sigma < 0.05 else 0.2)
    assert (world.factors(z)["position"] / z[:, 0]).mean().item() == pytest.approx(1.5)
    np.testing.assert_allclose(jacobian(lambda c: world.decode(c).mean, z[:3]).shape[-1], world.latent_dim)
    again, _ = world.sample(4000, torch.Generator().manual_seed(0))
    assert torch.equal(again, z)


@pytest.mark.slow
@pytest.mark.parametrize("second", ["ink", "width"])
def test_a_sum_over_a_grid_is_the_integral_of_scipy(second):
    world, x = World(second, sigma=0.1), (0.6, 0.4, 0.1)
    top = log_p_x(world, x, step=0.1)
    whole, _ = dblquad(lambda b, a: np.exp(height(world, x, a, b) - top), -4, 3, -6, 6, epsabs=1e-7, epsrel=1e-7)
    assert np.log(whole) + top == pytest.approx(log_p_x(world, x), abs=1e-6)


@pytest.mark.parametrize("second", ["ink", "width"])
def test_quadrature_knows_how_far_it_is_from_that_sum(second):
    """Near the tip, and off the sheet, the posterior is a ring or a bow, which no lattice on a peak adds up to 1e-3."""
    world = World(second)
    x = torch.cat([world.sample(6, torch.Generator().manual_seed(0))[1], draw([0.0, 0.0, 9.0], 0.5, [1.0, 0.1, 1.0])])
    found = evidence.quadrature(world, x)
    off = abs(found.log_p_x.numpy() - [log_p_x(world, picture.flatten().numpy()) for picture in x])
    assert (off <= found.error.numpy() + 1e-4).all()
    assert found.converged.any() and (off[found.converged.numpy()] < 1e-3).all()


@pytest.mark.slow
def test_a_vae_of_three_pixels_learns_and_is_integrated():
    images = load_dataset("bars").images
    torch.manual_seed(0)
    model = VAE((1, 3), 2, hidden=(32,))
    history = fit(model, images, 15, batch_size=64, learning_rate=1e-2, progress=False)
    assert history.elbo[-1] > history.elbo[0] + 2 and model.sigma < 0.1
    some = images[:20]
    estimate = evidence.quadrature(model.eval(), some)
    with torch.no_grad():
        bound = torch.stack([model.elbo(some, torch.Generator().manual_seed(i)) for i in range(200)]).mean(0)
    assert (bound < estimate.log_p_x + estimate.error + 0.05).all()
    axis = torch.linspace(-6, 6, 1201, dtype=torch.float64)
    z = torch.cartesian_prod(axis, axis)
    with torch.no_grad():
        double = model.double()
        height = double.prior.log_prob(z) + double.decode(z).log_prob(some[0].double())
    direct = height.logsumexp(0) + 2 * np.log(0.01)
    assert estimate.log_p_x[0].item() == pytest.approx(direct.item(), abs=1e-3)


def test_the_set_is_what_its_factors_say_and_has_two_kinds():
    train, test = load_dataset("bars"), load_dataset("bars", split="test")
    assert (len(train), len(test)) == (4000, 1000) and train.images.shape == (4000, 1, 3)
    assert train.class_names == ("narrow", "wide") and 0.45 < train.labels.double().mean() < 0.55
    assert not {tuple(x.flatten().tolist()) for x in train.images} & {tuple(x.flatten().tolist()) for x in test.images}
    f = draw(**train.factors)
    assert (train.images - f).std().item() == pytest.approx(bars.SIGMA, rel=0.03)
    assert {*train.factors["width"][train.labels == 1].tolist()} == {0.9}
    assert "bars" in train.name and "Bars" in train.source


def test_the_pictures_are_the_same_to_the_last_bit_on_every_machine():
    """What is trained and claimed rests on these very floats: a change here is a change of all of that."""
    images, labels, _ = sample(500, np.random.default_rng(7))
    assert sha256(images.tobytes() + labels.astype("<i8").tobytes()).hexdigest().startswith("b85c089ec0a9becc")


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: draw(np.nan), ValueError, "position must be finite"),
        (lambda: draw(0.0, width=0), ValueError, "above 0 cell widths; got 0. Try"),
        (lambda: draw(0.0, ink=[0.5, 1.5]), ValueError, "from 0, no bar, to 1"),
        (lambda: draw("left"), ValueError, "position must be an array of numbers"),
        (lambda: World("colour"), ValueError, 'second must be "ink", "width"'),
        (lambda: World(sigma=0), ValueError, "sigma must be above 0"),
        (lambda: World(width=np.nan), ValueError, "width must be above 0"),
        (lambda: World().sample(3, 0), TypeError, "manual_seed"),
        (lambda: sample(3, 0), TypeError, "default_rng"),
        (lambda: sample(2.5, np.random.default_rng(0)), ValueError, "positive whole number"),
    ],
)
def test_wrong_inputs_are_told_what_to_do(call, error, says):
    with pytest.raises(error, match=says):
        call()
