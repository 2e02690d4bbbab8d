"""Measures against brute force and against cases whose answer is known."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from vaecourse import VAE, measures


@pytest.fixture
def clouds():
    """Three classes in the plane: two that overlap and one far away."""
    rng = np.random.default_rng(0)
    middles = np.array([[0, 0], [1, 0], [50, 50]])
    labels = rng.integers(3, size=900)
    points = middles[labels] + rng.normal(size=(900, 2))
    return points[:600], labels[:600], points[600:], labels[600:]


def test_neighbours_are_the_nearest(clouds):
    known, labels, new, _ = clouds
    expected = labels[np.argsort(cdist(new, known), axis=1)[:, :7]]
    assert np.array_equal(measures.neighbour_classes(known, labels, new, k=7), expected)


def test_votes_and_overlap_by_counting(clouds):
    known, labels, new, truth = clouds
    votes = labels[np.argsort(cdist(new, known), axis=1)[:, :10]]
    elected = np.array([np.bincount(v, minlength=3).argmax() for v in votes])
    assert measures.knn_accuracy(known, labels, new, truth) == pytest.approx((elected == truth).mean())
    overlap = measures.overlap_matrix(known, labels, new, truth)
    assert overlap.sum(1) == pytest.approx(np.ones(3))
    assert overlap[0, 1] == pytest.approx((votes[truth == 0] == 1).mean())
    assert overlap[2] == pytest.approx([0, 0, 1]), "the class far away has only itself around it"
    assert 0.1 < overlap[0, 1] < 0.5


def test_one_neighbour_is_allowed(clouds):
    assert measures.neighbour_classes(*clouds[:3], k=1).shape == (300, 1)


def test_elbo_codes_and_error_of_a_model():
    torch.manual_seed(0)
    model = VAE(image_shape=(3, 3), hidden=(6,)).eval()
    x = torch.rand(9000, 3, 3, generator=torch.Generator().manual_seed(1))  # more than one batch
    with torch.no_grad():
        q = model.encode(x)
        assert torch.equal(measures.codes(model, x), q.mean)
        mse = (model.decode(q.mean).mean - x).square().mean().item()
        one = model.elbo(x, torch.Generator().manual_seed(5)).mean().item()
    assert measures.reconstruction_mse(model, x.numpy()) == pytest.approx(mse, rel=1e-5)
    many = measures.mean_elbo(model, x, torch.Generator().manual_seed(2), draws=4)
    assert many == pytest.approx(one, abs=0.05)
    assert measures.mean_elbo(model, x) == measures.mean_elbo(model, x, torch.Generator().manual_seed(0))


def test_tensors_and_arrays_alike(clouds):
    known, labels, new, truth = clouds
    tensors = [torch.tensor(array) for array in (known, labels.astype(float), new, truth)]
    assert measures.knn_accuracy(*tensors) == measures.knn_accuracy(*clouds)
    assert np.array_equal(measures.overlap_matrix(*tensors), measures.overlap_matrix(*clouds))


def test_wrong_input_gets_a_sentence(clouds):
    known, labels, new, truth = clouds
    with pytest.raises(ValueError, match="k = 10 and 5 codes"):
        measures.neighbour_classes(known[:5], labels[:5], new)
    for wrong in (labels[:5], labels[:, None], labels + 0.5):
        with pytest.raises(ValueError, match="known_labels must be"):
            measures.neighbour_classes(known, wrong, new)
    for measure in (measures.knn_accuracy, measures.overlap_matrix):
        with pytest.raises(ValueError, match="new_labels must be"):
            measure(known, labels, new, truth[:, None])
    with pytest.raises(ValueError, match="new_codes must have 2 coordinates"):
        measures.neighbour_classes(known, labels, new[:, :1])
    with pytest.raises(ValueError, match="known_codes must be finite"):
        measures.neighbour_classes(known * np.nan, labels, new)
    with pytest.raises(ValueError, match="no new code has label 1"):
        measures.overlap_matrix(known, labels, new[truth != 1], truth[truth != 1])
    with pytest.raises(ValueError, match="Divide by 255"):
        measures.codes(VAE(image_shape=(2, 2)), torch.full((3, 2, 2), 255.0))
    with pytest.raises(ValueError, match=r"images\[None\]"):
        measures.mean_elbo(VAE(image_shape=(2, 2)), torch.zeros(2, 2))
    for draws in (0, -1, 2.5, "8"):
        with pytest.raises(ValueError, match="draws must be a whole number"):
            measures.mean_elbo(VAE(image_shape=(2, 2)), torch.zeros(3, 2, 2), draws=draws)
    for k in (0, 2.5, True):
        with pytest.raises(ValueError, match="k must be a whole number"):
            measures.knn_accuracy(known, labels, new, truth, k)
    assert measures.knn_accuracy(known, labels, new, truth, 5.0) == measures.knn_accuracy(known, labels, new, truth, 5)
