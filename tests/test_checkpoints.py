"""Files that are whole, hold what they should, and refuse everything else with a sentence."""

import errno
import json
import os
import pickle
import stat

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaecourse import VAE, load_pretrained
from vaecourse import checkpoints as ck
from vaecourse.recipes import JUDGES, RECIPES
from vaecourse.view_recipes import VIEW_RECIPES


@pytest.fixture
def model():
    torch.manual_seed(0)
    return VAE(image_shape=(3, 4), hidden=(8,)).eval()


def test_a_model_comes_back_with_its_numbers_and_its_story(tmp_path, model):
    path = tmp_path / "größe ü.safetensors"
    ck.save_model(path, model, {"name": "toy", "scores": {"elbo": 1.5}})
    back = ck.load_model(path)
    z = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(back.decode(z).mean, model.decode(z).mean, atol=1e-3)
    assert back.sigma == model.sigma, "sigma is kept in full precision"
    assert back.meta["scores"] == {"elbo": 1.5} and not back.training
    assert all(p.dtype == torch.float32 for p in back.parameters())


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_recipe_has_its_trained_model(name):
    path = ck._SHIPPED / f"{name}.safetensors"
    assert path.stat().st_size < 4_000_000
    model = load_pretrained(name)
    assert model.device.type == "cpu" and not model.training and model.latent_dim == 2
    assert model.meta["name"] == name
    for field in ("recipe", "images", "versions", "scores"):
        assert model.meta[field], f"{field} is empty"
    assert model.meta["recipe"]["epochs"] == RECIPES[name].epochs


def test_nothing_ships_without_a_recipe():
    assert ck.pretrained_names() == sorted([*RECIPES, *VIEW_RECIPES, *JUDGES])


def test_unknown_names_get_the_nearest_one():
    with pytest.raises(ValueError, match="Did you mean 'mnist-2d'"):
        load_pretrained("mnist2d")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!DOCTYPE html><html>",
        pickle.dumps({"a": 1}),
        b"\xff" * 64,
        (2**62).to_bytes(8, "little") + b"{}",  # a header that claims four exabytes
        (2).to_bytes(8, "little") + b"{}",  # a whole file, but not one of ours
    ],
)
def test_files_that_are_something_else_are_refused(tmp_path, content):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(ck.CheckpointError, match="not a whole checkpoint"):
        ck.load_model(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0, 0.999), flips=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=6))
def test_damaged_files_never_crash_otherwise(tmp_path, cut, flips):
    torch.manual_seed(0)
    path = tmp_path / "m.safetensors"
    ck.save_model(path, VAE(image_shape=(2, 2), hidden=(3,)), {})
    data = bytearray(path.read_bytes())
    if not flips:
        data = data[: int(cut * len(data))]
    for place, value in flips:
        data[int(place * min(len(data), 900))] = value  # the header is where the danger is
    path.write_bytes(data)
    try:
        model = ck.load_model(path)
    except ck.CheckpointError:
        return
    assert flips and isinstance(model, VAE), "a file cut short must not load"


def test_a_model_of_another_shape_or_with_weights_gone_bad_is_refused(tmp_path, model):
    path = tmp_path / "m.safetensors"
    ck.write_safetensors(path, dict(model.state_dict()), {"config": model.config | {"hidden": (9,)}})
    with pytest.raises(ck.CheckpointError, match="another kind of model"):
        ck.load_model(path)
    ck.write_safetensors(path, dict(model.state_dict()), {"config": {"layers": 3}})
    with pytest.raises(ck.CheckpointError, match="another kind of model"):
        ck.load_model(path)
    bad = {k: torch.full_like(v, torch.nan) for k, v in model.state_dict().items()}
    ck.write_safetensors(path, bad, {"config": model.config})
    with pytest.raises(ck.CheckpointError, match="not finite"):
        ck.load_model(path)


def test_a_missing_file_gets_a_sentence(tmp_path):
    with pytest.raises(ck.CheckpointError, match="train the model first"):
        ck.load_model(tmp_path / "nothing.safetensors")


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), PermissionError(13, "denied")])
def test_a_write_that_fails_keeps_the_old_file_and_leaves_nothing_else(tmp_path, model, monkeypatch, error):
    path = tmp_path / "m.safetensors"
    ck.save_model(path, model, {"version": 1})

    def fail(*_):
        raise error

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(ck.CheckpointError, match="space left"):
        ck.save_model(path, model, {"version": 2})
    assert [p.name for p in tmp_path.iterdir()] == ["m.safetensors"]
    assert ck.load_model(path).meta["version"] == 1


def test_other_people_may_read_what_was_written(tmp_path, model):
    ck.save_model(tmp_path / "m", model, {})
    plain = tmp_path / "plain"
    plain.write_text("")
    assert stat.S_IMODE((tmp_path / "m").stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_the_file_is_plain_numbers_and_json(tmp_path, model):
    ck.save_model(tmp_path / "m", model, {"name": "toy"})
    data = (tmp_path / "m").read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert json.loads(header["__metadata__"]["meta"])["name"] == "toy"
