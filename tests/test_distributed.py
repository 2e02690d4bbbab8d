"""Two processes train what one would have trained, a dead one loses nothing, and a study of seeds goes on.

torchrun starts this very file, too: what its processes do then stands in `together` and `from_the_shell`.
"""

import os
import re
import signal
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from scipy.spatial.distance import cdist
from test_training import fresh, judge, mover, pupil, stripes, weights

from vaecourse import VAE, fit
from vaecourse.__main__ import main
from vaecourse.data import ImageSet, datasets
from vaecourse.model import checkpoints
from vaecourse.training import TrainingDiverged, distributed, recipes, seeds

pytestmark = pytest.mark.slow

# 128 images a batch, so the last one has 88, or a single one (and the second process none), or 4.
RUNS = {"uneven": (600, {}), "idle": (513, {}), "binary": (260, {"likelihood": "bernoulli"})}
STEPS = 5  # of an epoch of 600 images
QUIET = {"device": "cpu", "progress": False}
TINY = recipes.Recipe("strokes", epochs=6, hidden=(16,), precision="float32")  # five steps an epoch


def few(name, split="train", **_):
    """A handful of drawn digits in the place of a data set."""
    images, labels, factors = datasets.strokes.sample(
        600 if split == "train" else 60, np.random.default_rng(split == "train")
    )
    return ImageSet(images, labels, name, "drawn here", datasets.DIGITS, factors)


def pictures(model, n):
    """Stripes whose pixels are what the model's likelihood can score."""
    return stripes(n).round() if model.likelihood == "bernoulli" else stripes(n)


def together(folder, rank):
    """Several trainings, one after the other; each process leaves what it has in a folder of its own."""
    mine = folder / str(rank)
    mine.mkdir()
    seen = {}
    with distributed.join():
        for name, (n, settings) in RUNS.items():
            model = fresh(**settings)
            if rank == 1:
                torch.nn.init.zeros_(model.encoder.net[1].weight)  # what the others hold must not matter
            history = fit(model, pictures(model, n), epochs=3, checkpoint=mine / f"{name}.safetensors", **QUIET)
            seen[name], seen[f"{name} elbo"] = weights(model), torch.tensor(history.elbo).double()
        with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
            strike(patch, 2, signal.default_int_handler)
            fit(fresh(), stripes(600), epochs=3, checkpoint=mine / "cut.safetensors", **QUIET)
        model = fresh()
        fit(model, stripes(600), epochs=3, checkpoint=mine / "cut.safetensors", **QUIET)
        seen["cut"] = weights(model)
        for train in (mover, pupil, judge):
            seen[train.__name__] = weights(train(rank))
        with pytest.raises(ValueError, match="process 1 trains on other images"):
            fit(fresh(), stripes(600 + rank), epochs=1, **QUIET)
        for device in ("mps", "cuda:0"):
            with pytest.raises(ValueError, match=f"got {device}. Give --device cuda or --device cpu"):
                distributed.check_same(torch.device(device), {})
        with pytest.raises(TrainingDiverged):
            fit(broken(), stripes(), epochs=1, **QUIET)
        with pytest.raises(RuntimeError, match="a mistake of mine") as caught, distributed.talking():
            raise RuntimeError("a mistake of mine")
        assert not isinstance(caught.value, distributed.PeerLost)
        list(seeds.train_seeds("tiny", 2, mine, "cpu"))
        seen["spoke"] = torch.tensor(distributed.first_to_speak())
    save_file(seen, mine / "seen.safetensors")


def broken():
    """A model whose drawings of the last image of a batch, hence in the last share, are no numbers."""
    model = fresh()
    original = model.elbo_terms

    def elbo_terms(x, generator=None, noise=None):
        terms = original(x, generator, noise)
        if os.environ["RANK"] == "1":
            terms.log_likelihood[-1].detach().fill_(torch.nan)
        return terms

    model.elbo_terms = elbo_terms
    return model


def strike(patch, epoch, blow):
    """Deals this process a blow in the middle of an epoch, counted from 1."""
    original, batches = VAE.elbo_terms, []

    def elbo_terms(self, *arguments, **settings):
        if self.training:
            batches.append(1)
            if len(batches) == STEPS * (epoch - 1) + 2:
                blow(signal.SIGINT, None)
        return original(self, *arguments, **settings)

    patch.setattr(VAE, "elbo_terms", elbo_terms)


def from_the_shell(folder, rank, dies):
    """python -m vaecourse train tiny, with what each process says in a file; process `dies` is killed in epoch 4."""
    with pytest.MonkeyPatch.context() as patch, (folder / f"said-{rank}").open("w") as said:
        patch.setattr(sys, "stdout", said)
        patch.setattr(sys, "stderr", said)
        if rank == dies:
            strike(patch, 4, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        before = [signal.getsignal(ending) for ending in (signal.SIGINT, signal.SIGTERM)]
        code = main(["train", "tiny", "--folder", str(folder), "--device", "cpu"])
        assert before == [signal.getsignal(ending) for ending in (signal.SIGINT, signal.SIGTERM)]
    sys.exit(code)


if __name__ == "__main__":
    recipes.load_dataset, recipes.RECIPES["tiny"] = few, TINY
    torch.set_num_threads(1)
    if sys.argv[1] == "together":
        together(Path(sys.argv[2]), int(os.environ["RANK"]))
    else:
        from_the_shell(Path(sys.argv[2]), int(os.environ["RANK"]), int(sys.argv[3]))


def torchrun(*arguments):
    """Two processes of this file; torchrun's exit status and what they all printed."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", __file__]
    process = subprocess.Popen(
        [*command, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        output = process.communicate(timeout=120)[0]
        return process.returncode, output
    finally:
        process.terminate()  # a torchrun that ends so takes its processes with it
        process.wait()


@pytest.fixture
def tiny(monkeypatch):
    """The recipe called tiny; one thread, as torchrun's processes have."""
    for room in (recipes, seeds):
        monkeypatch.setattr(room, "load_dataset", few)
    monkeypatch.setitem(recipes.RECIPES, "tiny", TINY)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_two_processes_train_what_one_would(tiny, tmp_path):
    code, output = torchrun("together", tmp_path)
    assert code == 0, output
    first, second = (load_file(tmp_path / rank / "seen.safetensors") for rank in "01")
    for name, (n, settings) in RUNS.items():
        model = fresh(**settings)
        history = fit(model, pictures(model, n), epochs=3, **QUIET)
        torch.testing.assert_close(first[name], weights(model), rtol=1e-5, atol=1e-6)
        assert first[f"{name} elbo"].tolist() == pytest.approx(history.elbo, rel=1e-5)
        assert torch.equal(first[name], second[name]), "the processes have drifted apart"
    torch.testing.assert_close(first["cut"], first["uneven"], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(first["mover"], weights(mover(0)), rtol=1e-4, atol=1e-5)
    for name in ("mover", "pupil", "judge"):
        assert torch.equal(first[name], second[name]), "the processes have drifted apart"
    assert [p.name for p in (tmp_path / "1").iterdir()] == ["seen.safetensors"], "only the leader writes"
    assert first["spoke"] != second["spoke"]

    alone = list(seeds.train_seeds("tiny", 2, tmp_path, "cpu"))
    for path in alone:
        ours = checkpoints.load_model(tmp_path / "0" / path.name).meta["scores"]
        assert ours == pytest.approx(checkpoints.load_model(path).meta["scores"], rel=1e-4)


def test_a_killed_process_loses_nothing(tiny, tmp_path):
    """Even the one that writes. The other says so; the next run goes on and ends where an uncut one would."""
    code, _ = torchrun("from_the_shell", tmp_path, 0)
    assert code != 0
    said = (tmp_path / "said-1").read_text()
    assert said.count("train: ") == said.count("The same command goes on from the last whole epoch.") == 1
    assert "Traceback" not in said
    assert {p.name for p in tmp_path.iterdir()} == {"said-0", "said-1", "tiny.partial.safetensors"}
    assert checkpoints.read_safetensors(tmp_path / "tiny.partial.safetensors")[1]["epoch"] == 3
    code, output = torchrun("from_the_shell", tmp_path, -1)
    assert code == 0, output
    said = (tmp_path / "said-0").read_text()
    assert re.search(r"\d+/30", said).group() == "15/30", "it did not go on after the third epoch"
    assert "wrote" in said
    assert (tmp_path / "said-1").read_text() == "", "the leader alone speaks"

    assert main(["train", "tiny", "--folder", str(tmp_path / "uncut"), "--device", "cpu"]) == 0
    resumed, uncut = (checkpoints.load_model(p / "tiny.safetensors") for p in (tmp_path, tmp_path / "uncut"))
    torch.testing.assert_close(weights(resumed), weights(uncut), rtol=1e-3, atol=1e-6)  # the file holds half floats
    assert resumed.meta["scores"] == pytest.approx(uncut.meta["scores"], rel=1e-4)


@pytest.mark.parametrize(("rows", "size"), [(8, 3), (2, 3), (6, 2)])
def test_shares_are_rows_that_count_once(monkeypatch, rows, size):
    """Their weighed means, averaged, are the mean over all rows; nobody is left with nothing to look at."""
    x, y = torch.randn(2, rows, 3, generator=torch.Generator().manual_seed(0)).double()
    found = []
    for rank in range(size):
        monkeypatch.setattr(distributed, "rank_and_size", lambda rank=rank: (rank, size))
        means = distributed._Share(torch.nn.Linear(1, 1), lambda x, y: {"product": (x * y).mean(), "x": x.mean()})
        found.append([v.item() for v in means(x, y).values()])
    assert np.mean(found, axis=0) == pytest.approx([(x * y).mean().item(), x.mean().item()])


def test_more_processes_than_gpus_get_a_sentence(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("LOCAL_RANK", "2")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ValueError, match=r"4 processes on a machine with 2 GPUs.*=2"), distributed.join():
        pass


def test_whoever_cannot_ask_the_others_speaks(monkeypatch):
    class Gone:
        def add(self, *_):
            raise RuntimeError("connection reset")

    monkeypatch.setattr(distributed, "_store", Gone())
    assert distributed.first_to_speak()


def test_a_study_of_seeds_measures_the_claims_and_goes_on_where_it_was_cut(tiny, tmp_path, monkeypatch, capsys):
    original = recipes.fit

    def only_the_first(*arguments, seed, **settings):
        if seed == 1:
            raise KeyboardInterrupt
        return original(*arguments, seed=seed, **settings)

    command = ["seeds", "tiny", "--seeds", "2", "--folder", str(tmp_path), "--device", "cpu"]
    with monkeypatch.context() as patch:
        patch.setattr(recipes, "fit", only_the_first)
        assert main(command) == 130
    assert "The same command goes on" in capsys.readouterr().err
    written = (tmp_path / "tiny-seed0.safetensors").stat().st_mtime_ns
    assert main(command) == 0
    assert (tmp_path / "tiny-seed0.safetensors").stat().st_mtime_ns == written, "trained again"
    paths = [tmp_path / f"tiny-seed{seed}.safetensors" for seed in range(2)]
    assert sorted(tmp_path.iterdir()) == paths

    models = [checkpoints.load_model(path) for path in paths]
    train, test = few("", "train"), few("", "test")
    assert not torch.equal(weights(models[0]), weights(models[1]))
    claims = seeds.claims_over(paths)
    shares = {pair: [] for pair in combinations(range(10), 2)}
    for model in models:
        with torch.no_grad():
            z_train, z_test = (model.encode(s.images).mean.numpy() for s in (train, test))
        near = train.labels.numpy()[cdist(z_test, z_train).argsort(axis=1)[:, :10]]
        for (a, b), values in shares.items():
            values.append(50 * ((near[test.labels == a] == b).mean() + (near[test.labels == b] == a).mean()))
    assert claims.overlaps == {f"{a}-{b}": pytest.approx(values) for (a, b), values in shares.items()}

    printed = capsys.readouterr().out
    elbo = [model.meta["scores"]["elbo"] for model in models]
    row = next(line.split() for line in printed.splitlines() if line.split()[:1] == ["elbo"])
    wanted = [np.mean(elbo), abs(elbo[0] - elbo[1]) / 2**0.5, min(elbo), max(elbo)]
    assert [float(v) for v in row[1:]] == pytest.approx(wanted, rel=0.05)
    (a, b), largest = max(shares.items(), key=lambda item: np.mean(item[1]))
    row = next(line for line in printed.splitlines() if "overlap" in line)
    places = [1 + sum(other[seed] > largest[seed] for other in shares.values()) for seed in range(2)]
    assert f"overlap {a}-{b}" in row and row.endswith(f"in place {places[0]}, {places[1]}")


def test_a_study_that_makes_no_sense_gets_a_sentence(tiny, tmp_path):
    with pytest.raises(ValueError, match="at least 2"):
        list(seeds.train_seeds("tiny", 1, tmp_path))
    with pytest.raises(ValueError, match="Did you mean 'mnist-2d'"):
        list(seeds.train_seeds("mnist-2d-page", 2, tmp_path))
    other = recipes.Recipe("strokes", epochs=1, hidden=(16,), precision="float32")
    recipes.train_vae(other, tmp_path / "tiny-seed0.safetensors", "cpu")
    with pytest.raises(checkpoints.CheckpointError, match=r"another recipe.*--folder"):
        list(seeds.train_seeds("tiny", 2, tmp_path))
