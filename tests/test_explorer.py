"""The explorer's Python side: traits that link, input that is checked, a twin that a page can bring to life."""

import hashlib
import json
import re
import sys
from base64 import b64decode
from pathlib import Path

import ipywidgets
import numpy as np
import pytest
import torch
import traitlets
from safetensors.torch import load

from vaecourse import VAE, load_pretrained
from vaecourse.explorer import LatentExplorer
from vaecourse.model import pretrained_names

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "tools"))

from explorer_pages import write_front_end  # noqa: E402

SQUARE = np.array([[0.0, 0.0], [1.0, 0.5], [-2.0, 3.0]])


@pytest.fixture(scope="module")
def model():
    return load_pretrained("strokes-2d-page")


def html(explorer):
    return explorer._repr_mimebundle_()[0]["text/html"]


def state(explorer):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', html(explorer), re.DOTALL)[1])


def test_traits_link_with_a_slider_in_both_directions(model):
    plane, slider = LatentExplorer(model, z=(0.5, -1)), ipywidgets.FloatSlider(min=-4, max=4, step=0.01)
    assert (plane.z1, plane.z2) == (0.5, -1)
    traitlets.link((plane, "z1"), (slider, "value"))
    assert slider.value == 0.5
    slider.value = 1.25
    assert plane.z1 == 1.25
    plane.z1 = -2.5
    assert slider.value == -2.5
    assert ipywidgets.jslink((plane, "z2"), (slider, "value")).source[1] == "z2"
    seen = []
    plane.observe(lambda change: seen.append(change.new), names="z2")
    plane.z2 = 3.0
    assert seen == [3.0]


def test_the_point_stays_on_the_plane(model):
    plane = LatentExplorer(model, extent=3)
    plane.z1 = 7.0
    assert plane.z1 == 3.0
    for bad in (np.nan, np.inf):
        with pytest.raises(traitlets.TraitError, match="z2 must be a finite number"):
            plane.z2 = bad
    assert plane.z2 == 0.0


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"codes": [[0, np.nan]]}, "NaN"),
        ({"codes": [1, 2, 3]}, r"\(N, 2\)"),
        ({"codes": SQUARE, "labels": [0, 1]}, "one for each code"),
        ({"codes": SQUARE, "labels": [0, 1, -1]}, "whole numbers"),
        ({"codes": "abc"}, "array of numbers"),
        ({"heat": np.zeros(4)}, r"\(H, W\)"),
        ({"heat": np.full((4, 4), np.inf)}, "infinity"),
        ({"heat": np.eye(4), "heat_name": "codes"}, "heat_name"),
        ({"images": np.zeros((2, 14, 14))}, r"\(N, 28, 28\)"),
        ({"images": np.full((2, 28, 28), 255.0)}, "Divide by 255"),
        ({"images": np.zeros((2, 28, 28)), "image_names": ["one"]}, "name each"),
        ({"z": (9, 0)}, "from -4 to 4"),
        ({"z": (0, 0, 0)}, "two numbers"),
        ({"ends": ((0, 0), (5, 0))}, "ends"),
        ({"path": [[0, 0]]}, "at least 2"),
        ({"path": SQUARE, "ends": ((0, 0), (1, 1))}, "not both"),
        ({"extent": np.nan}, "extent"),
        ({"background": "sea"}, "drawings"),
    ],
)
def test_bad_input_is_answered_with_a_sentence(model, wrong, says):
    with pytest.raises(ValueError, match=says):
        LatentExplorer(model, **wrong)


def test_models_that_the_plane_cannot_show():
    with pytest.raises(ValueError, match="2 latent numbers; this one has 3"):
        LatentExplorer(VAE(latent_dim=3, hidden=(8,)))
    with pytest.raises(ValueError, match="load_pretrained"):
        LatentExplorer("mnist-2d")
    broken = VAE(hidden=(8,))
    with torch.no_grad():
        broken.decoder.net[0].weight[0, 0] = torch.nan
    with pytest.raises(ValueError, match="NaN"):
        LatentExplorer(broken)
    with pytest.raises(ValueError, match="Gaussian"):
        LatentExplorer(VAE(hidden=(8,), likelihood="bernoulli"), draw=True)


@pytest.mark.slow
def test_the_twin_carries_the_state_and_a_still(model):
    rng = np.random.default_rng(0)
    codes, labels = rng.normal(size=(5000, 2)), rng.integers(0, 10, 5000)
    heat = rng.normal(size=(7, 9))
    plane = LatentExplorer(model, codes, labels, heat=heat, heat_name="noise", z=(1, 2), caption="</script><b>")
    text, found = html(plane), state(plane)
    assert text.startswith('<latent-explorer data-model="strokes-2d-page">')
    assert text.count("</script>") == 1, "a caption must not end the script"
    assert found["spec"]["caption"] == "</script><b>"
    assert (found["z1"], found["z2"], found["background"]) == (1, 2, "noise")
    shown = np.frombuffer(b64decode(found["codes"]), "<f2").reshape(-1, 2)
    assert len(shown) == 2000
    rows = [int(np.abs(codes - z).sum(1).argmin()) for z in shown[::97]]
    assert list(labels[rows]) == list(b64decode(found["labels"]))[::97]
    spec = found["spec"]["heat"]
    values = np.frombuffer(b64decode(found["heat"]), np.uint8).reshape(spec["height"], spec["width"]) / 255
    assert np.allclose(spec["low"] + values * (spec["high"] - spec["low"]), heat, atol=(heat.max() - heat.min()) / 500)
    assert re.search(r'<img src="data:image/png;base64,[^"]{500,}" alt="[^"]*1\.00, 2\.00', text)
    bundle = plane._repr_mimebundle_()[0]
    assert "application/vnd.jupyter.widget-view+json" in bundle
    plane.z1 = -1.5
    assert state(plane)["z1"] == -1.5


def test_a_model_without_a_page_copy_is_shown_as_a_still():
    text = html(LatentExplorer(VAE(hidden=(8,))))
    assert "<latent-explorer" not in text and "run the notebook" in text and "<img" in text


@pytest.mark.slow
def test_a_large_model_is_drawn_in_a_page_by_its_small_copy():
    assert 'data-model="mnist-2d-page"' in html(LatentExplorer(load_pretrained("mnist-2d")))


BUILT = [ROOT / "vaecourse/explorer" / name for name in ("explorer.js", "turning.js", "lab.js", "explorer.css")]
BUILT += [ROOT / "book/static/explorer" / name for name in ("page.js", "lab.js")]


def test_what_is_built_is_as_new_as_what_it_is_built_from():
    """Where there is Node, `npm run fresh` builds again and compares; this needs no Node."""
    web = ROOT / "web"
    names = [f"src/{path.name}" for path in (web / "src").iterdir()]
    digest = hashlib.sha256()
    for name in sorted([*names, "build.js", "package.json", "package-lock.json"]):
        digest.update(f"{name}\0".encode() + (web / name).read_bytes())
    for path in BUILT:
        found = re.search(r"Built from web/ \(digest (\w+)\)", path.read_text("utf-8"))
        assert found and found[1] == digest.hexdigest()[:16], f"{path.name} is stale: make web"


@pytest.mark.parametrize("path", BUILT, ids=lambda path: path.name)
def test_the_front_end_asks_no_host(path):
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", path.read_text("utf-8"))


def test_the_pages_get_the_style_sheet_of_notebooks_and_the_small_models(tmp_path):
    write_front_end(tmp_path / "explorer")
    shipped = [name for name in pretrained_names() if name.endswith("-page")]
    assert {p.name for p in (tmp_path / "explorer").iterdir()} == {"explorer.css", *(f"{n}.js" for n in shipped)}
    for name in shipped:
        text = (tmp_path / "explorer" / f"{name}.js").read_text("utf-8")
        given, weights = re.fullmatch(r'latentExplorerWeights\["(.*)"\]\("(.*)"\);\n', text).groups()
        assert given == name and load(b64decode(weights)).keys() == load_pretrained(name).state_dict().keys()


def test_the_modules_of_the_front_end_fit_an_evening():
    for path in sorted((ROOT / "web").glob("*/*.js")):
        lines = path.read_text("utf-8").splitlines()
        assert len(lines) <= 250 and max(map(len, lines)) <= 120, path.name
