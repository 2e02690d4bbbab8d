"""Drawings of a mechanism: can every word be read on a phone, and are the numbers those of the model?"""

import itertools

import matplotlib.pyplot as plt
import pytest
import torch

from vaecourse import load_dataset, load_pretrained
from vaecourse.course import diagrams


@pytest.fixture(scope="module")
def model():
    return load_pretrained("strokes-2d")


@pytest.fixture(scope="module")
def images():
    return load_dataset("strokes", split="test").images[:20]


def words(fig):
    """The texts of a figure, each with the place that it covers; closes it."""
    fig.canvas.draw()
    renderer = fig.canvas.get_renderer()
    found = [(text.get_text(), text.get_window_extent(renderer)) for text in fig.axes[0].texts if text.get_text()]
    plt.close(fig)
    return found


def drawings(model, images):
    yield "drawn", diagrams.reparameterised()
    for x in (
        images[0],
        images[model.encode(images).mean.min(1).values.argmin()],
    ):  # and where the longest numbers stand
        yield "two", diagrams.two_networks(model, x)
        yield "guess", diagrams.guess_and_drawing(model, x, torch.Generator().manual_seed(0))


def test_words_stand_side_by_side_and_are_large_on_a_phone(model, images):
    for name, fig in drawings(model, images):
        page, shrunk = fig.bbox, 340 / (96 * fig.get_figwidth())  # a phone shows 340 pixels of it
        sizes = [text.get_fontsize() / 72 * 96 * shrunk for text in fig.axes[0].texts if text.get_text()]
        assert min(sizes) > 11, name
        found = words(fig)
        for text, place in found:
            assert page.x0 <= place.x0 and place.x1 <= page.x1 and page.y0 <= place.y0 and place.y1 <= page.y1, (
                name,
                text,
            )
        for (one, a), (other, b) in itertools.combinations(found, 2):
            assert not a.overlaps(b), (name, one, other)


def test_the_numbers_are_those_of_the_model(model, images):
    q = model.encode(images[0])
    text = " ".join(text for text, _ in words(diagrams.two_networks(model, images[0]))).replace("−", "-")
    assert all(f"{number:.2f}" in text for number in q.mean.tolist())
    drawn = diagrams.guess_and_drawing(model, images[0], torch.Generator().manual_seed(0))
    text = " ".join(text for text, _ in words(drawn)).replace("−", "-")
    noise = torch.randn(2, generator=torch.Generator().manual_seed(0))
    assert all(f"{number:.2f}" in text for number in (q.mean + q.stddev * noise).tolist())
    assert all(f"{number:.3f}" in text for number in q.stddev.tolist())
