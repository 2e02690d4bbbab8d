"""The evidence benchmark: rows that say what was measured, and pythae's own code on our likelihood. No times."""

import importlib.util
import json
import math
import sys
from pathlib import Path

import pytest
import torch
from decoders import Linear

from vaecourse import VAE, evidence

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))  # as it is when a benchmark runs as a script
spec = importlib.util.spec_from_file_location("benchmark_evidence", ROOT / "benchmarks" / "evidence.py")
bench = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bench)


@pytest.fixture
def model():
    """A decoder whose log P(x) is known, with its encoder where a VAE has it."""
    linear = Linear(2, pixels=30, sigma=0.3)
    linear.encoder = linear.encode
    return linear


def test_a_race_measures_errors_and_counts_decodes(model):
    x = model.draw(6)
    asked = []

    def honest(x, draws, seed):
        asked.append((len(x), draws, seed))
        return evidence.importance(model, x, draws, generator=bench.seeded(seed))

    def off_by_two(x, draws, seed):
        return evidence.Estimate(model.log_p_x(x) - 2, None, torch.full((len(x),), 7), shared_decodes=100)

    methods, draws = {"honest": honest, "off": off_by_two}, {"honest": (10, 400), "off": (0,)}
    rows = bench.race(methods, draws, x, model.log_p_x(x), rounds=3)
    assert [(row["method"], row["draws"]) for row in rows] == [("honest", 10), ("off", 0), ("honest", 400)]
    few, off, many = rows
    assert off["error, nats"] == pytest.approx({"p50": 2, "p95": 2})
    assert (off["decodes an image"], off["decodes for all"]) == (7, 100)
    assert (many["decodes an image"], many["decodes for all"]) == (400, 0)
    assert many["error, nats"]["p50"] < few["error, nats"]["p50"] < few["error, nats"]["p95"]
    assert all(len(row["seconds"]) == len(row["processor seconds"]) == 3 for row in rows)
    assert asked[1:] == [(6, n, seed) for seed in range(3) for n in (10, 400)], "turn by turn, each with its own seed"


def row(method, draws, p50, seconds):
    """One whose processor takes the square of the seconds."""
    found = {"method": method, "draws": draws, "error, nats": {"p50": p50}}
    return found | {"seconds": seconds, "processor seconds": [s**2 for s in seconds]}


def test_reach_takes_the_fewest_draws_that_do_and_compares_round_by_round():
    rows = [row("a", 10, 0.5, [1, 1, 1]), row(bench.THEIRS, 10, 0.3, [2, 8, 6]), row("b", 10, 3.0, [1, 1, 1])]
    rows += [row("a", 100, 0.05, [2, 4, 1]), row(bench.THEIRS, 100, 0.2, [20, 20, 30]), row("b", 100, 2.0, [9, 9, 9])]
    loose = {end["method"]: end for end in bench.reach(rows, 0.6, "p50")}
    assert [(end["draws"], end["reached"]) for end in loose.values()] == [(10, True), (10, True), (100, False)]
    assert loose["a"]["times sooner"] == {"median": 6, "low": 2, "high": 8} and not loose["a"]["at least"]
    assert "times sooner" not in loose["b"]
    strict = {end["method"]: end for end in bench.reach(rows, 0.1, "p50")}
    assert [(end["draws"], end["reached"]) for end in strict.values()] == [(100, True), (100, False), (100, False)]
    assert strict["a"]["times sooner"] == {"median": 10, "low": 5, "high": 30} and strict["a"]["at least"]
    assert strict["a"]["times sooner, processor"] == {"median": 100, "low": 25, "high": 900}
    alone = bench.reach([r for r in rows if r["method"] != bench.THEIRS], 0.6, "p50")
    assert not any("times sooner" in end for end in alone)


def test_pythae_is_handed_our_likelihood_and_its_draws_are_counted(model):
    pytest.importorskip("pythae")
    x, passed = model.draw(4), []
    plain = model.decode
    model.decode = lambda z: passed.append(z) or plain(z)
    got = bench.pythae(model, (30,))(x, 4050, 0)  # pythae draws in whole hundreds
    assert (got.log_p_x - model.log_p_x(x)).abs().max() < 0.2
    z = torch.cat(passed).reshape(4, -1, 2)
    assert z.shape[:2].numel() == got.decodes == 16_000
    assert torch.allclose(z.std(1), model.encode(x).stddev, rtol=0.1), "it draws from our encoder"
    again, other = (bench.pythae(model, (30,))(x, 10, seed).log_p_x for seed in (3, 4))
    assert not torch.equal(again, other) and torch.equal(again, bench.pythae(model, (30,))(x, 10, 3).log_p_x)


def test_without_pythae_the_row_says_what_to_install(monkeypatch, capsys):
    torch.manual_seed(0)
    monkeypatch.setitem(sys.modules, "pythae", None)
    monkeypatch.setitem(sys.modules, "pythae.models", None)
    monkeypatch.setattr(bench, "resolve", lambda name: "strokes")
    monkeypatch.setattr(bench, "load_pretrained", lambda name: VAE(hidden=(8,), sigma=0.5).eval())
    monkeypatch.setattr(bench, "brute_force", lambda model, x: evidence.quadrature(model, x).log_p_x)
    result = bench.main(bench.Size(2, (16,), (50,), 1, (2,), (3,)))
    told = capsys.readouterr().out
    assert told.count("pip install pythae") == 1 + len(bench.GOALS)
    assert json.loads(json.dumps(result))["race"] == result["race"]
    methods = ["quadrature + table", "Laplace", "defensive", "encoder (IWAE)", "prior draws", "quadrature"]
    assert sorted(row["method"] for row in result["race"]) == sorted(methods)
    assert [(goal["nats"], goal["of"]) for goal in result["goals"]] == bench.GOALS
    assert list(result["by images"]) == [2] and list(result["by dimensions"]) == [3]
    assert {row["method"] for row in result["by dimensions"][3]} >= {"Laplace", "annealed"}
    exact = next(row for row in result["race"] if row["method"] == "quadrature")
    assert exact["error, nats"]["p95"] < 1e-6 and exact["decodes for all"] == 161**2
    for found in (*result["race"], *result["by images"][2], *result["by dimensions"][3]):
        assert math.isfinite(found["error, nats"]["p95"]) and found["ms an image"]["low"] > 0
