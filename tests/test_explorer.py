"""The explorer's Python side: traits that link, input that is checked, a twin that a page can bring to life."""

import copy
import gc
import hashlib
import json
import re
import sys
import weakref
from base64 import b64decode
from pathlib import Path

import ipywidgets
import nbformat
import numpy as np
import pytest
import torch
import traitlets
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from safetensors.torch import load
from torch import nn

from vaecourse import VAE, load_pretrained
from vaecourse.data.bars import World
from vaecourse.explorer import LatentExplorer, PixelCube, TrainingLab
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
    plane.z1, plane.t = 7.0, -1
    assert (plane.z1, plane.t) == (3.0, 0.0)


@pytest.mark.parametrize("box", [float, np.float32, np.array, torch.tensor, lambda v: torch.tensor(v).requires_grad_()])
def test_numbers_may_come_from_numpy_and_pytorch(model, box):
    plane = LatentExplorer(model, z=(box(0.5), box(-1.0)), extent=box(3.0))
    assert (plane.z1, plane.z2, plane.spec["extent"]) == (0.5, -1.0, 3.0)
    plane.z1, plane.z2, plane.t = box(0.25), box(-1.5), box(0.5)
    assert [type(v) for v in (plane.z1, plane.z2, plane.t)] == [float] * 3
    assert (plane.z1, plane.z2, plane.t) == (0.25, -1.5, 0.5)


@pytest.mark.parametrize("box", [np.array, torch.tensor, lambda v: [np.array(p) for p in v]])
def test_codes_and_ends_may_be_arrays_and_tensors(model, box):
    codes = box([[1.0, -2.0], [3.0, 0.5]])
    plane = LatentExplorer(model, ends=codes, z=codes[1])
    plane.z1, plane.z2 = codes[0]
    assert plane.ends == [[1.0, -2.0], [3.0, 0.5]] and (plane.z1, plane.z2) == (1.0, -2.0)
    plane.z1 = np.int64(2)
    plane.ends = box([[0.0, 0.0], [-1.0, 1.0]])
    assert plane.ends == [[0.0, 0.0], [-1.0, 1.0]] and plane.z1 == 2


@pytest.mark.parametrize(
    ("trait", "value", "says"),
    [
        *((name, bad, f"{name} must be a finite number") for name in ("z1", "z2", "t") for bad in (np.nan, "1", True)),
        *(("z1", bad, "z1 must be a finite number") for bad in (np.inf, None, [1.0], torch.zeros(1))),
        *(("ends", bad, "two points") for bad in ([[1, 2], [3]], np.zeros((3, 2)), [[np.nan, 0], [0, 0]], "ab")),
        ("ends", [[9, 0], [0, 0]], "from -4 to 4"),
        ("ends", [], "neither added nor taken away"),
        ("background", "nonsense", "'codes', 'drawings', 'nothing'"),
        ("background", "posterior", "'codes', 'drawings', 'nothing'"),
    ],
)
def test_a_trait_refuses_what_no_page_can_show_and_keeps_what_it_had(model, trait, value, says):
    plane = LatentExplorer(model, SQUARE, z=(1, 2), ends=((0, 0), (1, 1)))
    before = plane.get_state()
    with pytest.raises(traitlets.TraitError, match=says):
        setattr(plane, trait, value)
    assert plane.get_state() == before
    with pytest.raises(traitlets.TraitError):  # as it comes from a browser, together with what is right
        plane.set_state({trait: value, "z2": 3.0} if trait != "z2" else {trait: value})
    assert plane.get_state() == before


def test_a_drawing_brings_a_background_that_a_new_page_does_not_have(model):
    plane = LatentExplorer(model, SQUARE, draw=True)
    plane.background = "posterior"
    assert state(plane)["background"] == "codes" and "the codes behind the point" in html(plane)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"codes": [[0, np.nan]]}, "NaN"),
        ({"codes": [1, 2, 3]}, r"\(N, 2\)"),
        ({"codes": SQUARE, "labels": [0, 1]}, "one for each code"),
        ({"codes": SQUARE, "labels": [0, 1, -1]}, "whole numbers"),
        ({"codes": SQUARE, "labels": [True, False, True]}, r"np.asarray\(labels, dtype=int\)"),
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
        ({"ends": np.zeros((3, 2))}, "two points"),
        ({"path": [[0, 0]]}, "at least 2"),
        ({"path": SQUARE, "ends": ((0, 0), (1, 1))}, "not both"),
        ({"extent": np.nan}, "extent"),
        ({"extent": 30}, "from 1 to 20"),
        ({"caption": None}, "caption"),
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
    for weight in (torch.nan, 1e5):  # a page has half precision
        with torch.no_grad():
            broken.decoder.net[0].weight[0, 0] = weight
        with pytest.raises(ValueError, match="NaN, or are too large"):
            LatentExplorer(broken)
    with pytest.raises(ValueError, match="Gaussian"):
        LatentExplorer(VAE(hidden=(8,), likelihood="bernoulli"), draw=True)
    with pytest.raises(ValueError, match="grey images"):
        LatentExplorer(VAE((3, 8, 8), hidden=(8,)))


class Inverted(VAE):
    def decode(self, z):
        return super().decode(-z)


@pytest.mark.parametrize(
    "own",
    [
        lambda: VAE(decoder=nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 784))),
        lambda: VAE(decoder=nn.Sequential(nn.Linear(2, 8), nn.GELU("tanh"), nn.Linear(8, 784))),
        lambda: VAE(decoder=nn.Sequential(nn.Linear(2, 784), nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 1, 3, 1, 1))),
        lambda: VAE(decoder=nn.Linear(2, 784)),
        lambda: VAE(hidden=(8,), encoder=nn.Sequential(nn.Flatten(), nn.Linear(784, 4))),
        lambda: Inverted(hidden=(8,)),
    ],
)
def test_a_model_with_layers_of_its_own_is_refused_and_not_drawn_wrongly(own):
    with pytest.raises(ValueError, match="linear layers with GELU"):
        LatentExplorer(own())


def test_explorers_of_one_model_share_its_weights_and_the_last_one_frees_them():
    model = VAE(hidden=(256,))
    first, second = LatentExplorer(model), LatentExplorer(copy.deepcopy(model))  # as if it had been loaded again
    assert first.weights is second.weights
    assert len(json.dumps(second._get_embed_state())) < 100_000, "what a cell that is run again leaves behind"
    gone = weakref.ref(first.weights)
    first.close()
    assert first.codes == b"" and first.spec == {} and first.weights is None
    assert second.packed and html(second), "the other still draws"
    with pytest.raises(ValueError, match="closed"):
        first.save_page("page.html")
    second.close()
    second.close()
    gc.collect()
    assert gone() is None
    assert html(LatentExplorer(model)), "and whoever comes next has them again"


def test_an_explorer_keeps_no_model_and_draws_with_the_weights_that_it_was_made_with():
    torch.manual_seed(0)
    model = VAE(hidden=(8,))
    plane = LatentExplorer(model)
    before = html(plane)
    with torch.no_grad():
        model.decoder.net[-1].bias.sub_(5)
    assert html(plane) == before
    retrained = LatentExplorer(model)
    assert retrained.weights is not plane.weights and html(retrained) != before
    model = weakref.ref(model)
    gc.collect()
    assert model() is None


def test_a_model_with_layers_that_the_browser_does_not_know_is_not_drawn_with_others():
    """Of the same shapes: the page would put its GELU where the Tanh is."""
    layers = [torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 784)]
    with pytest.raises(ValueError, match=r"layers of its own.*distil"):
        LatentExplorer(VAE(hidden=(8,), decoder=torch.nn.Sequential(*layers)))
    encoder = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 4))
    with pytest.raises(ValueError, match=r"layers of its own.*distil"):
        LatentExplorer(VAE(hidden=(8,), encoder=encoder))


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


def test_an_exported_notebook_shows_the_still_and_says_how_it_lives(model):
    """There JavaScript is on, and yet nothing moves: no kernel is there, and the state of widgets was not saved."""
    data = LatentExplorer(model, z=(1, 2))._repr_mimebundle_()[0]
    cell = nbformat.v4.new_code_cell("plane", outputs=[nbformat.v4.new_output("execute_result", data)])
    text, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    soup = BeautifulSoup(text, "html.parser")
    assert "(1.00, 2.00)" in soup.select_one(".lx-still img")["alt"]
    said = soup.select_one(".lx-still p").text
    assert (
        said == "This is a picture. To drag the point, run this cell in a notebook; in a page of the book, turn "
        "JavaScript on."
    )
    assert not soup.select("script[type*='widget-view']"), "it would say that it finds no model"


@pytest.mark.slow
def test_a_large_model_is_drawn_in_a_page_by_its_small_copy():
    assert 'data-model="mnist-2d-page"' in html(LatentExplorer(load_pretrained("mnist-2d")))


NAMES = ("explorer.js", "turning.js", "cube.js", "own-path.js", "sound.js", "lab.js", "explorer.css")
BUILT = [ROOT / "vaecourse/explorer" / name for name in NAMES]
BUILT += [ROOT / "book/static/explorer" / name for name in ("page.js", "cube.js", "own-path.js", "sound.js", "lab.js")]
BUILT += [ROOT / "book/static" / name for name in ("predict.js", "predict-point.js", "predict-report.js")]


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


@pytest.mark.parametrize("make", [lambda c: PixelCube(World("ink"), caption=c), lambda c: TrainingLab(caption=c)])
def test_a_caption_that_is_no_text_is_refused(make):
    with pytest.raises(ValueError, match="caption must be a text"):
        make(3)


@pytest.mark.parametrize("path", BUILT, ids=lambda path: f"{path.parent.parent.name}-{path.name}")
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
