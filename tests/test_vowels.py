"""Vowels: the levels of their harmonics against SciPy's filters and an analog pipe, and what jaw and tongue do."""

from hashlib import sha256

import numpy as np
import pytest
import torch
from scipy.signal import freqz, lfilter

from vaecourse import VAE, fit, load_dataset
from vaecourse.data.vowels import HARMONICS, VOWELS, draw, recover, resonances, sample, to_decibels

PLACES = [*VOWELS.values(), (0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (1.0, 0.0)]
WIDTHS = (60.0, 80.0, 120.0, 180.0)  # Hz


def pole(f, width, rate=10_000):
    return np.exp(-np.pi * width / rate + 2j * np.pi * f / rate)


def levels(jaw, tongue):
    """dB, by SciPy, from the poles of the whole filter; the source falls by 6 dB an octave."""
    f = [250 + 500 * jaw, 800 + 1500 * tongue, 2700, 3500]
    poles = [pole(*pair) for pair in zip(f, WIDTHS, strict=True)]
    a = np.poly([*poles, *np.conj(poles)]).real
    _, gain = freqz(a.sum(), a, np.array(HARMONICS), fs=10_000)
    return 20 * np.log10(abs(gain)) - 20 * np.log10(np.array(HARMONICS) / 125) * np.log2(10 ** (6 / 20))


@pytest.mark.parametrize(("jaw", "tongue"), PLACES)
def test_the_harmonics_have_the_levels_of_scipys_filter(jaw, tongue):
    x = draw(torch.tensor(jaw, dtype=torch.float64), tongue)
    assert x.shape == (1, 32) and x.dtype == torch.float64
    np.testing.assert_allclose(to_decibels(x)[0], levels(jaw, tongue), atol=1e-9)
    np.testing.assert_allclose(to_decibels(draw(jaw, tongue))[0], levels(jaw, tongue), atol=2e-3)  # single precision


@pytest.mark.parametrize(("jaw", "tongue"), PLACES)
def test_a_pulse_every_8_ms_through_the_resonators_sounds_with_these_harmonics(jaw, tongue):
    """The sound itself, sample by sample: pulses, each resonator as Klatt writes it, and the spectrum of a second."""
    out = np.zeros(20_000)
    out[::80] = 1  # 125 Hz
    for f, width in zip(resonances(jaw, tongue).tolist(), WIDTHS, strict=True):
        c = -np.exp(-2 * np.pi * width / 10_000)
        b = 2 * np.exp(-np.pi * width / 10_000) * np.cos(2 * np.pi * f / 10_000)
        out = lfilter([1 - b - c], [1, -b, -c], out)
    heard = abs(np.fft.rfft(out[10_000:]))[125:4001:125] / 125  # after a second, when the start has died away
    source = -6 * np.log2(np.array(HARMONICS) / 125)
    np.testing.assert_allclose(20 * np.log10(heard) + source, to_decibels(draw(jaw, tongue))[0], atol=2e-3)


@pytest.mark.parametrize("name", VOWELS)
def test_it_is_an_analog_pipe_whose_resonances_come_again_every_10_khz(name):
    """A real pipe has resonances above the fourth, too; those of a digital filter are its mirror images."""
    s = 2j * np.pi * np.array(HARMONICS)
    again = 2j * np.pi * 10_000 * np.arange(-2000, 2001)[:, None]
    expected = -6 * np.log2(np.array(HARMONICS) / 125)
    for f, width in zip(resonances(*VOWELS[name]).tolist(), WIDTHS, strict=True):
        for p in (-np.pi * width + 2j * np.pi * f, -np.pi * width - 2j * np.pi * f):
            expected += 20 * np.log10(abs((p + again) / (s - p - again))).sum(0)
    np.testing.assert_allclose(to_decibels(draw(*VOWELS[name]))[0], expected, atol=0.01)


def test_the_named_vowels_have_the_resonances_that_were_measured():
    measured = {"ee": (270, 2290), "eh": (530, 1840), "ah": (730, 1090), "aw": (570, 840), "oo": (300, 870)}
    for name, (f1, f2) in measured.items():
        assert resonances(*VOWELS[name]).tolist() == pytest.approx([f1, f2, 2700, 3500])


def test_shapes_follow_the_places_and_every_level_fits_the_scale():
    assert draw(np.zeros((4, 1)), [0.1, 0.2]).shape == (4, 2, 1, 32) and resonances([0.0, 1.0], 0).shape == (2, 4)
    axis = torch.linspace(0, 1, 101)
    x = draw(*torch.cartesian_prod(axis, axis).T)
    assert 0 < x.min() < 0.01 and 0.99 < x.max() < 1
    torch.testing.assert_close(to_decibels(x), 100 * x - 75)


def test_jaw_and_tongue_are_recovered_from_a_vowel_and_a_fade_is_none():
    axis = torch.linspace(0, 1, 12)
    jaw, tongue = torch.cartesian_prod(axis, axis).T
    found = recover(draw(jaw, tongue))
    assert (found[0] - jaw).abs().max() < 0.006 and (found[1] - tongue).abs().max() < 0.006 and found[2].max() < 0.4
    shifted = draw(*VOWELS["ah"])[None] - 0.02  # 2 dB softer: no vowel of this course is, but the nearest is the same
    _, _, off = recover(shifted)
    assert 1 < off.item() <= 2.01
    both = (draw(*VOWELS["ee"]) + draw(*VOWELS["ah"]))[None] / 2
    # Against a search with SciPy's own filter, over other places.
    places = np.linspace(0, 1, 81)
    direct = min(
        np.sqrt(((to_decibels(both)[0, 0].numpy() - levels(a, b)) ** 2).mean()) for a in places for b in places
    )
    assert recover(both)[2].item() == pytest.approx(direct, abs=0.02) and direct > 5


def test_nothing_is_made_on_a_device_that_nobody_named():
    """On the default device here, whatever is made without one has no numbers in it, and meets the others badly."""
    jaw = torch.linspace(0, 1, 5, dtype=torch.float64)
    torch.set_default_device("meta")
    try:
        x = draw(jaw, 0.5)
        found = recover(x.float())
    finally:
        torch.set_default_device(None)
    torch.testing.assert_close(x, draw(jaw, 0.5))
    torch.testing.assert_close(found[0], jaw.float(), atol=0.006, rtol=0)


def test_the_set_is_what_its_factors_say():
    train, test = load_dataset("vowels"), load_dataset("vowels", split="test")
    assert (len(train), len(test)) == (6000, 1000) and train.images.shape == (6000, 1, 32)
    assert train.class_names == tuple(VOWELS) and set(train.labels.tolist()) == set(range(5))
    assert not {tuple(x.flatten().tolist()) for x in train.images} & {tuple(x.flatten().tolist()) for x in test.images}
    torch.testing.assert_close(draw(**train.factors).float(), train.images)
    for places in train.factors.values():
        assert abs(places.mean() - 0.5) < 0.02 and abs(places.std() - 12**-0.5) < 0.01
    jaw, tongue = VOWELS["ee"]
    near = (train.factors["jaw"] - jaw).abs().add((train.factors["tongue"] - tongue).abs()) < 0.1
    assert near.any() and (train.labels[near] == train.class_names.index("ee")).all()
    assert "vowels" in train.name and "Vowels" in train.source


def test_the_pictures_are_the_same_on_every_machine():
    """What is trained and claimed rests on these very floats: a change here is a change of all of that."""
    images, labels, _ = sample(500, np.random.default_rng(7))
    assert sha256(images.tobytes() + labels.astype("<i8").tobytes()).hexdigest().startswith("dd98e68a886c06e2")


@pytest.mark.slow
def test_a_vae_learns_them_and_the_middle_of_its_line_is_a_vowel_where_a_fade_is_none():
    torch.manual_seed(0)
    model = VAE((1, 32), 2, hidden=(64, 64))
    fit(model, load_dataset("vowels").images, 30, learning_rate=3e-3, progress=False)
    model.eval()
    ends = draw(*torch.tensor([VOWELS["ee"], VOWELS["ah"]]).T)
    with torch.no_grad():
        line = model.decode(model.encode(ends).mean.mean(0, keepdim=True)).mean
    assert model.sigma < 0.015
    assert recover(line)[2].item() < 1.5 and recover(ends.mean(0, keepdim=True))[2].item() > 5


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: draw(1.5, 0), ValueError, "jaw must be from 0 to 1; got 1.5. Keep it"),
        (lambda: draw(0, np.nan), ValueError, "tongue must be from 0 to 1"),
        (lambda: resonances("open", 0), ValueError, "jaw must be an array of numbers"),
        (lambda: recover(np.zeros((3, 1, 31))), ValueError, r"x must be \(N, 1, 32\)"),
        (lambda: recover(np.full((3, 1, 32), 2.0)), ValueError, r"x must lie in \[0, 1\]"),
        (lambda: to_decibels("loud"), ValueError, "x must be an array of numbers"),
        (lambda: sample(3, 0), TypeError, "default_rng"),
        (lambda: sample(2.5, np.random.default_rng(0)), ValueError, "positive whole number"),
    ],
)
def test_wrong_inputs_are_told_what_to_do(call, error, says):
    with pytest.raises(error, match=says):
        call()
