"""Models that the course does not ship: pixels that are 0 or 1."""

import numpy as np
import pytest
import torch

from vaecourse import VAE, commands, measures
from vaecourse.data import ImageSet, datasets
from vaecourse.model import checkpoints
from vaecourse.training import recipes


def few(name, split="train", **_):
    """A handful of drawn digits, of which each pixel is 0 or 1, in the place of a data set."""
    images, labels, factors = datasets.strokes.sample(60, np.random.default_rng(split == "train"))
    return ImageSet(images.round(), labels, name, "drawn here", datasets.DIGITS, factors)


def test_a_model_without_a_sigma_can_be_evaluated(monkeypatch, tmp_path, capsys):
    torch.manual_seed(0)
    model = VAE(hidden=(8,), likelihood="bernoulli")
    checkpoints.save_model(tmp_path / "mine.safetensors", model, {"recipe": {"dataset": "strokes"}})
    monkeypatch.setattr(commands, "load_dataset", few)
    assert commands.run(["evaluate", str(tmp_path / "mine.safetensors")]) == 0
    said = dict(line.split()[:2] for line in capsys.readouterr().out.splitlines())
    assert said.keys() == {"elbo", "mse", "knn_accuracy"}
    loaded = checkpoints.load_model(tmp_path / "mine.safetensors")  # its weights were rounded to half precision
    assert float(said["mse"]) == pytest.approx(measures.reconstruction_mse(loaded, few("", "test").images), rel=1e-3)


def test_a_teacher_in_training_mode_teaches_without_its_dropout():
    learnt = []
    for training in (False, True):
        torch.manual_seed(0)
        own = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Dropout(), torch.nn.Linear(784, 4))
        teacher, student = VAE(hidden=(8,), encoder=own).train(training), VAE(hidden=(8,))
        x = torch.rand(20, 28, 28, generator=torch.Generator().manual_seed(0))
        recipes.distil(teacher, student, x, epochs=2, device="cpu", progress=False)
        assert teacher.training is training
        learnt.append(torch.cat([p.flatten() for p in student.parameters()]))
    assert torch.equal(*learnt)


@pytest.mark.parametrize("likelihoods", [("bernoulli", "gaussian"), ("gaussian", "bernoulli")])
def test_who_has_no_sigma_neither_teaches_nor_learns(likelihoods):
    teacher, student = (VAE(hidden=(8,), likelihood=likelihood) for likelihood in likelihoods)
    with pytest.raises(ValueError, match='likelihood="gaussian"'):
        recipes.distil(teacher, student, torch.zeros(4, 28, 28), epochs=1)
