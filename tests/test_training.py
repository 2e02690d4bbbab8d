"""The loop learns, stops when it must, and goes on bit for bit where it was cut."""

import math
import signal
import subprocess
import sys
import time

import pytest
import torch

from vaecourse import VAE, fit
from vaecourse.__main__ import main
from vaecourse.model import CheckpointError, read_safetensors, save_model, write_safetensors
from vaecourse.training import TrainingDiverged


def stripes(n=600):
    """Images (n, 6, 6) with one bright row each, so that there is something to learn."""
    row = torch.randint(6, (n,), generator=torch.Generator().manual_seed(0))
    images = torch.zeros(n, 6, 6)
    images[torch.arange(n), row] = 0.9
    return images


def fresh(**settings):
    torch.manual_seed(0)
    return VAE(image_shape=(6, 6), hidden=(16,), **settings)


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_training_raises_the_elbo_and_records_it():
    model = fresh()
    history = fit(model, stripes(), epochs=12, device="cpu", progress=False)
    assert len(history.elbo) == len(history.kl) == len(history.sigma) == len(history.seconds) == 12
    assert history.elbo[-1] > history.elbo[0] + 10
    assert history.elbo[3] == pytest.approx(history.log_likelihood[3] - history.kl[3])
    assert not model.training
    measured = model.elbo(stripes(), torch.Generator().manual_seed(0)).mean().item()
    assert measured == pytest.approx(history.elbo[-1], abs=5)


def test_same_seed_same_weights_and_another_seed_others():
    runs = []
    for seed in (0, 0, 1):
        model = fresh()
        fit(model, stripes(), epochs=2, seed=seed, device="cpu", progress=False)
        runs.append(weights(model))
    assert torch.equal(runs[0], runs[1]) and not torch.equal(runs[0], runs[2])


def test_bfloat16_learns_too():
    history = fit(fresh(), stripes(), epochs=12, precision="bfloat16", device="cpu", progress=False)
    assert history.elbo[-1] > history.elbo[0] + 10


def test_a_run_with_a_frozen_layer_goes_on_from_its_checkpoint(tmp_path):
    first, again = fresh(), fresh()
    for model in (first, again):
        model.encoder.net[0].requires_grad_(False)
        fit(model, stripes(), epochs=2, device="cpu", checkpoint=tmp_path / "run.safetensors", progress=False)
    assert torch.equal(weights(again), weights(first))


@pytest.mark.parametrize("cut_after", [1, 3, 4])
def test_a_cut_run_ends_with_the_bits_of_an_uncut_one(tmp_path, monkeypatch, cut_after):
    uncut = fresh()
    whole = fit(uncut, stripes(), epochs=5, device="cpu", progress=False)

    import vaecourse.training.trainer as training

    original, calls = training._Run.train_one_epoch, []

    def cut(self, *arguments):
        if len(calls) == cut_after:
            raise KeyboardInterrupt
        calls.append(1)
        original(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(training._Run, "train_one_epoch", cut)
        with pytest.raises(KeyboardInterrupt):
            fit(fresh(), stripes(), epochs=5, device="cpu", checkpoint=tmp_path / "run.safetensors", progress=False)
    resumed = fresh()
    history = fit(resumed, stripes(), epochs=5, device="cpu", checkpoint=tmp_path / "run.safetensors", progress=False)
    assert torch.equal(weights(resumed), weights(uncut))
    assert history.elbo == whole.elbo
    assert [p.name for p in tmp_path.iterdir()] == ["run.safetensors"]


PROGRAM = """
import sys, torch
sys.path.insert(0, sys.argv[2])
from test_training import fresh, stripes
from vaecourse import fit
torch.set_num_threads(1)
fit(fresh(), stripes(), epochs=40, device="cpu", checkpoint=sys.argv[1], progress=False)
"""


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.17])
def test_a_killed_process_leaves_a_whole_checkpoint(tmp_path, delay, record_property):
    """SIGKILL at a moment nobody chose; then the same call ends with the bits of a run that was never cut."""
    path = tmp_path / "run.safetensors"
    here = str(__import__("pathlib").Path(__file__).parent)
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(path), here])
    while not path.exists() and process.poll() is None:
        time.sleep(0.005)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert path.exists(), "the first epoch was never written"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        resumed, uncut = fresh(), fresh()
        fit(resumed, stripes(), epochs=40, device="cpu", checkpoint=path, progress=False)
        fit(uncut, stripes(), epochs=40, device="cpu", progress=False)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(weights(resumed), weights(uncut))
    fault, seen = f"killed in training, {delay} s after an epoch", "nothing; the same call goes on from the last epoch"
    record_property("fault", (fault, seen, "nothing; it ends with the same bits"))


def test_a_finished_run_is_not_trained_again(tmp_path):
    first, second = fresh(), fresh()
    before = fit(first, stripes(), epochs=2, device="cpu", checkpoint=tmp_path / "c", progress=False)
    after = fit(second, stripes(), epochs=2, device="cpu", checkpoint=tmp_path / "c", progress=False)
    assert after == before and torch.equal(weights(first), weights(second))


@pytest.mark.parametrize(
    ("change", "names"),
    [({"epochs": 3}, "epochs"), ({"seed": 7}, "seed"), ({"batch_size": 64}, "batch_size")],
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path, change, names):
    settings = {"epochs": 2, "device": "cpu", "checkpoint": tmp_path / "c", "progress": False}
    fit(fresh(), stripes(), **settings)
    with pytest.raises(CheckpointError, match=f"another run.*{names}.*resume=False"):
        fit(fresh(), stripes(), **settings | change)
    fit(fresh(), stripes(), **settings | change, resume=False)


def test_a_checkpoint_of_other_images_is_refused(tmp_path):
    settings = {"epochs": 1, "device": "cpu", "checkpoint": tmp_path / "c", "progress": False}
    fit(fresh(), stripes(), **settings)
    with pytest.raises(CheckpointError, match="images differ"):
        fit(fresh(), stripes().flip(0), **settings)


def test_a_loss_that_is_no_number_stops_with_advice(tmp_path):
    model = fresh()
    settings = {"epochs": 3, "device": "cpu", "checkpoint": tmp_path / "c", "progress": False}
    with torch.no_grad():
        model.decoder.net[-1].bias[0] = math.nan
    with pytest.raises(TrainingDiverged, match="smaller learning_rate"):
        fit(model, stripes(), **settings)
    assert not (tmp_path / "c").exists(), "a broken model must not be written"
    assert not model.training


@pytest.mark.parametrize(
    "settings",
    [{"epochs": 0}, {"batch_size": 0}, {"learning_rate": 0.0}, {"learning_rate": math.nan}, {"precision": "float16"}],
)
def test_wrong_settings_get_a_sentence(settings):
    with pytest.raises(ValueError, match="must be"):
        fit(fresh(), stripes(), **{"epochs": 1, "device": "cpu", "progress": False} | settings)


def test_wrong_images_get_a_sentence():
    with pytest.raises(ValueError, match="Divide by 255"):
        fit(fresh(), stripes() * 255, epochs=1, device="cpu", progress=False)


@pytest.mark.parametrize("lost", ["model.", "adam.0.", "generator"])
def test_a_checkpoint_without_all_its_parts_is_refused_with_advice(tmp_path, lost):
    fit(fresh(), stripes(), epochs=2, device="cpu", checkpoint=tmp_path / "c", progress=False)
    tensors, meta = read_safetensors(tmp_path / "c")
    write_safetensors(tmp_path / "c", {k: v for k, v in tensors.items() if not k.startswith(lost)}, meta)
    with pytest.raises(CheckpointError, match=r"lacks parts.*Delete it"):
        fit(fresh(), stripes(), epochs=2, device="cpu", checkpoint=tmp_path / "c", progress=False)


def test_a_model_that_does_not_say_what_it_learned_from_is_not_evaluated(tmp_path, capsys):
    save_model(tmp_path / "stranger.safetensors", fresh(), {})
    assert main(["evaluate", str(tmp_path / "stranger.safetensors")]) == 1
    assert "does not say which images" in capsys.readouterr().err
