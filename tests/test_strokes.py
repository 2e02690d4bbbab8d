"""The strokes against moments and areas of their ink, and that they are the same everywhere."""

from hashlib import sha256

import numpy as np
import pytest

from vaecourse.data import strokes
from vaecourse.data.strokes import FACTORS, STYLES, draw, sample

U, V = np.meshgrid(np.arange(28) - 13.5, 13.5 - np.arange(28))  # x to the right, y up, from the middle of the frame
EVERY_LETTER = [(digit, style) for digit, names in STYLES.items() for style in range(len(names))]
LABELS, LETTER_STYLES = np.array(EVERY_LETTER).T


def moments(images):
    """Centre of mass (x, y) and central second moments (xx, xy, yy) of the ink."""
    ink = images.astype(float) / images.sum((1, 2), keepdims=True, dtype=float)
    x, y = ((ink * axis).sum((1, 2)) for axis in (U, V))
    u, v = U - x[:, None, None], V - y[:, None, None]
    return (x, y), tuple((ink * product).sum((1, 2)) for product in (u * u, u * v, v * v))


@pytest.fixture(scope="module")
def digits():
    return sample(2500, np.random.default_rng(0))


@pytest.mark.parametrize(("digit", "style"), EVERY_LETTER)
def test_slant_of_the_moments_follows_the_factor(digit, style):
    slant = np.linspace(-0.6, 0.8, 15)
    _, (_, xy, yy) = moments(draw(digit, style=style, slant=slant))
    measured = xy / yy  # a shear x + slant·y adds slant to this ratio; a pen of constant width adds a little less
    assert (np.diff(measured) > 0).all()
    slope, intercept = np.polyfit(slant, measured, 1)
    assert 0.8 < slope < 1.02
    assert np.abs(slope * slant + intercept - measured).max() < 0.02


def test_a_straight_1_has_exactly_its_slant():
    _, (_, xy, yy) = moments(draw(1, slant=[-0.4, 0.0, 0.4], thickness=1.0))
    np.testing.assert_allclose(xy / yy, [-0.4, 0.0, 0.4], atol=0.01)


def test_rotation_is_counter_clockwise_in_degrees():
    turned = moments(draw(1, rotation=[30.0, -30.0]))[1]
    from_upright = np.rad2deg(np.arctan2(2 * turned[1], turned[0] - turned[2]) / 2) - 90  # principal axis
    np.testing.assert_allclose((from_upright + 90) % 180 - 90, [30, -30], atol=0.5)


@pytest.mark.parametrize(("turn", "quarters"), [(90.0, 1), (180.0, 2), (-90.0, 3)])
def test_rotation_by_right_angles_moves_pixels_only(turn, quarters):
    upright = draw(LABELS, style=LETTER_STYLES)
    turned = draw(LABELS, style=LETTER_STYLES, rotation=turn)
    np.testing.assert_allclose(turned, np.rot90(upright, quarters, axes=(1, 2)), atol=1e-3)


def test_thickness_is_the_area_of_the_ink_per_length():
    thickness = np.linspace(1, 5, 9)
    ink = draw(1, thickness=thickness).sum((1, 2))
    # The ink of a straight 1 is a rectangle with two half discs: its outside is 20 pixels high whatever the pen.
    np.testing.assert_allclose(ink, thickness * (20 - thickness) + np.pi * thickness**2 / 4, rtol=0.03)
    for digit, style in EVERY_LETTER:
        assert (np.diff(draw(digit, style=style, thickness=thickness).sum((1, 2))) > 0).all()


def test_width_stretches_the_ink_sideways():
    _, (xx, _, yy) = moments(draw(0, width=np.linspace(0.5, 1.1, 7)))
    assert (np.diff(xx / yy) > 0).all()
    narrow, wide = (np.ptp(np.flatnonzero(image.max(0) > 0.5)) for image in draw(0, width=[0.5, 1.0], thickness=1.0))
    assert wide / narrow == pytest.approx(2, abs=0.25)


def test_ink_fits_a_box_of_20_pixels():
    tall, wide = (draw(LABELS, style=LETTER_STYLES, thickness=3.0, slant=0.2, width=width) for width in (0.7, 1.8))
    for image in np.concatenate([tall, wide]):
        sides = [np.ptp(np.flatnonzero(image.max(axis) > 0.5)) + 1 for axis in (0, 1)]
        assert 19 <= max(sides) <= 21


def test_centre_of_mass_is_in_the_middle(digits):
    (x, y), _ = moments(draw(LABELS, style=LETTER_STYLES, slant=0.2))
    assert np.hypot(x, y).max() < 0.15
    (x, y), _ = moments(digits[0])
    assert np.quantile(np.hypot(x, y), 0.99) < 0.15


def test_jitter_bends_smoothly_and_zero_leaves_the_clean_letter():
    clean = draw(3)
    np.testing.assert_array_equal(draw(3, jitter=np.zeros((1, 4, 2))), clean)
    bent = draw(3, jitter=np.random.default_rng(0).standard_normal((5, 4, 2)))
    assert bent.shape == (5, 28, 28)
    assert np.abs(bent - clean).max((1, 2)).min() > 0.3
    # Moving both coordinates of a path by its first wave brings its ends together or apart: a shear of a straight 1.
    shifted = draw(1, jitter=[[[4.0, 0.0]]])
    _, (_, xy, yy) = moments(shifted)
    assert xy / yy == pytest.approx(2 * 4 * 0.025, rel=0.25)


def test_range_dtype_and_broadcasting():
    images = draw([3, 8], slant=np.array([0.1, 0.2]), width=1.1)
    assert images.shape == (2, 28, 28) and images.dtype == np.float32
    assert images.min() == 0 and images.max() == 1
    np.testing.assert_array_equal(images[1:], draw(8, slant=0.2, width=1.1))
    assert draw(5).shape == (1, 28, 28)
    assert draw([]).shape == (0, 28, 28)


def test_chunks_do_not_show(monkeypatch):
    expected = draw(LABELS, style=LETTER_STYLES)
    monkeypatch.setattr(strokes, "CHUNK", 5)
    np.testing.assert_array_equal(draw(LABELS, style=LETTER_STYLES), expected)


def test_the_pictures_are_the_same_to_the_last_bit_on_every_machine():
    """What is trained and claimed rests on these very floats: a change here is a change of all of that."""
    jitter = np.full((1, 6, 2), 0.5)
    images = draw(LABELS, style=LETTER_STYLES, slant=0.2, rotation=7.0, width=0.9, jitter=jitter)
    assert sha256(images).hexdigest().startswith("61477e7fc91a9d13")


def test_every_letter_is_its_own():
    images = draw(LABELS, style=LETTER_STYLES).reshape(len(LABELS), -1)
    apart = np.linalg.norm(images[:, None] - images[None], axis=-1)
    assert apart[~np.eye(len(apart), dtype=bool)].min() > 2
    assert sum(len(names) > 1 for names in STYLES.values()) >= 5


def test_shares_of_each_digit_sum_to_one():
    for digit in range(10):
        assert sum(letter.share for letter in strokes.LETTERS if letter.digit == digit) == pytest.approx(1)


def test_sample_draws_what_its_factors_say(digits):
    images, labels, factors = digits
    assert images.shape == (2500, 28, 28) and images.dtype == np.float32
    assert images.min() == 0 and images.max() == 1
    assert set(factors) == {"style", *FACTORS}
    assert np.bincount(labels, minlength=10).min() > 250 - 5 * np.sqrt(225)  # five standard deviations of a binomial
    for name, factor in FACTORS.items():
        assert factors[name].shape == (2500,)
        assert factor.low <= factors[name].min() and factors[name].max() <= factor.high
        assert factors[name].mean() == pytest.approx(factor.mean, abs=5 * factor.sd / 50)
        assert factors[name].std() == pytest.approx(factor.sd, rel=0.1)
    for letter in strokes.LETTERS:
        styles = factors["style"][labels == letter.digit]
        seen = (styles == STYLES[letter.digit].index(letter.name)).mean()
        assert seen == pytest.approx(letter.share, abs=4 * np.sqrt(letter.share * (1 - letter.share) / len(styles)))
    assert np.abs(images - draw(labels, **factors)).max((1, 2)).min() > 0.05  # each digit is bent in its own way
    for digit in range(10):  # the jitter, the style and the other factors blur the relation, and must not drown it
        chosen = labels == digit
        _, (_, xy, yy) = moments(images[chosen])
        assert np.corrcoef(xy / yy, factors["slant"][chosen])[0, 1] > 0.6
        assert np.corrcoef(images[chosen].sum((1, 2)), factors["thickness"][chosen])[0, 1] > 0.6


def test_sample_is_as_heavy_as_mnist(digits):
    assert digits[0].mean() == pytest.approx(0.1325, abs=0.01)  # the mean pixel of MNIST's test images


def test_same_seed_same_digits_and_another_seed_others(digits):
    again, labels, factors = sample(2500, np.random.default_rng(0))
    np.testing.assert_array_equal(again, digits[0])
    np.testing.assert_array_equal(labels, digits[1])
    for name, values in factors.items():
        np.testing.assert_array_equal(values, digits[2][name])
    assert (sample(20, np.random.default_rng(1))[0] != sample(20, np.random.default_rng(2))[0]).any()


def test_nearest_neighbours_tell_the_classes_apart(digits):
    images, labels, _ = digits
    pixels = images.reshape(2500, -1)
    train, test = pixels[:2000], pixels[2000:]
    nearest = ((train**2).sum(1) - 2 * test @ train.T).argsort(1)[:, :5]
    votes = np.array([np.bincount(row, minlength=10).argmax() for row in labels[nearest]])
    assert (votes == labels[2000:]).mean() > 0.9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"label": 10}, "label must be a digit, 0 to 9; got 10"),
        ({"label": [1, 2.5]}, "got 2.5"),
        ({"label": "seven"}, "label must be a number"),
        ({"label": 7, "style": 3}, r"the styles of digit 7 are 0 \(plain\), 1 \(with a bar\).*got style=3"),
        ({"label": 7, "style": -1}, "got style=-1"),
        ({"label": 7, "style": 0.5}, "got style=0.5"),
        ({"label": 7, "slant": np.nan}, "slant must be finite"),
        ({"label": 7, "jitter": np.full((1, 2, 2), np.inf)}, "jitter must be finite"),
        ({"label": 7, "thickness": 0.2}, r"thickness must be within \[1.0, 5.0\] \(pixels\)"),
        ({"label": 7, "rotation": 200}, r"rotation must be within \[-180.0, 180.0\]"),
        ({"label": 7, "width": [1, 9]}, "width must be within"),
        ({"label": 7, "jitter": np.zeros((3, 2))}, r"jitter must be \(N, K, 2\).*got \(3, 2\)"),
        ({"label": [1, 2], "slant": [0.1, 0.2, 0.3]}, r"one and the same N; got .*'slant': \(3,\)"),
        ({"label": [[1, 2]]}, r"\(N,\) array"),
    ],
)
def test_draw_says_what_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw(**arguments)


@pytest.mark.parametrize("generator", [0, np.random.RandomState(0), None])
def test_sample_wants_a_generator(generator):
    with pytest.raises(TypeError, match=r"np\.random\.default_rng"):
        sample(3, generator)


@pytest.mark.parametrize("n", [0, -1, 2.5, "10"])
def test_sample_wants_a_positive_count(n):
    with pytest.raises(ValueError, match="positive whole number"):
        sample(n, np.random.default_rng(0))
