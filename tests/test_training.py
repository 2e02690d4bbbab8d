"""The loop learns, stops when it must, and goes on bit for bit where it was cut."""

import math
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from vaecourse import VAE, fit, measures
from vaecourse.__main__ import main
from vaecourse.model import CheckpointError, Classifier, read_safetensors, save_model, write_safetensors
from vaecourse.training import Trainer, TrainingDiverged, distil, fit_classifier, shuffled
from vaecourse.views import ViewVAE, fit_views


def stripes(n=600):
    """Images (n, 6, 6) with one bright row each, so that there is something to learn."""
    row = torch.randint(6, (n,), generator=torch.Generator().manual_seed(0))
    images = torch.zeros(n, 6, 6)
    images[torch.arange(n), row] = 0.9
    return images


def fresh(born=0, **settings):
    torch.manual_seed(born)
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
    assert history.elbo[-1] < measured < history.elbo[-1] + 10, "sigma is set once more in the end"


def test_same_seed_same_weights_and_another_seed_others():
    runs = []
    for seed in (0, 0, 1):
        model = fresh()
        fit(model, stripes(), epochs=2, seed=seed, device="cpu", progress=False)
        runs.append(weights(model))
    assert torch.equal(runs[0], runs[1]) and not torch.equal(runs[0], runs[2])


def by_hand(model, images, epochs, batch_size, seed, precision):
    """What `fit` says that it does, written down once more; the mean ELBO of the last epoch."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    total = epochs * math.ceil(len(images) / batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total)
    for _ in range(epochs):
        order, elbo = torch.randperm(len(images), generator=generator), 0.0
        for start in range(0, len(images), batch_size):
            x = images[order[start : start + batch_size]]
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
                loss = -model.elbo(x, generator).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            elbo -= loss.item() * len(x) / len(images)
    with torch.no_grad():
        q = model.encode(images)
        z = q.mean + q.stddev * torch.randn(q.mean.shape, generator=generator)
        model.log_sigma.copy_((model.decode(z).mean - images).square().mean().sqrt().log())
    return elbo


def test_fit_does_what_it_says():
    """Every image once an epoch in a random order, products in the precision asked for, every number by its name."""
    found = {}
    for precision in ("float32", "bfloat16"):
        ours, theirs = fresh(), fresh()
        wanted = by_hand(theirs, stripes(), 4, 100, 5, precision)
        settings = {"epochs": 4, "batch_size": 100, "seed": 5, "precision": precision}
        history = fit(ours, stripes(), **settings, device="cpu", progress=False)
        torch.testing.assert_close(weights(ours), weights(theirs), rtol=1e-5, atol=1e-7)
        assert history.elbo[-1] == pytest.approx(wanted, rel=1e-5)
        assert history.sigma[-1] == ours.sigma
        found[precision] = weights(ours)
    assert (found["float32"] - found["bfloat16"]).abs().max() > 1e-4, "halves make another model"


def test_a_learned_sigma_is_the_best_there_is_however_short_the_training():
    """The root mean squared error of the drawings (Rybkin et al. 2021, equation 5): another sigma lowers the ELBO."""
    model = fresh()
    history = fit(model, stripes(), epochs=2, device="cpu", progress=False)
    best = model.sigma

    def elbo(sigma):
        with torch.no_grad():
            model.log_sigma.fill_(math.log(sigma))
        return measures.mean_elbo(model, stripes(), draws=64)

    assert elbo(best) > max(elbo(0.95 * best), elbo(1.05 * best))
    assert history.sigma[-1] == best and abs(history.sigma[0] - best) > 0.05 * best
    frozen, held = fresh(), fresh(sigma=0.2)
    frozen.log_sigma.requires_grad_(False)
    for other, sigma in ((frozen, 0.3), (held, 0.2)):
        fit(other, stripes(), epochs=1, device="cpu", progress=False)
        assert other.sigma == pytest.approx(sigma)


def test_bfloat16_learns_too():
    history = fit(fresh(), stripes(), epochs=12, precision="bfloat16", device="cpu", progress=False)
    assert history.elbo[-1] > history.elbo[0] + 10


def test_a_curve_of_images_held_out_changes_nothing():
    plain, watched, seen = fresh(), fresh(), []
    settings = {"epochs": 3, "device": "cpu", "progress": False}
    whole = fit(plain, stripes(), **settings)
    other = stripes().roll(1, dims=-2) * 0.9

    def look(history):
        seen.append((len(history.elbo), watched.training, torch.rand(1).item()))

    history = fit(watched, stripes(), held_out=other.numpy(), callback=look, **settings)
    assert torch.equal(weights(plain), weights(watched)) and history.elbo == whole.elbo
    assert [s[:2] for s in seen] == [(1, False), (2, False), (3, False)] and whole.held_out == []
    assert history.sigma == whole.sigma and len(history.held_out) == 3 and history.held_out[0] < history.held_out[-1]
    wanted = measures.mean_elbo(watched, other, torch.Generator().manual_seed(1), draws=200)
    assert history.held_out[-1] == pytest.approx(wanted, abs=1)


def test_a_run_with_a_frozen_layer_goes_on_from_its_checkpoint(tmp_path):
    first, again = fresh(), fresh()
    for model in (first, again):
        model.encoder.net[1].requires_grad_(False)
        fit(model, stripes(), epochs=2, device="cpu", checkpoint=tmp_path / "run.safetensors", progress=False)
    assert torch.equal(weights(again), weights(first))


@pytest.mark.parametrize("cut_after", [1, 3, 4])
def test_a_cut_run_ends_with_the_bits_of_an_uncut_one(tmp_path, monkeypatch, cut_after):
    uncut = fresh()
    whole = fit(uncut, stripes(), epochs=5, device="cpu", progress=False)

    settings = {"epochs": 5, "device": "cpu", "checkpoint": tmp_path / "run.safetensors", "progress": False}
    with monkeypatch.context() as patch:
        cut(patch, cut_after)
        with pytest.raises(KeyboardInterrupt):
            fit(fresh(), stripes(), **settings)
    epochs, resumed = [], fresh(born=1)  # where it was born must not matter any more
    history = fit(resumed, stripes(), callback=epochs.append, **settings)
    assert len(epochs) == 5 - cut_after, "it began anew"
    assert torch.equal(weights(resumed), weights(uncut))
    assert history.elbo == whole.elbo
    assert [p.name for p in tmp_path.iterdir()] == ["run.safetensors"]


def cut(patch, epochs, error=KeyboardInterrupt):
    """Cuts the next training off in the epoch after so many."""
    original, calls = Trainer.train_one_epoch, []

    def train_one_epoch(self):
        if len(calls) == epochs:
            raise error
        calls.append(1)
        original(self)

    patch.setattr(Trainer, "train_one_epoch", train_one_epoch)


def judge(born, **settings):
    torch.manual_seed(born)
    model = Classifier((6, 6), classes=6, width=2)
    labels = torch.arange(600) % 6
    fit_classifier(model, stripes(), labels, 4, seed=1, device="cpu", **settings)  # with dropout
    return model


def mover(born, **settings):
    torch.manual_seed(born)
    model = ViewVAE(3, 4)
    known = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    fit_views(model, known, 330, batch_size=4, seed=1, device="cpu", progress=False, **settings)
    return model


def pupil(born, **settings):
    model = fresh(born)
    distil(fresh(7, sigma=0.1).eval(), model, stripes(), 4, seed=1, device="cpu", progress=False, **settings)
    return model


@pytest.mark.slow
@pytest.mark.parametrize("train", [judge, mover, pupil])
def test_every_model_goes_on_where_it_was_cut(tmp_path, monkeypatch, train):
    uncut, path = train(0), tmp_path / "run.safetensors"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        cut(patch, 2)
        train(0, checkpoint=path)
    assert read_safetensors(path)[1]["epoch"] == 2
    with monkeypatch.context() as patch:
        cut(patch, 2, AssertionError("there are no more than two to go"))
        resumed = train(1, checkpoint=path)
    assert torch.equal(weights(resumed), weights(uncut))
    with pytest.raises(CheckpointError, match="another run"), monkeypatch.context() as patch:
        patch.setattr(sys.modules[__name__], "stripes", stripes_of_others)
        patch.setattr(torch, "rand", lambda *size, **_: torch.full(size, 0.5))
        train(0, checkpoint=path)


def stripes_of_others(original=stripes):
    return original().flip(0)


PROGRAM = """
import sys, torch
sys.path.insert(0, sys.argv[2])
from test_training import fresh, stripes
from vaecourse import fit
torch.set_num_threads(1)
fit(fresh(), stripes(), epochs=40, device="cpu", checkpoint=sys.argv[1], progress=False)
"""


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.0, 0.05, 0.17])
def test_a_killed_process_leaves_a_whole_checkpoint(tmp_path, delay, record_property):
    """SIGKILL at a moment nobody chose; then the same call ends with the bits of a run that was never cut."""
    path = tmp_path / "run.safetensors"
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(path), str(Path(__file__).parent)])
    while not path.exists() and process.poll() is None:
        time.sleep(0.005)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert path.exists(), "the first epoch was never written"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        resumed, uncut = fresh(born=1), fresh()
        fit(resumed, stripes(), epochs=40, device="cpu", checkpoint=path, progress=False)
        fit(uncut, stripes(), epochs=40, device="cpu", progress=False)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(weights(resumed), weights(uncut))
    fault, seen = f"killed in training, {delay} s after an epoch", "nothing; the same call goes on from the last epoch"
    record_property("fault", (fault, seen, "nothing; it ends with the same bits"))


def test_a_finished_run_is_not_trained_again(tmp_path):
    first, second = fresh(), fresh(born=1)
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


def lose_a_weight(tensors, meta):
    del tensors["model.decoder.net.0.bias"]
    meta["parts"].remove("model.decoder.net.0.bias")


OTHERS = {
    "other layers of the same sizes": lambda tensors, meta: None,
    "of another run": lambda tensors, meta: meta["recipe"].update(seed=7),
    "not even a dictionary": lambda tensors, meta: meta.update(recipe=3),
    "without a weight": lambda tensors, meta: tensors.pop("model.decoder.net.0.bias"),
    "without a weight, and lies about it": lose_a_weight,
    "weights of another shape": lambda tensors, meta: tensors.update({"model.decoder.net.0.bias": torch.zeros(3)}),
    "moments of another shape": lambda tensors, meta: tensors.update({"adam.0.exp_avg": torch.zeros(3)}),
    "another generator": lambda tensors, meta: tensors.update(generator=torch.zeros(3, dtype=torch.uint8)),
    "no schedule": lambda tensors, meta: meta.pop("schedule"),
    "no groups": lambda tensors, meta: meta.update(groups=[]),
}


@pytest.mark.parametrize("change", OTHERS.values(), ids=OTHERS)
def test_what_is_refused_leaves_no_trace(tmp_path, change, request):
    settings = {"epochs": 2, "device": "cpu", "checkpoint": tmp_path / "c", "progress": False}
    fit(fresh(), stripes(), **settings)
    tensors, meta = read_safetensors(tmp_path / "c")
    change(tensors, meta)
    write_safetensors(tmp_path / "c", tensors, meta)
    model = fresh(born=1).train()
    if "layers" in request.node.callspec.id:
        model.decoder.net[1] = torch.nn.Tanh()
    before, file = weights(model), (tmp_path / "c").read_bytes()
    with pytest.raises(CheckpointError, match=r"another run|lacks parts") as caught:
        fit(model, stripes(), **settings)
    assert torch.equal(weights(model), before) and model.training
    assert (tmp_path / "c").read_bytes() == file
    if "layers" in request.node.callspec.id:
        assert "its layers differ: it has (1): GELU" in str(caught.value)


def test_a_run_from_a_gpu_goes_on_here_and_says_so(tmp_path, monkeypatch):
    """Faked: what a GPU would have written, with a generator's state that no CPU can read."""
    settings = {"epochs": 4, "device": "cpu", "checkpoint": tmp_path / "c", "progress": False}
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        cut(patch, 2)
        fit(fresh(), stripes(), **settings)
    tensors, meta = read_safetensors(tmp_path / "c")
    ends = []
    for _ in range(2):
        write_safetensors(tmp_path / "c", tensors | {"generator": torch.zeros(16).byte()}, meta | {"device": "cuda"})
        epochs, model = [], fresh(born=1)
        with pytest.warns(UserWarning, match="cut on cuda and goes on on cpu.*not with the bits"):
            history = fit(model, stripes(), callback=epochs.append, **settings)
        assert len(epochs) == 2 and len(history.elbo) == 4 and history.elbo[1] == meta["history"]["loss"][1] * -1
        ends.append(weights(model))
    assert torch.equal(*ends), "the same twice"
    whole = fresh()
    fit(whole, stripes(), epochs=4, device="cpu", progress=False)
    assert not torch.equal(ends[0], weights(whole))


def test_nothing_is_made_on_a_device_that_nobody_named():
    """On the default device here, whatever is made without one has no numbers in it, and meets the others badly."""
    model, known = fresh(), torch.rand(2, 3, 16, 16)
    torch.manual_seed(0)
    mover, judge, student, x = ViewVAE(3, 4), Classifier((6, 6), 6, 2), fresh(), stripes()
    labels = torch.arange(600) % 6
    torch.set_default_device("meta")
    try:
        fit(model, x, epochs=1, held_out=x, device="cpu", progress=False)
        assert math.isfinite(model.elbo(x).sum().item()) and model.prior.mean.device.type == "cpu"
        fit_classifier(judge, x, labels, 1, device="cpu")
        judge.probabilities(x)
        fit_views(mover, known, 2, batch_size=4, device="cpu", progress=False)
        assert torch.isfinite(mover.between(known, [0.5])).all()
        distil(model, student, x, 1, device="cpu", progress=False)
    finally:
        torch.set_default_device(None)


def test_dropout_is_the_same_whatever_others_draw_and_not_the_same_in_each_epoch():
    def dropped(drawn_before):
        drops, model, x = [], torch.nn.Dropout(), torch.ones(8, 4)
        layer = torch.nn.Linear(4, 4)
        network = torch.nn.Sequential(layer, model)
        model.register_forward_hook(lambda _, given, out: drops.append((out == 0) & (given[0] != 0)))
        torch.rand(drawn_before)
        before = torch.random.get_rng_state()
        batches = shuffled(x, batch_size=8)
        Trainer(network, lambda x: network(x).square(), batches, 2, device="cpu", progress=False).run()
        assert torch.equal(before, torch.random.get_rng_state())
        return drops

    first, again = dropped(0), dropped(1)
    assert not torch.equal(*first)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_steps_may_end_within_an_epoch():
    model, seen = torch.nn.Linear(2, 1), []

    def loss(x):
        seen.append(len(x))
        return {"plain": model(x).square()[:, 0], "mean": 0.1 * model.weight.square().mean()}

    history = Trainer(model, loss, shuffled(torch.ones(10, 2), batch_size=4), 5, device="cpu", progress=False).run()
    assert seen == [4, 4, 2, 4, 4] and history.keys() == {"plain", "mean", "loss", "seconds"}
    assert history["loss"] == pytest.approx([a + b for a, b in zip(history["plain"], history["mean"], strict=True)])


def test_whole_numbers_as_people_have_them(tmp_path):
    models = [fresh(), fresh()]
    kinds = ((2, 100, 3), (np.float32(2), np.int64(100), 3.0))
    for model, (epochs, batch_size, seed) in zip(models, kinds, strict=True):
        settings = {"epochs": epochs, "batch_size": batch_size, "seed": seed, "checkpoint": tmp_path / "c"}
        fit(model, stripes(), **settings, learning_rate=np.float32(1e-3), device="cpu", progress=False)
    assert torch.equal(weights(models[0]), weights(models[1]))


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
    [
        *({"epochs": n} for n in (0, 2.5, math.nan, "3", True)),
        *({"batch_size": n} for n in (0, -1, 12.5)),
        *({"learning_rate": rate} for rate in (0.0, math.nan, math.inf)),
        {"precision": "float16"},
        *({"learning_rate": rate} for rate in ("fast", None, True)),
        *({"seed": seed} for seed in (0.5, "0", None, -1)),
    ],
)
def test_wrong_settings_get_a_sentence(settings):
    with pytest.raises(ValueError, match="must be"):
        fit(fresh(), stripes(), **{"epochs": 1, "device": "cpu", "progress": False} | settings)


@pytest.mark.parametrize("device", ["nonsense", "meta", "cuda:99", 3.5])
def test_a_device_that_is_not_there_gets_a_sentence(device):
    with pytest.raises(ValueError, match="cannot train on the device"):
        fit(fresh(), stripes(), epochs=1, device=device, progress=False)


@pytest.mark.parametrize(("images", "batch_size"), [(33, 16), (32, 1)])
def test_a_picture_alone_which_batch_normalisation_cannot_take_is_refused_before(images, batch_size):
    encoder = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(6, 4), torch.nn.BatchNorm1d(4))
    model = VAE((2, 3), encoder=encoder)
    with pytest.raises(ValueError, match="leaves one alone"):
        fit(model, torch.rand(images, 2, 3), batch_size=batch_size, progress=False)
    fit(model, torch.rand(32, 2, 3), batch_size=16, progress=False)


def test_a_picture_alone_which_batch_normalisation_can_take_is_trained_with():
    layers = torch.nn.Conv2d(1, 2, 2), torch.nn.BatchNorm2d(2), torch.nn.Flatten(), torch.nn.Linear(4, 4)
    model = VAE((2, 3), encoder=torch.nn.Sequential(torch.nn.Unflatten(1, (1, 2)), *layers))
    images, draws, state = torch.rand(33, 2, 3), torch.get_rng_state(), model.encoder.net[2].running_mean.clone()
    fit(model, images, epochs=1, batch_size=16, progress=False)
    assert torch.equal(torch.get_rng_state(), draws)
    assert int(model.encoder.net[2].num_batches_tracked) == 3, "the trial is none of the steps"
    assert not torch.equal(model.encoder.net[2].running_mean, state)


def test_wrong_images_get_a_sentence():
    with pytest.raises(ValueError, match="model must be a VAE"):
        fit("mnist-2d", stripes(), epochs=1)
    with pytest.raises(ValueError, match="Divide by 255"):
        fit(fresh(), stripes() * 255, epochs=1, device="cpu", progress=False)
    model = VAE(stripes().shape[1:], hidden=(8,), likelihood="bernoulli")
    before = weights(model)
    for pictures in ({"images": stripes()}, {"images": stripes().round(), "held_out": stripes()}):
        with pytest.raises(ValueError, match=f"0 or 1, and {list(pictures)[-1]} hold greys"):
            fit(model, **pictures, epochs=1, device="cpu", progress=False)
    assert torch.equal(weights(model), before), "asked before anything was trained"
    fit(model, stripes() > 0.5, epochs=1, device="cpu", progress=False)


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
