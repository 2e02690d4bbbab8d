"""The turntable against closed forms (spheres, boxes, projections), and what the course needs of its objects."""

from hashlib import sha256

import numpy as np
import pytest

from vaecourse.data import turntable
from vaecourse.data.turntable import OBJECTS, render, views

pytestmark = pytest.mark.slow


def surface(name):
    """The whole object's distance function."""
    return lambda p: np.min([distance for distance, _ in turntable.SHAPES[name](p)], 0)


@pytest.fixture
def on_table(monkeypatch):
    """Puts a shape of the test's own on the turntable and photographs it."""

    def photograph(distance, angles, size=64, grey=1.0):
        monkeypatch.setattr(turntable, "OBJECTS", ("test",))
        monkeypatch.setattr(turntable, "SHAPES", {"test": lambda p: [(distance(p), grey)]})
        return render("test", angles, size)

    return photograph


@pytest.fixture(scope="module")
def circle():
    """Every object's 72 views: (objects, 72, 32, 32)."""
    return views(size=32)[0].reshape(len(OBJECTS), 72, 32, 32)


def rms(a, b):
    return np.sqrt(((a - b) ** 2).mean((-1, -2)))


# The marcher and the shapes, against closed forms.


def test_rays_meet_a_sphere_where_the_quadratic_says():
    starts = np.stack([*np.random.default_rng(0).uniform(-1, 1, (2, 4000)), np.full(4000, 3)]).astype(np.float32)
    t = turntable.sphere_trace(
        lambda p: turntable.ellipsoid(p, (0, 0, 0), (0.8, 0.8, 0.8)), starts, np.float32([[0], [0], [-1]])
    )
    off_axis = np.hypot(*starts[:2])
    inside, outside = off_axis < 0.79, off_axis > 0.81
    assert inside.sum() > 1000 and outside.sum() > 1000
    np.testing.assert_allclose(t[inside], 3 - np.sqrt(0.64 - off_axis[inside] ** 2), atol=5e-3)
    assert np.isinf(t[outside]).all()


def test_rays_meet_a_box_where_the_slab_method_says():
    rng = np.random.default_rng(1)
    direction = np.array([0.48, 0.6, -0.64])
    centre, half = np.array([0.1, -0.2, 0.05]), np.array([0.5, 0.3, 0.7])
    starts = (rng.uniform(-0.7, 0.7, (4000, 3)) - 3 * direction).astype(np.float32)
    t = turntable.sphere_trace(
        lambda p: turntable.box(p, centre, half, 0), starts.T, direction.astype(np.float32)[:, None]
    )
    planes = np.sort([(centre - half - starts) / direction, (centre + half - starts) / direction], 0)
    enters, leaves = planes[0].max(1), planes[1].min(1)
    clear_hit, clear_miss = leaves - enters > 0.01, enters - leaves > 0.01
    assert clear_hit.sum() > 500 and clear_miss.sum() > 500
    np.testing.assert_allclose(t[clear_hit], enters[clear_hit], atol=2e-3)
    assert np.isinf(t[clear_miss]).all()


def test_normals_of_an_ellipsoid_are_its_gradient():
    radii = np.array([0.9, 0.5, 0.3])
    u = np.random.default_rng(2).normal(size=(3, 500))
    p = radii[:, None] * u / np.linalg.norm(u, axis=0)
    n = turntable.normals(lambda q: turntable.ellipsoid(q, (0, 0, 0), radii), p.astype(np.float32))
    gradient = p / radii[:, None] ** 2
    np.testing.assert_allclose(n, gradient / np.linalg.norm(gradient, axis=0), atol=0.01)


@pytest.mark.parametrize(
    ("distance", "inside"),
    [
        (lambda p: turntable.capsule(p, (-0.5, 0, 0), (0.5, 0, 0.3), 0.2, 0.2), None),
        (
            lambda p: turntable.cylinder(p, (0, 0, 0), 0.6, 0.4, axis=1, rounding=0),
            lambda x, y, z: (np.hypot(x, z) < 0.6) & (np.abs(y) < 0.4),
        ),
        (
            lambda p: turntable.box(p, (0, 0.1, 0), (0.3, 0.6, 0.5), 0),
            lambda x, y, z: (np.abs(x) < 0.3) & (np.abs(y - 0.1) < 0.6) & (np.abs(z) < 0.5),
        ),
    ],
    ids=["capsule", "cylinder", "box"],
)
def test_shapes_enclose_the_right_points_at_the_right_distance(distance, inside):
    p = np.random.default_rng(3).uniform(-1, 1, (3, 3000)).astype(np.float32)
    if inside is None:  # a capsule is a swept ball: measure to a thousand balls along the way
        way = np.linspace([-0.5, 0, 0], [0.5, 0, 0.3], 1000)
        np.testing.assert_allclose(distance(p), np.linalg.norm(p.T[:, None] - way, axis=2).min(1) - 0.2, atol=1e-3)
        return
    assert ((distance(p) < 0) == inside(*p)).all()
    # True distances have slope 1 everywhere off the creases: take the gradient at random points.
    step = 1e-3 * np.eye(3, dtype=np.float32)[:, :, None]
    slope = np.linalg.norm([(distance(p + e) - distance(p - e)) / 2e-3 for e in step], axis=0)
    assert np.median(np.abs(slope - 1)) < 1e-3 and (np.abs(slope - 1) < 0.01).mean() > 0.95


@pytest.mark.parametrize("name", OBJECTS)
def test_a_ray_may_go_as_far_as_the_distance_says(name):
    # What sphere tracing rests on: no surface lies within the distance of a point outside.
    rng = np.random.default_rng(4)
    p = rng.uniform(-1.2, 1.2, (3, 40_000)).astype(np.float32)
    distance = surface(name)(p)
    u = rng.normal(size=p.shape)
    reached = p + 0.95 * distance * (u / np.linalg.norm(u, axis=0)).astype(np.float32)
    assert (surface(name)(reached)[distance > 0] > -1e-4).all()


# Camera, turn and light.


def test_silhouette_of_a_sphere_is_a_disc_of_the_right_size(on_table):
    image = on_table(lambda p: turntable.ellipsoid(p, (0, 0, 0), (0.9, 0.9, 0.9)), 0, size=128)[0]
    assert (image > 0).mean() * (2 * turntable.FRAME) ** 2 == pytest.approx(np.pi * 0.9**2, rel=0.03)


@pytest.mark.parametrize("angle", [0, 30, 115, 250])
def test_a_ball_off_the_axis_goes_where_the_projection_says(on_table, angle):
    image = on_table(lambda p: turntable.ellipsoid(p, (0.7, 0, 0.4), (0.2, 0.2, 0.2)), angle)[0]
    rows, columns = np.nonzero(image)
    right, away = 0.7 * np.cos(np.radians(angle)), 0.7 * np.sin(np.radians(angle))
    tilt = np.radians(20)
    up = away * np.sin(tilt) + 0.4 * np.cos(tilt)
    to_pixels = 32 / turntable.FRAME
    assert columns.mean() == pytest.approx(31.5 + right * to_pixels, abs=0.5)
    assert rows.mean() == pytest.approx(31.5 - up * to_pixels, abs=0.5)


def test_the_light_stays_while_the_object_turns(on_table):
    ball = on_table(lambda p: turntable.ellipsoid(p, (0, 0, 0), (0.9, 0.9, 0.9)), [0, 50, 200], grey=0.8)
    np.testing.assert_allclose(ball[1:], ball[[0, 0]], atol=0.02)
    bright, dark = ball[0, 16:24, 16:24].mean(), ball[0, 40:48, 40:48].mean()
    assert bright > dark + 0.2


def test_lambert_light_falls_with_the_cosine(on_table):
    # Away from the gloss and the rim, a grey ball is 0.32 of sky and 0.78 of the cosine, by the analytic normal.
    size, radius = 64, 0.9
    image = on_table(lambda p: turntable.ellipsoid(p, (0, 0, 0), (radius,) * 3), 0, size=size, grey=0.5)[0]
    grid = turntable.FRAME * ((np.arange(size) + 0.5) / size * 2 - 1)
    right, up = grid / radius, -grid[:, None] / radius
    towards_eye = np.sqrt(np.clip(1 - right**2 - up**2, 0, 1))
    tilt = np.radians(20)
    normal = np.stack(
        np.broadcast_arrays(
            right,
            up * np.sin(tilt) - towards_eye * np.cos(tilt),
            up * np.cos(tilt) + towards_eye * np.sin(tilt),
        )
    )
    light = np.array(turntable.LIGHT) / np.linalg.norm(turntable.LIGHT)
    cosine = np.tensordot(light, normal, 1)
    plain = (right**2 + up**2 < 0.7) & (cosine < 0.6) & (np.abs(cosine) > 0.05)
    assert plain.sum() > 300
    np.testing.assert_allclose(image[plain], 0.5 * (0.32 + 0.78 * np.maximum(cosine, 0))[plain], atol=0.02)


def test_a_part_in_front_of_the_lamp_casts_a_shadow(on_table):
    def table(p):
        return turntable.box(p, (0, 0, -0.5), (0.7, 0.7, 0.05))

    light = np.array(turntable.LIGHT) / np.linalg.norm(turntable.LIGHT)
    ball = np.array([0.0, 0, -0.45]) + 0.9 * light
    shaded = on_table(lambda p: np.minimum(table(p), turntable.ellipsoid(p, ball, (0.15,) * 3)), 0)[0]
    plain = on_table(table, 0)[0]
    # The table's middle, where the ball's shadow falls, seen at 20 degrees.
    row = round(31.5 + 0.45 * np.cos(np.radians(20)) * 32 / turntable.FRAME)
    assert shaded[row, 31:33].mean() < 0.6 * plain[row, 31:33].mean()


# The objects, as the course needs them.


def test_shape_type_and_range():
    images = render("mug", [0, 45.5], size=40)
    assert images.shape == (2, 40, 40) and images.dtype == np.float32
    assert images.min() == 0 and 0.5 < images.max() <= 1
    assert render("mug", [], size=40).shape == (0, 40, 40)
    assert render("mug", 45.5, size=40).tobytes() == images[1:].tobytes()


def test_a_full_turn_changes_nothing():
    angles = np.array([0, 0.1, 33.3, 359.9])
    for turns in (-720, 360, 360_000_000):
        assert render("duck", angles + turns, 32).tobytes() == render("duck", angles, 32).tobytes()
    assert render("duck", [-1e-12], 32).tobytes() == render("duck", [0], 32).tobytes()


def test_the_pictures_are_the_same_to_the_last_bit_on_every_machine():
    """What is trained and claimed rests on these very floats: a change here is a change of all of that."""
    begin = [sha256(render(name, [33.0], 32)).hexdigest()[:8] for name in OBJECTS]
    assert begin == ["09eddd76", "d95021d2", "ad8eda4f", "9834efec", "69d227fd", "3f04372a"]


def test_each_picture_depends_on_its_own_angle_only():
    together = render("blocks", [10, 75, 200], 32)
    assert together[1:2].tobytes() == render("blocks", [75], 32).tobytes()


@pytest.mark.parametrize("name", OBJECTS)
def test_a_small_turn_changes_little(name):
    start, one, five = render(name, [40, 41, 45], 64)
    assert 0 < rms(start, one) < 0.5 * rms(start, five)
    assert rms(start, one) < 0.25 * rms(start, 0)


@pytest.mark.parametrize("index", range(len(OBJECTS)), ids=OBJECTS)
def test_no_view_is_mistaken_for_one_from_another_side(circle, index):
    apart = rms(circle[index][:, None], circle[index][None])
    step = np.abs((np.arange(72)[:, None] - np.arange(72) + 36) % 72 - 36)
    neighbours = apart[step == 1].reshape(72, 2).max(1)
    half_turn = apart[step == 36]
    assert (half_turn > 1.3 * neighbours).all()
    apart[step == 0] = np.inf
    assert step[np.arange(72), apart.argmin(1)].max() <= 4


def test_a_picture_is_nearest_to_its_own_object(circle):
    flat = circle[:, ::4].reshape(len(OBJECTS) * 18, -1)
    apart = np.linalg.norm(flat[:, None] - flat, axis=2)
    np.fill_diagonal(apart, np.inf)
    owner = np.repeat(np.arange(len(OBJECTS)), 18)
    assert (owner[apart.argmin(1)] == owner).mean() > 0.95


def test_background_is_black_and_objects_keep_inside(circle):
    border = np.ones((32, 32), bool)
    border[1:-1, 1:-1] = False
    assert (circle[:, :, border] == 0).all()
    covered = (circle > 0).mean((1, 2, 3))
    assert (covered > 0.08).all() and (covered < 0.7).all()


def test_tones_run_from_dark_to_bright(circle):
    for views_of_one in circle:
        low, high = np.percentile(views_of_one[views_of_one > 0], [5, 95])
        assert low < 0.2 and high > 0.6


@pytest.mark.parametrize("name", OBJECTS)
def test_size_changes_the_pixels_and_not_the_picture(name):
    large = render(name, [25], 128).reshape(1, 64, 2, 64, 2).mean((2, 4))
    assert rms(large, render(name, [25], 64)) < 0.03


def test_views_are_labelled():
    images, labels, factors = views(size=16, objects=["house", "mug"], step=90)
    assert images.shape == (8, 16, 16) and labels.dtype == np.int64
    assert [OBJECTS[i] for i in labels] == ["house"] * 4 + ["mug"] * 4
    np.testing.assert_array_equal(factors["angle"], [0, 90, 180, 270] * 2)
    assert images[5:6].tobytes() == render("mug", [90], 16).tobytes()
    assert len(views(size=16, objects=["mug"])[0]) == 72


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: render("mgu", 0), "Did you mean 'mug'"),
        (lambda: render(["mug"], 0), "there is no object"),
        (lambda: render("mug", [0, np.nan]), "got nan"),
        (lambda: render("mug", np.inf), "got inf"),
        (lambda: render("mug", "front"), "must be degrees"),
        (lambda: render("mug", [None]), "must be degrees"),
        (lambda: render("mug", True), "must be degrees"),
        (lambda: render("mug", np.zeros((2, 2))), r"shape \(2, 2\)"),
        (lambda: render("mug", 0, size=8), "from 16 to 256; got 8"),
        (lambda: render("mug", 0, size=512), "Try 64 or 128"),
        (lambda: render("mug", 0, size=64.0), "whole number"),
        (lambda: render("mug", 0, size=True), "whole number"),
        (lambda: views(16, objects="mug"), r"Try \['mug'\]"),
        (lambda: views(16, objects=[]), "list of names"),
        (lambda: views(16, objects=["aeroplan"], step=180), "Did you mean 'aeroplane'"),
        (lambda: views(16, step=7), "divide 360"),
        (lambda: views(16, step=0), "divide 360"),
        (lambda: views(16, step=np.nan), "divide 360"),
        (lambda: views(16, step="5"), "divide 360"),
    ],
)
def test_wrong_inputs_are_told_what_to_do(call, says):
    with pytest.raises(ValueError, match=says):
        call()
