"""Files that are whole, hold what they should, and refuse everything else with a sentence."""

import errno
import io
import json
import os
import pickle
import stat
from pathlib import Path

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vaecourse import VAE, load_pretrained
from vaecourse.model import Classifier
from vaecourse.model import checkpoints as ck
from vaecourse.training import JUDGES, RECIPES
from vaecourse.views import VIEW_RECIPES


@pytest.fixture
def model():
    torch.manual_seed(0)
    return VAE(image_shape=(3, 4), hidden=(8,)).eval()


def test_a_model_comes_back_with_its_numbers_and_its_story(tmp_path, model):
    path = tmp_path / "größe ü.safetensors"
    ck.save_model(path, model, {"name": "toy", "scores": {"elbo": 1.5}}, precision="float16")
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


@pytest.mark.parametrize("name", ["mnist2d", "../models/mnist-2d"])
def test_unknown_names_get_the_nearest_one(name):
    with pytest.raises(ValueError, match="Did you mean 'mnist-2d'"):
        load_pretrained(name)


class Trap:
    """Once pickled, it makes a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def torch_file(content):
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


SOMETHING_ELSE = {
    "an empty file": lambda trap: b"",
    "a web page": lambda trap: b"<!DOCTYPE html><html>",
    "a pickle": pickle.dumps,
    "a pickle of PyTorch's": torch_file,
    "noise": lambda trap: b"\xff" * 64,
    "a header of four exabytes": lambda trap: (2**62).to_bytes(8, "little") + b"{}",
    "a whole file, but not ours": lambda trap: (2).to_bytes(8, "little") + b"{}",
}


@pytest.mark.parametrize("make", SOMETHING_ELSE.values(), ids=SOMETHING_ELSE)
def test_files_that_are_something_else_are_refused(tmp_path, request, record_property, make):
    path, sprung = tmp_path / "x.safetensors", tmp_path / "sprung"
    path.write_bytes(make(Trap(sprung)))
    with pytest.raises(ck.CheckpointError, match="not a whole checkpoint") as caught:
        ck.load_model(path)
    assert not sprung.exists()
    record_property("fault", (f"a checkpoint: {request.node.callspec.id}", str(caught.value), "nothing"))


def test_damaged_files_never_crash_otherwise(tmp_path, record_property):
    torch.manual_seed(0)
    path, said = tmp_path / "m.safetensors", {}
    ck.save_model(path, VAE(image_shape=(2, 2), hidden=(3,)), {})
    whole = path.read_bytes()

    @settings(max_examples=150, deadline=None)
    @given(cut=st.floats(0, 0.999), flips=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=6))
    def check(cut, flips):
        data = bytearray(whole if flips else whole[: int(cut * len(whole))])
        for place, value in flips:
            data[int(place * min(len(data), 900))] = value  # the header is where the danger is
        path.write_bytes(data)
        try:
            model = ck.load_model(path)
        except ck.CheckpointError as error:
            said["last"] = str(error)
        else:
            assert flips and isinstance(model, VAE), "a file cut short must not load"

    check()
    record_property("fault", ("a checkpoint with wrong bytes, or cut short (fuzzed)", said["last"], "nothing"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
TENSOR = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F32", "F16", "BF16", "F8_E8M0", "F4", "C64", "BOOL", "U64", "X"]),
        "shape": st.lists(st.integers(0, 4) | st.integers(0, 2**64), max_size=3),
        "data_offsets": st.lists(st.integers(0, 16), min_size=2, max_size=2),
    }
)


@pytest.mark.slow
def test_whatever_a_header_says_it_never_crashes_otherwise(tmp_path, record_property):
    path, said = tmp_path / "m.safetensors", {}

    @settings(max_examples=150, deadline=None)
    @given(
        st.dictionaries(st.sampled_from(["a", "b", "__metadata__"]), TENSOR | JSON, max_size=2), st.binary(max_size=16)
    )
    @example({"a": {"dtype": "F32", "shape": [0, 2**40, 2**40], "data_offsets": [0, 0]}}, b"")
    @example({"a": {"dtype": "F32", "shape": [0, 2**64 - 1], "data_offsets": [0, 0]}}, b"")
    @example({"a": {"dtype": "F4", "shape": [4], "data_offsets": [0, 2]}}, b"12")
    def check(header, data):
        text = json.dumps(header).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + data)
        with pytest.raises(ck.CheckpointError, match="not a whole checkpoint") as caught:
            ck.load_model(path)
        said["last"] = str(caught.value)

    check()
    record_property("fault", ("a checkpoint with any header (fuzzed)", said["last"], "nothing"))


CONFIG = st.dictionaries(
    st.sampled_from(["image_shape", "latent_dim", "hidden", "likelihood", "sigma", "width", "classes", "spread"]), JSON
)
META = st.builds(lambda kind, config: {"kind": kind, "config": config}, st.sampled_from([*ck._KINDS]) | JSON, CONFIG)


@pytest.mark.slow
def test_whatever_a_description_says_it_never_crashes_otherwise(tmp_path, record_property):
    path, said = tmp_path / "m.safetensors", {}

    @settings(max_examples=100, deadline=None)
    @given(META | JSON)
    @example({"config": {"latent_dim": 2**70}})
    def check(meta):
        ck.write_safetensors(path, {"a": torch.zeros(1)}, meta)
        with pytest.raises(ck.CheckpointError) as caught:
            ck.load_model(path)
        said["last"] = str(caught.value)

    check()
    record_property("fault", ("a checkpoint with any description (fuzzed)", said["last"], "nothing"))


def test_a_description_of_a_giant_takes_no_memory(tmp_path, monkeypatch, record_property):
    places = []

    class Spy(VAE):
        def __init__(self, **config):
            places.append(torch.get_default_device().type)
            super().__init__(**config)

    monkeypatch.setitem(ck._KINDS, "VAE", Spy)
    ck.write_safetensors(tmp_path / "bomb", {"a": torch.zeros(1)}, {"config": {"hidden": [3000, 3000]}})
    with pytest.raises(ck.CheckpointError, match="do not fit its description") as caught:
        ck.load_model(tmp_path / "bomb")
    assert places == ["meta"]
    record_property("fault", ("a checkpoint that describes a giant", str(caught.value), "nothing; no memory is taken"))


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="this system does not list what is mapped")
def test_no_file_stays_mapped_into_memory(tmp_path, model):
    """Windows lets nobody replace a file that is: a resumed run could not save again."""
    ck.save_model(tmp_path / "m.safetensors", model, {})
    tensors, _ = ck.read_safetensors(tmp_path / "m.safetensors")
    assert tensors and "m.safetensors" not in Path("/proc/self/maps").read_text()


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


def test_what_is_saved_is_whole_floats_unless_asked(tmp_path, model):
    for precision, dtype in (("float32", torch.float32), ("float16", torch.float16)):
        model.save(tmp_path / precision, {"name": "toy"}, precision=precision)
        tensors, _ = ck.read_safetensors(tmp_path / precision)
        assert {v.dtype for v in tensors.values() if v.ndim} == {dtype}
    back = VAE.load(tmp_path / "float32")
    assert all(torch.equal(a, b) for a, b in zip(back.parameters(), model.parameters(), strict=True))
    assert back.meta["name"] == "toy" and not back.training and back.config == model.config
    with pytest.raises(ValueError, match="got 'bfloat16'"):
        model.save(tmp_path / "odd", precision="bfloat16")
    with torch.no_grad():
        model.decoder.net[0].weight[0, 0] = 1e5
    with pytest.raises(ValueError, match="float16 cannot hold the largest"):
        model.save(tmp_path / "float16", precision="float16")
    assert VAE.load(tmp_path / "float16").meta["name"] == "toy", "the older file is whole"
    ck.save_model(tmp_path / "judge", Classifier((4, 4)), {})
    with pytest.raises(ck.CheckpointError, match="holds a Classifier"):
        VAE.load(tmp_path / "judge")


def own_encoder(bend=torch.nn.GELU):
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 6), bend(), torch.nn.BatchNorm1d(6), tied(6))


def tied(n):
    """Two layers that share their weights."""
    first = torch.nn.Linear(n, n)
    return torch.nn.Sequential(first, torch.nn.Tanh(), first, torch.nn.Linear(n, 4))


def test_networks_of_your_own_come_back_into_others_of_the_same_structure(tmp_path):
    first = VAE((3, 4), encoder=own_encoder(), sigma=0.1)
    first.encode(torch.rand(9, 3, 4, generator=torch.Generator().manual_seed(0)))  # moves the means of the batches
    first.eval().save(tmp_path / "own")
    back = VAE.load(tmp_path / "own", encoder=own_encoder())
    assert all(torch.equal(a, b) for a, b in zip(back.state_dict().values(), first.state_dict().values(), strict=True))


def test_another_structure_is_refused_though_its_weights_have_the_same_shapes(tmp_path, model):
    VAE((3, 4), encoder=own_encoder(torch.nn.Tanh)).save(tmp_path / "own")
    given = own_encoder()
    before = given[1].weight.clone()
    with pytest.raises(ck.CheckpointError, match=r"it has .*Tanh.* where .* has .*GELU") as caught:
        VAE.load(tmp_path / "own", encoder=given)
    assert "Networks of your own go in by name" in str(caught.value)
    assert torch.equal(given[1].weight, before), "what is refused leaves no trace"
    with pytest.raises(ck.CheckpointError, match="Networks of your own go in by name"):
        VAE.load(tmp_path / "own")
    model.decoder.net[1] = torch.nn.Tanh()  # the same by hand
    model.save(tmp_path / "mixed")
    with pytest.raises(ck.CheckpointError, match=r"Tanh\(\) where the network given has \(1\): GELU"):
        VAE.load(tmp_path / "mixed")
    with pytest.raises(ck.CheckpointError, match="another kind of model"):
        ck.load_model(tmp_path / "mixed", nonsense=own_encoder())


def test_files_that_do_not_tell_their_structure_are_read_as_before(tmp_path, model):
    ck.write_safetensors(tmp_path / "old", dict(model.state_dict()), {"config": model.config})
    assert torch.equal(VAE.load(tmp_path / "old").decoder.net[0].weight, model.decoder.net[0].weight)


def test_a_missing_file_gets_a_sentence(tmp_path, record_property):
    with pytest.raises(ck.CheckpointError, match="train the model first") as caught:
        ck.load_model(tmp_path / "nothing.safetensors")
    record_property("fault", ("a checkpoint that is not there", str(caught.value), "nothing"))


def test_a_file_that_cannot_be_read_gets_a_sentence(tmp_path, record_property):
    with pytest.raises(ck.CheckpointError, match=r"cannot be read \(Is a directory\)") as caught:
        ck.load_model(tmp_path)
    record_property("fault", ("a checkpoint that cannot be read", str(caught.value), "nothing"))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_write_that_fails_keeps_the_old_file_and_leaves_nothing_else(
    tmp_path, model, monkeypatch, record_property, number
):
    path = tmp_path / "m.safetensors"
    ck.save_model(path, model, {"version": 1})

    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(ck.CheckpointError, match=f"{os.strerror(number)}.*still whole") as caught:
        ck.save_model(path, model, {"version": 2})
    assert [p.name for p in tmp_path.iterdir()] == ["m.safetensors"]
    assert ck.load_model(path).meta["version"] == 1
    record_property("fault", (f"saving fails ({errno.errorcode[number]})", str(caught.value), "nothing"))


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
