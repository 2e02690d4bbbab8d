"""Learning in the page: its numbers are PyTorch's, its weights are VAE.load's."""

import json
import re
import zlib
from base64 import b64decode, b64encode
from pathlib import Path

import numpy as np
import pytest
import torch

from vaecourse import VAE, fit, load_dataset
from vaecourse.data import ImageSet
from vaecourse.explorer import TrainingLab, page_images

FIXTURE = Path(__file__).resolve().parents[1] / "web" / "test" / "lab.json"
CASES = {  # settings of a VAE, beta, and how far its last layers lie from where they began
    "sigma learned": ({}, 1.0, 0.0),
    "sigma held, beta 4": ({"sigma": 0.2}, 4.0, 0.0),
    "bernoulli": ({"likelihood": "bernoulli"}, 1.0, 0.0),
    "far out": ({}, 1.0, 150.0),  # where exp overflows
    "bernoulli, far out": ({"likelihood": "bernoulli"}, 1.0, 150.0),
}


def case(settings, beta, far, folder):
    """What PyTorch says of a small model: the two terms of the ELBO, and the slopes of beta KL - log P(x|z)."""
    torch.manual_seed(0)
    model = VAE((4, 3), 2, hidden=(8, 5), decoder_hidden=(7,), **settings)
    with torch.no_grad():
        for net, rows in ((model.encoder.net, slice(2, 4)), (model.decoder.net, slice(0, 6))):
            net[-1].bias[rows] += far * torch.tensor([1.0, -1.0]).repeat(len(net[-1].bias[rows]) // 2)
    x, noise = torch.rand(6, 4, 3), torch.randn(6, 2)
    x = x.round() if model.likelihood == "bernoulli" else x
    log_likelihood, kl = model.elbo_terms(x, noise=noise)
    (beta * kl - log_likelihood).mean().backward()
    model.save(folder / "model.safetensors")
    slopes = {name: w.grad.flatten().tolist() for name, w in model.named_parameters()}
    return {
        "file": b64encode((folder / "model.safetensors").read_bytes()).decode(),
        "beta": beta,
        "x": x.flatten().tolist(),
        "noise": noise.flatten().tolist(),
        "log_likelihood": log_likelihood.tolist(),
        "kl": kl.tolist(),
        "slopes": slopes,
    }


@pytest.mark.parametrize("name", CASES)
def test_what_the_page_is_held_against_is_what_pytorch_says_today(name, tmp_path):
    """web/test/lab.test.js compares the page's numbers with this file, without Python."""
    stored, fresh = json.loads(FIXTURE.read_text("utf-8"))[name], case(*CASES[name], tmp_path)
    for part in ("x", "noise", "log_likelihood", "kl"):
        assert np.allclose(stored[part], fresh[part], rtol=1e-5, atol=1e-6), part
    assert stored["slopes"].keys() == fresh["slopes"].keys()
    for part, slope in fresh["slopes"].items():
        assert np.allclose(stored["slopes"][part], slope, rtol=1e-4, atol=1e-5), part


def digits(n=44, name="mine"):
    """Images of greys that four bits hold."""
    images = torch.randint(0, 16, (n, 5, 3), generator=torch.Generator().manual_seed(1)) / 15
    return ImageSet(images, torch.arange(n) % 3, name, "Made for a test.", ("a", "b", "c"))


def unpacked(spec, data):
    """What the browser makes of packed images: labels (N,), images (N, H, W)."""
    content = np.frombuffer(zlib.decompress(data), np.uint8)
    labels, pairs = np.split(content, [spec["images"]])
    greys = np.stack([pairs >> 4, pairs & 15], 1).ravel()[: spec["images"] * spec["height"] * spec["width"]]
    return labels, greys.reshape(-1, spec["height"], spec["width"]) / spec["levels"]


def test_packed_images_are_the_images_in_another_order_with_their_labels():
    given = digits()
    lab = TrainingLab(given)
    labels, images = unpacked(lab.spec, lab.data)
    assert (lab.spec["images"], lab.spec["held_out"], lab.spec["names"]) == (44, 4, ["a", "b", "c"])
    rows = [int((given.images - torch.as_tensor(x).float()).abs().sum((1, 2)).argmin()) for x in images]
    assert sorted(rows) == list(range(44)) and rows != sorted(rows)
    assert np.allclose(images, given.images[rows], atol=1e-6) and list(labels) == given.labels[rows].tolist()


def test_a_page_carries_the_images_unless_it_can_fetch_them():
    def twin(lab):
        text = lab._repr_mimebundle_()[0]["text/html"]
        return text.split(">")[0], json.loads(re.search(r'json">(.*?)</script>', text, re.DOTALL)[1])

    given = digits()
    tag, state = twin(TrainingLab(given, caption="</script><b>", seed=7, beta=2, sigma=0.5))
    assert tag == "<training-lab" and not state["running"]
    assert [state["spec"][key] for key in ("seed", "beta", "sigma", "page_images")] == [7, 2.0, 0.5, []]
    assert b64decode(state["data"]) == TrainingLab(given.images, given.labels).data
    shared = json.loads(page_images(given))
    assert shared.pop("data") == state["data"] and shared.items() <= state["spec"].items()
    tag, state = twin(TrainingLab(digits(60_000, "strokes")))
    assert tag == '<training-lab data-images="strokes mnist"' and state["data"] == ""
    assert (state["spec"]["images"], state["spec"]["held_out"]) == (11_000, 1_000)
    assert twin(TrainingLab(digits(60, "strokes")))[1]["data"], "a part of a set is not what the page fetches"


def test_without_images_the_lab_asks_the_reader_for_some():
    lab = TrainingLab(beta=2)
    data, _ = lab._repr_mimebundle_()
    assert (lab.spec["images"], lab.spec["beta"], lab.data) == (0, 2.0, b"")
    assert data["text/html"].startswith("<training-lab><") and "pictures of your own" in data["text/plain"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"images": torch.rand(20, 4, 4)}, "at least 22"),
        ({"images": 255 * torch.rand(30, 4, 4)}, "Divide by 255"),
        ({"labels": [1, 2]}, "need the images"),
        ({"images": torch.rand(30, 4, 4), "labels": [1, 2]}, "one for each"),
        ({"images": torch.rand(30, 4, 4), "labels": [300] * 30}, "0 to 254"),
        ({"images": torch.rand(30, 4, 4), "sigma": 0}, "or None to learn it"),
        ({"images": torch.rand(30, 4, 4), "beta": -1}, "1 is the ELBO"),
        ({"images": torch.rand(30, 4, 4), "seed": 0.5}, "whole number"),
    ],
)
def test_what_cannot_be_trained_is_refused_with_a_sentence(wrong, says):
    with pytest.raises(ValueError, match=says):
        TrainingLab(**wrong)


def test_the_model_is_what_the_page_has_sent(tmp_path):
    lab = TrainingLab(digits())
    with pytest.raises(RuntimeError, match="Press train"):
        lab.model()
    trained = VAE((5, 3), hidden=(4,))
    trained.save(tmp_path / "page.safetensors")
    lab.set_state({"weights": memoryview((tmp_path / "page.safetensors").read_bytes())})
    assert torch.equal(lab.model().decoder.net[0].weight, trained.decoder.net[0].weight)


def gap(count, seed):
    """ELBO of strokes held out, the best and the last, after the lab's recipe on `count` others; the last of those."""
    strokes = load_dataset("strokes", split="train").images[: count + count // 10]
    batch = min(64, count)
    torch.manual_seed(seed)
    model = VAE((28, 28), 2, hidden=(128, 128), decoder_hidden=(128, 128))
    settings = {"epochs": 300 // (count // batch), "batch_size": batch, "learning_rate": 6e-3, "progress": False}
    history = fit(model, strokes[:count], held_out=strokes[count:], seed=seed, **settings)
    return max(history.held_out), history.held_out[-1], history.elbo[-1]


@pytest.mark.parametrize("seed", [0, 1])
def test_one_sheet_of_doodles_is_learned_by_heart_and_more_sheets_narrow_the_gap(seed):
    """The chapter on your own images: what is held out falls, and far, while what is known rises."""
    best, end, known = gap(46, seed)
    assert end < best - 500 and known > best + 100, "the model is sure of what it knows, and wrong about the rest"
    _, of_more, known_of_more = gap(4 * 46, seed)
    assert known_of_more - of_more < (known - end) / 2


if __name__ == "__main__":  # python tests/test_lab.py writes the file
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        cases = {key: case(*value, Path(name)) for key, value in CASES.items()}
    FIXTURE.write_text(json.dumps(cases, indent=1) + "\n", "utf-8")
