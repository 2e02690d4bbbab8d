"""The benchmarks compare what they say they compare. No test here looks at how long anything took."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from vaecourse import VAE, fit, measures
from vaecourse.data import ImageSet, strokes

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

import clock
import textbook
import training

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def digits():
    """Pixels (512, 28, 28) as bytes, and their labels."""
    images, labels, _ = strokes.sample(512, np.random.default_rng(0))
    return (images * 255).round().astype(np.uint8), labels


def test_a_digit_arrives_as_a_tensor_between_0_and_1(digits):
    pixels, labels = digits
    x, label = textbook.Digits(pixels, labels)[7]
    assert x.dtype == torch.float32 and x.shape == (1, 28, 28) and label == labels[7]
    np.testing.assert_array_equal(x.numpy()[0], pixels[7].astype(np.float32) / 255)


def test_both_loops_train_the_same_model_to_about_the_same_elbo(digits):
    pixels, labels = digits
    images = torch.as_tensor(pixels) / 255

    def elbo(train):
        torch.manual_seed(0)
        model = VAE(hidden=(64,))
        train(model)
        return measures.mean_elbo(model.eval(), images, torch.Generator().manual_seed(0))

    before = elbo(lambda model: None)
    theirs = elbo(lambda model: textbook.train_textbook(model, textbook.Digits(pixels, labels), 20))
    ours = elbo(lambda model: fit(model, images, 20, device="cpu", progress=False))
    assert theirs - before > 500
    assert ours - before == pytest.approx(theirs - before, rel=0.05)


def test_the_textbook_reports_the_elbo_of_the_model_that_it_trains(digits):
    pixels, labels = digits
    torch.manual_seed(0)
    model = VAE(hidden=(64,))
    before = measures.mean_elbo(model.eval(), torch.as_tensor(pixels) / 255, torch.Generator().manual_seed(0))
    (reported,) = textbook.train_textbook(model, textbook.Digits(pixels, labels), 1, batch_size=512)
    assert reported == pytest.approx(before, rel=0.02)  # one batch: the loss of the weights that it began with


@pytest.mark.parametrize("hidden", [(400,), (32, 16)])
def test_the_operations_of_an_epoch_are_those_that_pytorch_counts(hidden):
    model, n = VAE(hidden=hidden).train(), 50
    with FlopCounterMode(display=False) as counted:
        model.elbo(torch.rand(n, 28, 28)).sum().backward()
    assert training.operations(model, n) == counted.get_total_flops()
    with FlopCounterMode(display=False) as counted:
        training.multiply(model, n, "float32", batch_size=16, device="cpu")  # three batches and a rest
    assert training.operations(model, n) == counted.get_total_flops()


def test_contenders_take_turns_and_are_compared_within_a_turn(monkeypatch):
    now, order = [0.0], []
    monkeypatch.setattr(clock.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(clock.time, "process_time", lambda: now[0] / 2)

    def takes(name, *seconds):
        def work(seed):
            order.append((name, seed))
            now[0] += seconds[seed]

        return work

    rows = clock.side_by_side({"slow": takes("slow", 6, 8, 30), "fast": takes("fast", 3, 2, 6)}, rounds=3)
    assert order == [(name, turn) for turn in range(3) for name in ("slow", "fast")]
    assert rows["slow"]["seconds"] == {"low": 6, "median": 8, "high": 30}
    assert rows["fast"]["processor seconds"] == {"low": 1, "median": 1.5, "high": 3}
    assert rows["fast"]["times faster"] == {"low": 2, "median": 4, "high": 5}


def test_the_whole_benchmark_runs_and_writes_what_it_measured(digits, tmp_path, monkeypatch, capsys):
    pixels, labels = digits
    drawn = ImageSet(pixels.astype(np.float32) / 255, labels, "strokes", "drawn here", tuple("0123456789"))
    monkeypatch.setattr(training, "resolve", lambda name: "strokes")
    monkeypatch.setattr(training, "load_dataset", lambda name, split: drawn)
    monkeypatch.setattr(training, "RESULTS", tmp_path / "results" / "training.json")
    monkeypatch.setattr(training, "TEXTBOOK_EPOCHS", 1)
    monkeypatch.setattr(sys, "argv", ["training.py", "--quick"])
    threads = torch.get_num_threads()
    assert training.main() == 0
    assert torch.get_num_threads() == threads
    result = json.loads(training.RESULTS.read_text("utf-8"))
    assert result["data"] == "strokes" and result["images"] == 51 and result["turns"] == 1
    tables = {title: rows for title, rows in result.items() if isinstance(rows, dict) and "cores" not in rows}
    on_gpu = [result[title] for title in result if title.endswith("cuda")]
    assert len(on_gpu) == 2
    if not torch.cuda.is_available():
        assert on_gpu == [training.NOT_YET] * 2
        assert "not yet measured, for want of a GPU" in capsys.readouterr().out
        assert len(tables) == 4
    for rows in tables.values():
        first = next(iter(rows))
        for name, row in rows.items():
            rival = rows[name.replace(", ours", ", textbook") if first.endswith(", textbook") else first]
            ratio = rival["seconds"]["median"] / row["seconds"]["median"]
            assert row["times faster"]["median"] == pytest.approx(ratio)  # one turn: its ratio is that of the medians
