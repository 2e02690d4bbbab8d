"""What a page keeps of its widgets: the views of explorers, and the state that these need."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from bs4 import BeautifulSoup

from vaecourse.data import ImageSet

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "book" / "tools"))

import explorer_pages

pytestmark = pytest.mark.slow

VIEW = "<script  type='application/vnd.jupyter.widget-view+json' data-a='>'>\n {{\"model_id\": \"{}\"}} </script>"


def model(name="FloatSliderModel", **state):
    return {"model_name": name, "state": state}


def test_a_page_keeps_explorers_with_what_is_linked_to_them_and_drops_progress_bars():
    saved = {
        "box": model("VBoxModel", children=["IPY_MODEL_slider", "IPY_MODEL_plane"]),
        "slider": model(),
        "plane": model(
            "AnyModel", _esm="the front end", spec={"page_model": "mnist-2d-page"}, weights="IPY_MODEL_file"
        ),
        "file": model("WidgetModel", file="some megabytes"),
        "link": model("LinkModel", source=["IPY_MODEL_slider", "value"], target=["IPY_MODEL_plane", "z1"]),
        "stray": model("LinkModel", source=["IPY_MODEL_slider", "value"], target=["IPY_MODEL_bar", "value"]),
        "bar": model("ProgressModel"),
    }
    files = {"ipywidgets_state": (None, {"type": "state", "body": json.dumps({"state": saved})})}
    added = []
    app = SimpleNamespace(
        env=SimpleNamespace(nb_metadata={"page": {"js_files": files}}), add_js_file=lambda name, **_: added.append(name)
    )
    context = {
        "body": f"<p>one</p>{VIEW.format('bar')}<pre>a  b\n</pre>{VIEW.format('box')}<p>two</p>{VIEW.format('plane')}"
    }
    explorer_pages.keep_what_is_shown(app, "page", "", context, None)
    soup = BeautifulSoup(context["body"], "html.parser")
    assert [json.loads(view.text) for view in soup.select("script")] == [{"model_id": "box"}, {"model_id": "plane"}]
    assert soup.pre.text == "a  b\n" and [p.text for p in soup.select("p")] == ["one", "two"]
    kept = json.loads(files["ipywidgets_state"][1]["body"])["state"]
    assert set(kept) == {"box", "slider", "plane", "link"} and added == ["widgets.js"]
    assert "the front end" not in json.dumps(kept)
    assert explorer_pages.keep_what_is_shown(app, "other", "", {"body": "x"}, None) is None


def test_other_widgets_with_a_model_keep_its_weights():
    saved = {"path": model("AnyModel", spec={"extent": 4}, weights="IPY_MODEL_file"), "file": model("AnyModel")}
    assert explorer_pages.shown(saved, {"path"}) == {"path", "file"}


def test_a_cube_among_linked_widgets_keeps_its_front_end():
    cube = model("AnyModel", _esm="the front end", spec={"dim": 2})
    assert explorer_pages.lighten(cube) == cube


@pytest.mark.parametrize(
    ("body", "scripts"),
    [
        ("<p>", []),
        ("<turning-object>", ["explorer/page.js"]),
        ("<pixel-cube>", ["explorer/cube.js"]),
        ("<own-path>", ["explorer/own-path.js"]),
        ("<sound-plane>", ["explorer/sound.js"]),
        ("<latent-explorer><pixel-cube>", ["explorer/page.js", "explorer/cube.js"]),
    ],
)
def test_a_page_loads_the_front_ends_of_what_stands_on_it(body, scripts):
    added, sheets = [], []
    app = SimpleNamespace(add_js_file=lambda name, **_: added.append(name), add_css_file=sheets.append)
    explorer_pages.add_explorer(app, "page", "", {"body": body}, None)
    assert added == scripts and sheets == ["explorer/explorer.css"] * bool(scripts)


def test_a_page_whose_views_all_go_loads_no_widgets():
    files = {"ipywidgets_state": (None, {"body": json.dumps({"state": {"bar": model("ProgressModel")}})})}
    app = SimpleNamespace(env=SimpleNamespace(nb_metadata={"page": {"js_files": files}}))
    context = {"body": VIEW.format("bar")}
    explorer_pages.keep_what_is_shown(app, "page", "", context, None)
    assert context["body"] == "" and files == {}


def test_a_page_with_a_lab_gets_its_script_and_the_images_that_it_fetches(tmp_path, monkeypatch):
    given = ImageSet(torch.rand(30, 4, 4), [0] * 30, "strokes", "Made for a test.", ("a",))
    monkeypatch.setattr("vaecourse.data.load_dataset", lambda name, split: given)
    added = []
    app = SimpleNamespace(
        outdir=tmp_path, add_js_file=lambda name, **_: added.append(name), add_css_file=lambda name: added.append(name)
    )
    explorer_pages.add_explorer(app, "page", "", {"body": "<p>none</p>"}, None)
    assert added == []
    twin = '<training-lab data-images="strokes mnist"></training-lab>'
    explorer_pages.add_explorer(app, "page", "", {"body": f"<training-lab></training-lab>{twin}"}, None)
    assert added == ["explorer/explorer.css", "explorer/lab.js"]
    folder = tmp_path / "_static" / "explorer"
    assert sorted(file.name for file in folder.iterdir()) == ["lab-mnist.js", "lab-strokes.js"]
    text = (folder / "lab-strokes.js").read_text("utf-8")
    assert text.startswith('trainingLabImages["strokes"]({"height": 4')
    monkeypatch.setattr("vaecourse.data.load_dataset", None)  # they are made once
    explorer_pages.add_explorer(app, "page", "", {"body": twin}, None)
