"""Paths against surfaces whose geodesics are known, Jacobians against autograd and finite differences."""

import math

import numpy as np
import pytest
import torch

from vaecourse import interpolation, load_pretrained, memory
from vaecourse.interpolation import geodesic, geodesics, lerp, path_energy, path_length, slerp


def cols(*columns):
    return torch.stack(columns, dim=1)


def sphere(z):
    """Colatitude and longitude on the unit sphere."""
    theta, phi = z.T
    return cols(theta.sin() * phi.cos(), theta.sin() * phi.sin(), theta.cos())


def stereographic(z):
    """R^d onto the unit sphere in R^(d + 1), from the north pole."""
    s = z.square().sum(1, keepdim=True)
    return torch.cat([2 * z, s - 1], dim=1) / (1 + s)


def cylinder(z):
    return cols(2 * z[:, 0].cos(), 2 * z[:, 0].sin(), z[:, 1])


def pseudosphere(z):
    """The hyperbolic half-plane (x, y), y >= 1, wound up in space: ds^2 = (dx^2 + dy^2) / y^2."""
    x, y = z.T
    s = (1 - y**-2).clamp_min(1e-12).sqrt()
    return cols(x.cos() / y, x.sin() / y, torch.atanh(s) - s)


WIND = 4.0  # how tightly hyperbolic_space winds each horizontal direction: the tighter, the farther down it reaches


def hyperbolic_space(z):
    """Hyperbolic space in horospherical coordinates (u, x_1 … x_k), ds^2 = du^2 + exp(-2u) |dx|^2, in R^(2k + 1)."""
    u, x = z[:, :1], z[:, 1:]
    radius = (-u).exp() / WIND
    s = (1 - x.shape[1] * radius**2).sqrt()
    return torch.cat([radius * (WIND * x).cos(), radius * (WIND * x).sin(), torch.atanh(s) - s], dim=1)


def hyperbolic_distance(y1, y2, apart):
    return math.acosh(1 + (apart**2 + (y1 - y2) ** 2) / (2 * y1 * y2))


def half_plane_geodesic(a, b, steps):
    """Points at even hyperbolic distances on the circle through a and b that meets y = 0 at right angles."""
    middle = (b[0] ** 2 + b[1] ** 2 - a[0] ** 2 - a[1] ** 2) / (2 * (b[0] - a[0]))
    radius = math.hypot(a[0] - middle, a[1])
    s = np.linspace(*(math.atanh((p[0] - middle) / radius) for p in (a, b)), steps)
    return np.stack([middle + radius * np.tanh(s), radius / np.cosh(s)], axis=1)


def check(f, a, b, length, points=None, steps=41):
    """Length and points within 1 per cent, evenly spaced, from end to end."""
    a, b = (torch.tensor(x, dtype=torch.float64) for x in (a, b))
    found = geodesic(f, a, b, steps)
    assert found.converged is True
    assert found.path.shape == (steps, len(a)) and torch.equal(found.path[0], a) and torch.equal(found.path[-1], b)
    assert float(found.length) == pytest.approx(length, rel=0.01)
    assert float(path_length(f, found.path)) == pytest.approx(length, rel=0.01)
    moved = (f(found.path[1:]) - f(found.path[:-1])).norm(dim=1)
    assert moved.numpy() == pytest.approx(np.full(steps - 1, length / (steps - 1)), rel=0.02)
    if points is not None:
        off = (f(found.path) - f(torch.as_tensor(points))).norm(dim=1).max()
        assert off <= 0.01 * length


def great_circle(u, v, steps):
    angle = math.acos(float(u @ v))
    t = np.linspace(0, 1, steps)[:, None]
    return (np.sin((1 - t) * angle) * u + np.sin(t * angle) * v) / math.sin(angle), angle


@pytest.mark.parametrize("a, b", [((0.4, 0.0), (0.5, 2.6)), ((1.2, -1.0), (2.0, 0.8)), ((0.3, 0.0), (2.9, 1.0))])
def test_geodesics_of_the_sphere_are_great_circles(a, b):
    u, v = (sphere(torch.tensor([x], dtype=torch.float64))[0].numpy() for x in (a, b))
    points, angle = great_circle(u, v, 41)
    colatitude = np.arccos(points[:, 2])
    check(sphere, a, b, angle, np.stack([colatitude, np.arctan2(points[:, 1], points[:, 0])], axis=1))


@pytest.mark.slow
def test_geodesics_of_a_sphere_in_five_dimensions():
    rng = np.random.default_rng(0)
    for _ in range(3):
        a, b = rng.normal(size=(2, 5)) * 0.7
        u, v = (stereographic(torch.tensor(x)[None])[0].numpy() for x in (a, b))
        points, angle = great_circle(u, v, 41)
        check(stereographic, a, b, angle, points[:, :5] / (1 - points[:, 5:]))


def test_geodesics_of_the_cylinder_are_helices():
    a, b = (-1.0, 0.5), (2.5, 4.0)
    check(cylinder, a, b, math.hypot(2 * 3.5, 3.5), np.linspace(a, b, 41))


@pytest.mark.parametrize("a, b", [((0.0, 1.05), (2.5, 1.05)), ((0.0, 1.2), (1.0, 6.0)), ((-1.5, 2.0), (1.5, 1.1))])
def test_geodesics_of_the_hyperbolic_plane_are_half_circles(a, b):
    check(pseudosphere, a, b, hyperbolic_distance(a[1], b[1], b[0] - a[0]), half_plane_geodesic(a, b, 41))


def test_geodesics_of_hyperbolic_space_in_five_dimensions():
    a, b = np.array([0.1, 0, 0, 0, 0]), np.array([0.3, 0.9, -0.6, 0.5, 0.7])
    apart = np.linalg.norm(b[1:])
    plane = half_plane_geodesic((0, math.exp(a[0])), (apart, math.exp(b[0])), 41)
    points = np.concatenate([np.log(plane[:, 1:]), plane[:, :1] / apart * b[1:]], axis=1)
    check(hyperbolic_space, a, b, hyperbolic_distance(math.exp(a[0]), math.exp(b[0]), apart), points)


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_geodesics_of_flat_space_are_lines_at_a_constant_speed(dim):
    rng = np.random.default_rng(dim)
    W = torch.tensor(rng.normal(size=(dim, 9)))
    a, b = rng.normal(size=(2, dim))
    check(lambda z: z @ W, a, b, float(np.linalg.norm((b - a) @ W.numpy())), np.linspace(a, b, 41))
    # the same flat space in coordinates that are stretched as they grow: a line in z is no line there
    bent = lambda z: torch.sinh(z) @ W  # noqa: E731
    check(
        bent,
        a,
        b,
        float(np.linalg.norm((np.sinh(b) - np.sinh(a)) @ W.numpy())),
        np.arcsinh(np.linspace(np.sinh(a), np.sinh(b), 41)),
    )


def test_a_hill_is_gone_around_on_the_short_side():
    """A line over the top, or a search that begins there, would be much longer."""
    hill = lambda z: torch.cat([z, 4 * torch.exp(-2 * z.square().sum(1, keepdim=True))], dim=1)  # noqa: E731
    found = geodesic(hill, torch.tensor([-2.0, 0.05]), torch.tensor([2.0, 0.05]), 33)
    assert found.converged and found.path[16, 1] > 0.5
    assert found.length < 0.8 * path_length(hill, lerp(found.path[0], found.path[-1], 500))


def test_many_pairs_at_once_are_the_same_as_one_by_one():
    a = torch.tensor([[0.4, 0.0], [1.2, -1.0], [1.0, 1.0]])
    b = torch.tensor([[0.5, 2.6], [2.0, 0.8], [1.0, 1.0]])
    together = geodesic(sphere, a, b, 9)
    assert together.path.shape == (3, 9, 2) and together.converged.all() and together.length[2] == 0
    for k in range(3):
        alone = geodesic(sphere, a[k], b[k], 9)
        assert torch.allclose(sphere(together.path[k]), sphere(alone.path), atol=0.01)
        assert together.length[k] == pytest.approx(float(alone.length), rel=1e-3, abs=1e-6)


def test_what_does_not_come_to_its_end_says_so(monkeypatch):
    a, b = torch.tensor([[0.9, -0.3, 0.2], [-0.8, 0.5, 1.1]])
    assert geodesic(stereographic, a, b, 9).converged is True
    with monkeypatch.context() as patch:
        patch.setattr(geodesics, "LEVELS", (64,))
        patch.setattr(geodesics, "ITERATIONS", 1)
        assert geodesic(stereographic, a, b, 9).converged is False
    # too many windings for the finest chain to follow: its chords cut through the cylinder
    wound = lambda z: torch.cat([(400 * z).cos(), (400 * z).sin()], dim=1)  # noqa: E731
    assert geodesic(wound, torch.tensor([0.0]), torch.tensor([6.3]), 9).converged is False


@pytest.fixture(scope="module")
def drawer():
    model = load_pretrained("strokes-2d")
    return lambda z: model.decode(z).mean.flatten(1)


@pytest.mark.slow
def test_geodesics_of_the_shipped_model_are_shorter_than_lines(drawer):
    a, b = torch.randn(2, 6, 2, generator=torch.Generator().manual_seed(0))
    found = geodesic(drawer, a, b, 17)
    line = path_length(drawer, lerp(a, b, 513))
    assert found.converged.float().mean() >= 0.8
    assert (found.length <= 1.0001 * line).all() and (found.length < 0.98 * line).any()


def test_the_jacobian_is_that_of_autograd_and_of_finite_differences(drawer):
    z = torch.randn(3, 2, generator=torch.Generator().manual_seed(1))
    j = interpolation.jacobian(drawer, z)
    for k in range(3):
        assert torch.allclose(j[k], torch.autograd.functional.jacobian(lambda x: drawer(x[None])[0], z[k]), atol=1e-5)
    f, z = stereographic, torch.randn(4, 3, generator=torch.Generator().manual_seed(2)).double()
    j = interpolation.jacobian(f, z)
    for d, step in enumerate(1e-6 * torch.eye(3).double()):
        assert torch.allclose(j[:, :, d], (f(z + step) - f(z - step)) / 2e-6, atol=1e-8)


def test_metric_and_magnification_of_surfaces_that_are_known():
    z = torch.tensor([[0.5, 1.0], [1.5, -2.0]], dtype=torch.float64)
    G = interpolation.pullback_metric(sphere, z)
    assert torch.allclose(G, torch.stack([torch.diag(torch.stack([torch.ones(()), t.sin() ** 2])) for t in z[:, 0]]))
    assert torch.allclose(interpolation.magnification(sphere, z), z[:, 0].sin())  # dA = sin(theta) d theta d phi
    assert torch.allclose(interpolation.magnification(cylinder, z), torch.full((2,), 2.0).double())
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)).double()
    assert torch.allclose(interpolation.magnification(stereographic, x), (2 / (1 + x.square().sum(1))) ** 3)


def test_length_energy_and_constant_speed():
    t = torch.linspace(0, 1, 400, dtype=torch.float64)
    uneven = cols(torch.full_like(t, math.pi / 2), 2 * t**3)  # along the equator, faster and faster
    assert float(path_length(sphere, uneven)) == pytest.approx(2, rel=1e-4)
    assert float(path_energy(sphere, uneven)) == pytest.approx(36 / 5, rel=0.01)  # the integral of (6 t^2)^2
    even = interpolation.constant_speed(sphere, uneven)
    assert even.shape == uneven.shape and torch.equal(even[[0, -1]], uneven[[0, -1]])
    assert torch.allclose(even[:, 1], 2 * t, atol=1e-3)
    assert float(path_energy(sphere, even)) == pytest.approx(4, rel=1e-3)
    two = interpolation.constant_speed(sphere, torch.stack([uneven, uneven.flip(0)]), steps=5)
    assert torch.allclose(two[1, :, 1], torch.tensor([2, 1.5, 1, 0.5, 0]).double(), atol=1e-3)
    assert path_length(sphere, torch.stack([uneven, even])).shape == (2,)


def test_a_morph_of_two_spots_has_the_mean_place_and_the_mean_width_halfway():
    """Displacement interpolation between two round normals, in closed form (McCann 1997)."""
    rows, columns = torch.meshgrid(*2 * [torch.arange(28.0)], indexing="ij")

    def spot(row, column, sd, ink):
        squares = (rows - row) ** 2 + (columns - column) ** 2
        x = torch.exp(-squares / (2 * sd**2))
        return ink * x / x.max()

    def moments(x):
        share = x / x.sum()
        row, column = (share * rows).sum(), (share * columns).sum()
        return row, column, (share * ((rows - row) ** 2 + (columns - column) ** 2)).sum().div(2).sqrt()

    a, b = spot(8, 9, 1.5, 1.0), spot(18, 15, 3.0, 0.4)
    path = interpolation.morph(a, b, 5)
    assert torch.allclose(path[0], a, atol=1e-6) and torch.allclose(path[-1], b, atol=1e-6)
    for t, x in zip(torch.linspace(0, 1, 5), path, strict=True):
        expected = 8 + 10 * t, 9 + 6 * t, 1.5 + 1.5 * t
        assert torch.stack(moments(x)) == pytest.approx(torch.stack(expected), abs=0.45)
        assert float(x.sum()) == pytest.approx(float((1 - t) * a.sum() + t * b.sum()), rel=0.04)
    wanted = spot(13, 12, 2.25, float(path[2].max()))
    assert (path[2] - wanted).norm() < 0.3 * ((a + b) / 2 - wanted).norm()


def test_wrong_pictures_for_a_morph_get_a_sentence():
    ink = torch.rand(3, 4)
    for a, b, words in (
        (ink, torch.rand(4, 3), "one shape"),
        (ink, torch.zeros(3, 4), "some ink"),
        (ink[0], ink[0], "some ink"),
        (ink, ink * 255, "255"),
        (ink, ink * torch.nan, "NaN"),
    ):
        with pytest.raises(ValueError, match=words):
            interpolation.morph(a, b, 3)
    with pytest.raises(ValueError, match="steps"):
        interpolation.morph(ink, ink, 1)
    assert torch.allclose(interpolation.morph(ink.double().numpy(), ink, 4)[2], ink, atol=1e-6)


def test_lerp_and_crossfade():
    a, b = torch.tensor([0.0, 2.0]), torch.tensor([4.0, -2.0])
    assert torch.equal(lerp(a, b, 5), torch.tensor([[0.0, 2], [1, 1], [2, 0], [3, -1], [4, -2]]))
    assert lerp(torch.zeros(7, 3), torch.ones(7, 3), 4).shape == (7, 4, 3)
    assert np.allclose(lerp([0, 0], np.array([1, 2]), 3)[1], [0.5, 1])
    x = torch.rand(2, 6, 5, generator=torch.Generator().manual_seed(0))
    fade = interpolation.crossfade(x[0], x[1], 3)
    assert fade.shape == (3, 6, 5) and torch.allclose(fade[1], x.mean(0)) and torch.equal(fade[2], x[1])


def test_slerp_is_the_turn_of_one_end_into_the_other():
    rng = np.random.default_rng(0)
    for dim in (2, 3, 100):
        a, b = rng.normal(size=(2, dim))
        u, v = a / np.linalg.norm(a), b / np.linalg.norm(b)
        points, _ = great_circle(u, v, 7)
        assert np.allclose(slerp(torch.tensor(u), torch.tensor(v), 7), points)
        path = slerp(torch.tensor(a), torch.tensor(b), 7)
        lengths = np.linspace(np.linalg.norm(a), np.linalg.norm(b), 7)[:, None]
        assert np.allclose(path, lengths * points)
        assert torch.equal(path[0], torch.tensor(a)) and torch.equal(path[-1], torch.tensor(b))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("dim", [1, 2, 3, 50])
@pytest.mark.parametrize("nearly", [0.0, 1e-9, 1e-6, 1e-4, 1e-2])
def test_slerp_is_safe_at_parallel_opposite_and_zero_ends(dim, nearly, dtype):
    g = torch.Generator().manual_seed(dim)
    a, noise = torch.randn(2, 20, dim, generator=g, dtype=dtype)
    for b in (2.0 * a, -a, -0.5 * a, torch.zeros_like(a)):
        path = slerp(a, b + nearly * noise, 11)
        assert path.isfinite().all() and torch.equal(path[:, 0], a)
        ends = path[:, [0, -1]].norm(dim=-1)
        slack = 2e-4 if dim > 1 else 0.02
        assert (path.norm(dim=-1) <= ends.amax(1, keepdim=True) + slack).all()
        if dim > 1 and b[0, 0] != 0:
            assert (path.norm(dim=-1) >= ends.amin(1, keepdim=True) - slack).all(), "around the origin, not through it"
            # no jump on the way: half a turn in ten steps, and not much more
            jumps = path.diff(dim=1).norm(dim=-1)
            assert (jumps <= 1.3 * (math.pi / 10) * ends.amax(1, keepdim=True)).all()


def test_a_constant_decoder_and_identical_ends_have_the_obvious_answer():
    flat = lambda z: torch.ones(len(z), 4) + 0 * z[:, :1]  # noqa: E731
    a, b = torch.tensor([0.0, 1.0]), torch.tensor([2.0, 3.0])
    found = geodesic(flat, a, b, 5)
    assert found.converged is True and found.length == 0 and torch.allclose(found.path, lerp(a, b, 5))
    assert torch.allclose(interpolation.constant_speed(flat, lerp(a, b, 5)), lerp(a, b, 5))
    found = geodesic(sphere, a, a, 5)
    assert found.converged is True and found.length == 0 and torch.allclose(found.path, a.expand(5, 2))
    assert geodesic(sphere, a, b, 2).path.shape == (2, 2)
    assert interpolation.magnification(flat, a[None]) == 0


@pytest.mark.slow
def test_hills_and_holes_in_the_data_bend_a_density_aware_path():
    ring = torch.linspace(0.3, math.pi - 0.3, 4000)
    codes = 2 * cols(ring.cos(), ring.sin())  # a horseshoe of codes, and nothing inside it
    flat = lambda z: z  # noqa: E731
    aware = interpolation.density_aware(flat, codes, bandwidth=0.2, strength=10.0)
    found = geodesic(aware, codes[0], codes[-1], 21)
    off = lambda path: (path.norm(dim=1) - 2).abs().max()  # noqa: E731
    assert found.converged and off(found.path) < 0.3 < off(geodesic(flat, codes[0], codes[-1], 21).path)
    # the height, by brute force
    z = torch.tensor([[0.0, 2.0], [1.0, 0.5], [0.0, 0.0]])
    height = interpolation.density_aware(flat, codes[::4], bandwidth=0.2, strength=3.0)(z)[:, 2]
    near = [np.exp(-((codes[::4] - x) ** 2).sum(1).numpy() / 0.08).mean() for x in (*z, *codes[::4])]
    assert np.allclose(height, 3 / np.sqrt(np.array(near[:3]) / np.mean(near[3:]) + 0.01), rtol=1e-4)


def test_wrong_input_gets_a_sentence():
    a, b = torch.zeros(2), torch.ones(2)
    nan = torch.tensor([0.0, torch.nan])
    for make in (lerp, slerp, lambda *x: geodesic(sphere, *x)):
        for wrong, words in (
            ((a, nan, 5), "b must hold finite numbers"),
            ((nan, b, 5), "a must hold finite numbers"),
            ((a, torch.ones(3), 5), "must be two codes"),
            ((torch.zeros(()), torch.ones(()), 5), "must be two codes"),
            ((a, b, 1), "at least 2"),
            ((a, b, 2.5), "whole number"),
        ):
            with pytest.raises(ValueError, match=words):
                make(*wrong)
    with pytest.raises(ValueError, match="or \\(P, latent_dim\\)"):
        geodesic(sphere, torch.zeros(2, 3, 2), torch.ones(2, 3, 2), 5)
    for f, words in (
        (lambda z: z.sum(), "one row a code"),
        (lambda z: z[:3], "one row a code"),
        (lambda z: "picture", "gave str"),
        (lambda z: z.long(), "float tensor"),
        (lambda z: torch.full((len(z), 3), torch.nan), "NaN or infinity between the ends"),
        (lambda z: cols(z[:, 0] / (z[:, 0] > 0.5), z[:, 1]), "NaN or infinity between the ends"),
        (lambda z: z.detach().round(decimals=2), "has no derivative"),
        (lambda z: torch.as_tensor(np.cos(z.numpy())), "leaves PyTorch"),
    ):
        with pytest.raises(ValueError, match=words):
            geodesic(f, a, b, 5)
    with pytest.raises(ValueError, match="at least 2 points"):
        path_length(sphere, a[None])
    with pytest.raises(ValueError, match="finite numbers"):
        path_energy(sphere, torch.stack([a, nan]))
    with pytest.raises(ValueError, match="at least one code"):
        interpolation.magnification(sphere, a)
    with pytest.raises(ValueError, match="must have one shape"):
        interpolation.crossfade(torch.zeros(3, 3), torch.zeros(4, 4), 5)
    with pytest.raises(ValueError, match="bandwidth must be a positive number"):
        interpolation.density_aware(sphere, torch.zeros(3, 2), bandwidth=0)
    with pytest.raises(ValueError, match="at least one code"):
        interpolation.density_aware(sphere, torch.zeros(0, 2))


@pytest.mark.parametrize("apart", [1e-30, 1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3])
def test_ends_too_close_for_a_search_are_joined_by_their_line(drawer, monkeypatch, apart):
    """A search would follow the roundings, to the end of its patience; in double precision there is room for one."""
    a = torch.tensor([[0.3, -0.7], [1.2, 0.4], [0.0, 0.0]])
    b = a + apart * torch.tensor([0.6, 0.8])
    j = interpolation.jacobian(drawer, a) @ (b - a)[..., None]
    monkeypatch.setattr(geodesics, "_shorten", None)
    found = geodesic(drawer, a, b, 5)
    assert found.converged.all() and torch.equal(found.path[:, 0], a) and torch.equal(found.path[:, -1], b)
    assert found.length.numpy() == pytest.approx(j[..., 0].norm(dim=1).numpy(), rel=0.05, abs=1e-5)


def test_close_ends_on_a_bent_surface_are_still_searched():
    wound = lambda z: torch.cat([(1e6 * z).cos(), (1e6 * z).sin()], dim=1)  # noqa: E731
    found = geodesic(wound, torch.tensor([0.0]), torch.tensor([1e-3]), 5)
    assert found.converged is False and found.length > 100


def test_ends_far_beyond_all_codes_get_a_sentence(drawer):
    with pytest.raises(ValueError, match="far beyond the codes that f knows"):
        geodesic(drawer, torch.tensor([1e6, 0.0]), torch.tensor([-1e6, 1e6]), 5)


BATCH_NORM = torch.nn.Sequential(torch.nn.Unflatten(1, (2, 4)), torch.nn.BatchNorm1d(2), torch.nn.Flatten())


@pytest.mark.parametrize("layer", [torch.nn.Dropout(), BATCH_NORM, torch.nn.GroupNorm(2, 8)])
def test_a_model_in_training_mode_is_no_f(layer):
    net = torch.nn.Sequential(torch.nn.Linear(2, 8), layer, torch.nn.Linear(8, 5))
    a, b, f = torch.zeros(2), torch.ones(2), lambda z: net(z)
    for measure in (lambda: geodesic(f, a, b, 5), lambda: path_length(f, lerp(a, b, 5))):
        if isinstance(layer, torch.nn.GroupNorm):  # which looks at one code at a time, learning or not
            measure()
        else:
            with pytest.raises(ValueError, match=r"model\.eval\(\)"):
                measure()
    net.eval()
    assert geodesic(f, a, b, 5).converged


def test_steps_and_codes_as_people_have_them():
    a, b = np.zeros(2), [1, 1]
    for steps in (5.0, np.int64(5), np.float32(5), torch.tensor(5)):
        assert torch.equal(geodesic(sphere, a, b, steps).path, geodesic(sphere, a, b, 5).path)
        assert (
            len(lerp(a, b, steps)) == len(slerp(a, b, steps)) == len(interpolation.crossfade(a, np.ones(2), steps)) == 5
        )
    assert geodesic(sphere, torch.zeros(2).half(), torch.ones(2).half(), 5).path.dtype == torch.float32
    known = interpolation.density_aware(sphere, torch.eye(2).double())
    assert known(torch.zeros(3, 2)).shape == (3, 4)
    with pytest.raises(ValueError, match="z must have 2 coordinates"):
        known(torch.zeros(3, 5))


@pytest.mark.parametrize("path", [lerp, slerp])
def test_lines_and_arcs_can_be_differentiated(path):
    a, b = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda a, b: path(a, b, 5), (a.requires_grad_(), b.requires_grad_()))
    for b in (torch.zeros(4), 2 * torch.arange(4.0), -torch.arange(4.0), torch.arange(4.0)):  # where an angle has none
        a, b = torch.arange(4.0).requires_grad_(), b.clone().requires_grad_()
        path(a, b, 5).sum().backward()
        assert a.grad.isfinite().all() and b.grad.isfinite().all()


def test_a_cross_fade_can_be_differentiated():
    x_a, x_b = torch.full((2, 3), 0.25, requires_grad=True), torch.full((2, 3), 0.5)
    interpolation.crossfade(x_a, x_b, 3)[1].sum().backward()
    assert torch.equal(x_a.grad, torch.full((2, 3), 0.5))


def test_ends_of_two_precisions_meet_and_of_two_devices_do_not():
    for path in (lerp, slerp):
        assert path(torch.ones(2), torch.ones(2).double(), 3).dtype == torch.float64
        with pytest.raises(ValueError, match="Bring them together"):
            path(torch.ones(2), torch.ones(2, device="meta"), 3)
        assert path(np.ones(2), [0.0, 1.0], np.int64(3)).dtype == torch.float32


def test_no_way_at_all_takes_no_time():
    asked = []

    def f(z):
        asked.append(len(z))
        return sphere(z)

    a = torch.tensor([0.3, 0.7])  # whose mean with itself is not itself in every last digit
    found = geodesic(f, a, a, 5)
    assert found.converged is True and found.length == 0 and torch.equal(found.path, a.expand(5, 2))
    assert sum(asked) < 3000
    two = geodesic(f, torch.stack([a, a]), torch.stack([a, a + 1]), 5)
    assert two.converged.all() and two.length[0] == 0 < two.length[1]


@pytest.mark.slow
def test_small_blocks_find_the_same_geodesics(drawer, monkeypatch):
    a, b = torch.randn(2, 2, 2, generator=torch.Generator().manual_seed(4))
    roomy, measure = geodesic(drawer, a, b, 9), interpolation.magnification(drawer, a)
    monkeypatch.setattr(memory, "BUDGET", 2**21)  # three points of each chain at once
    tight = geodesic(drawer, a, b, 9)
    assert torch.allclose(tight.path, roomy.path, atol=1e-4) and torch.allclose(tight.length, roomy.length, rtol=1e-5)
    assert torch.allclose(interpolation.magnification(drawer, a), measure, rtol=1e-4)
    monkeypatch.setattr(memory, "BUDGET", 2**10)
    with pytest.raises(MemoryError, match="a picture of 784 numbers"):
        geodesic(drawer, a, b, 9)


def test_ends_beyond_all_pictures_end_in_an_answer_or_a_sentence(drawer):
    found = geodesic(drawer, torch.tensor([1e6, 0.0]), torch.tensor([1e6, 3.0]), 5)
    assert found.path.isfinite().all() and found.length.isfinite()
    with pytest.raises(ValueError, match="NaN or infinity between the ends"):
        geodesic(drawer, torch.tensor([-1e38, 0.0]), torch.tensor([3e38, 0.0]), 5)
