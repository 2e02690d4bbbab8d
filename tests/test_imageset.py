"""ImageSet: what comes in becomes checked tensors, or is refused in a sentence."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from vaecourse import VAE, ImageSet, fit, measures, plots
from vaecourse.views import protocol


def some(**changed):
    rng = np.random.default_rng(3)
    fields = {
        "images": rng.random((6, 4, 5), dtype=np.float32),
        "labels": np.array([0, 1, 2, 0, 1, 2]),
        "name": "some",
        "source": "Made here.",
        "class_names": ("a", "b", "c"),
        "factors": {"angle": np.arange(6.0)},
    }
    return ImageSet(**fields | changed)


def with_value(value):
    images = np.zeros((6, 4, 5), np.float32)
    images[5, 3, 4] = value
    return images


BAD_SETS = {
    "flat": ({"images": np.zeros((6, 20), np.float32)}, r"must be \(N, H, W\)"),
    "0 to 255": ({"images": with_value(255)}, "Divide by 255"),
    "integers": ({"images": with_value(1).astype(np.uint8)}, "must be floats"),
    "negative": ({"images": with_value(-0.5)}, "Shift and scale"),
    "NaN": ({"images": with_value(np.nan)}, "NaN or infinity"),
    "infinite": ({"images": with_value(np.inf)}, "NaN or infinity"),
    "minus infinite": ({"images": with_value(-np.inf)}, "NaN or infinity"),
    "empty": ({"images": np.zeros((0, 4, 5), np.float32), "labels": np.zeros(0, np.int64)}, "are empty"),
    "text": ({"images": np.array("abc")}, "array of numbers"),
    "colours last": ({"images": np.zeros((6, 8, 9, 3), np.float32)}, "moveaxis"),
    "too few labels": ({"labels": np.zeros(5, np.int64)}, "labels of these very images"),
    "a column of labels": ({"labels": np.zeros((6, 1), np.int64)}, r"must be \(6,\); got \(6, 1\)"),
    "fractional labels": ({"labels": [0, 1, 0.5, 0, 0, 0]}, "whole numbers; got 0.5"),
    "unknown label": ({"labels": [0, 1, np.nan, 0, 0, 0]}, "whole numbers; got nan"),
    "worded labels": ({"labels": ["a"] * 6}, "labels must be an array of numbers"),
    "unnamed class": ({"labels": np.full(6, 3)}, "Name every class"),
    "negative label": ({"labels": np.full(6, -1)}, "count from 0"),
    "short factor": ({"factors": {"angle": np.zeros(5)}}, "'angle' must be 6"),
    "unknown factor": ({"factors": {"angle": np.full(6, np.nan)}}, "finite"),
}


@pytest.mark.parametrize("changed, said", BAD_SETS.values(), ids=BAD_SETS)
def test_a_wrong_set_is_refused_with_advice(changed, said):
    with pytest.raises(ValueError, match=said):
        some(**changed)


@pytest.mark.parametrize(
    "labels",
    [[0.0, 1, 2, 0, 1, 2], np.array([0, 1, 2] * 2, ">i2"), torch.tensor([0, 1, 2] * 2, dtype=torch.uint8)],
    ids=["floats", "other bytes", "small"],
)
def test_whatever_holds_them_becomes_tensors(labels):
    wanted, pixels = some(), some().images
    for images in (pixels.double().numpy(), pixels.numpy()[::-1][::-1], pixels.tolist(), list(pixels), some()):
        got = some(images=images, labels=labels)
        assert (got.images.dtype, got.labels.dtype, got.labels.tolist()) == (torch.float32, torch.int64, [0, 1, 2] * 2)
        assert torch.equal(got.images, wanted.images) and got.digest() == wanted.digest()
    assert torch.equal(wanted.factors["angle"], torch.arange(6.0).double())


def test_a_set_keeps_what_it_was_given_whatever_becomes_of_the_array():
    pixels = with_value(1)
    kept = some(images=pixels)
    pixels[:] = 0
    assert kept.images.max() == 1


def test_a_set_in_colour_is_learnt_by_a_model_in_colour():
    colours = some(images=np.random.default_rng(0).random((6, 3, 4, 5)))
    torch.manual_seed(0)
    model = VAE(image_shape=tuple(colours.images.shape[1:]), hidden=(8,))
    fit(model, colours, epochs=1, progress=False)
    assert measures.codes(model, colours.subset([0, 1])).shape == (2, 2)


DIGEST = "dc0564e923700dc32135b03345d74f6b7ca58f5e657c1daef1a43328247c5111"
MASK = [True, False] * 3


SLICES = [slice(1, 5, 2), slice(None, None, -1)]
TENSORS = [torch.tensor(MASK), torch.tensor([5, 5]), torch.tensor([2]), torch.tensor(1)]


@pytest.mark.parametrize("index", [*SLICES, *TENSORS, MASK, np.array(MASK), [3, 0], 4, -1, np.int64(3)])
def test_subset(index):
    whole, part = some(), some().subset(index)
    expected = np.atleast_1d(np.arange(6)[index.numpy() if isinstance(index, torch.Tensor) else index])
    assert len(part) == len(expected)
    for k, i in enumerate(expected):
        assert torch.equal(part.images[k], whole.images[i])
        assert part.labels[k] == whole.labels[i] and part.factors["angle"][k] == whole.factors["angle"][i]
    assert (part.name, part.source, part.class_names) == (whole.name, whole.source, whole.class_names)


def test_subset_refuses_what_is_not_there():
    for index in (6, [0, 9], [0.5], np.zeros(5, bool), torch.zeros(5, dtype=torch.bool), torch.tensor([6])):
        with pytest.raises(IndexError):
            some().subset(index)
    with pytest.raises(ValueError, match="empty"):
        some().subset(some().labels == 7)


def test_digest_sees_every_change_and_nothing_else():
    images, labels = some().images, some().labels
    assert some().digest() == some(images=images + 0).digest() == some(name="other", factors={}).digest()
    assert some().digest() == some(images=np.asfortranarray(images)).digest()
    assert some(images=with_value(0.5)).digest() != some(images=with_value(0.25)).digest()
    assert some().digest() != some(labels=labels.flip(0)).digest()
    assert some().digest() != some(images=images.reshape(6, 5, 4)).digest()
    # As it stood in the recipes of models that were trained when sets held arrays.
    assert some(images=with_value(0.5)).digest() == DIGEST


def test_a_set_can_be_replaced_and_its_repr_is_short():
    turned = replace(some(), images=1 - some().images)
    assert torch.equal(turned.images, 1 - some().images) and turned.source == "Made here."
    assert len(repr(some())) < 200


def test_views_are_scored_and_pictures_drawn_from_tensors_and_arrays_alike():
    views = torch.rand(2, 6, 16, 16, generator=torch.Generator().manual_seed(0))
    known, true = protocol.known_views(views, 2), protocol.held_out(views.double().numpy(), 2)
    assert torch.equal(known, views[:, ::2]) and torch.equal(true[:, :, 0], views[:, 1::2])
    for method in (protocol.nearest, protocol.cross_fade, protocol.eigenspace, protocol.optical_flow):
        new = method(known.numpy(), [0.5])
        assert torch.equal(new, method(known, [0.5]))
    assert np.array_equal(protocol.score(new.numpy(), true).psnr, protocol.score(new, true.numpy()).psnr)
    with pytest.raises(ValueError, match="true views must lie"):
        protocol.score(new, 255 * true)
    with pytest.raises(ValueError, match="new views hold NaN"):
        protocol.score(new * torch.nan, true)
    assert protocol.score(1.001 * new, true).psnr == pytest.approx(protocol.score(new, true).psnr, abs=0.1)
    assert np.array_equal(plots.tile(views[0], 3), plots.tile(views[0].numpy(), 3))
    assert np.array_equal(plots.tile(some(), 3), plots.tile(some().images, 3))
    for wrong in (views, views[0, 0]):
        with pytest.raises(ValueError, match=r"\(N, H, W\), in grey"):
            plots.image_row(wrong)
    fig, axes = plt.subplots(1, 2)
    for ax, given in zip(axes, (torch.eye(2), [[1.0, 0], [0, 1]]), strict=True):
        plots.scatter_codes(ax, given, given[0], ("no", "yes"))
    assert np.array_equal(*(ax.collections[0].get_offsets() for ax in axes))
    with pytest.raises(ValueError, match="labels must be"):
        plots.scatter_codes(axes[0], torch.eye(2), [[0], [1]], ("no", "yes"))
    for codes, labels in ((torch.eye(2) / 0, [0, 1]), (torch.eye(2), [0, 2])):
        with pytest.raises(ValueError, match=r"codes must be finite|labels must be whole numbers from 0 to 1"):
            plots.scatter_codes(axes[0], codes, labels, ("no", "yes"))
    plt.close(fig)


def test_a_row_of_pictures_is_not_shown_clipped_without_a_word():
    for wrong in (255 * torch.eye(4)[None], 16 * torch.eye(4)[None], torch.eye(4)[None] - 1, torch.eye(4)[None] / 0):
        with pytest.raises(ValueError, match=r"images (must lie|hold NaN)"):
            plots.image_row(wrong)
    for titles in (["one"], []):
        with pytest.raises(ValueError, match="one for each of the 2 images"):
            plots.image_row(torch.zeros(2, 4, 4), titles)
    plt.close(plots.image_row(1.1 * torch.eye(4)[None]))
    fig, ax = plt.subplots()
    for values in (torch.ones(2, 3), torch.eye(3), torch.eye(2) / 0):
        with pytest.raises(ValueError, match="one row a name of 2"):
            plots.matrix(ax, values, ("a", "b"))
    plt.close(fig)
    for columns in (0, 2.5, True):
        with pytest.raises(ValueError, match="columns must be a whole number"):
            plots.tile(torch.zeros(2, 4, 4), columns)
