"""Several explorers in one page, as a notebook shows them: each by its own copy of the front end, in boxes and tabs."""

import json
import shutil
from pathlib import Path

import ipywidgets
import numpy as np
import pytest
from browser import served
from ipywidgets.embed import dependency_state, embed_data

from vaecourse import LatentExplorer, load_pretrained

ROOT = Path(__file__).resolve().parents[1]
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Widgets</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head><body>{views}
<script type="application/vnd.jupyter.widget-state+json">{state}</script><script src="widgets.js"></script>"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A page of Jupyter's widget manager (that of the book), with explorers in boxes, and an empty page."""
    folder = tmp_path_factory.mktemp("together")
    model = load_pretrained("strokes-2d-page")

    def pair():
        return [LatentExplorer(model, z=(1, 2)) for _ in range(2)]

    boxes = ipywidgets.HBox(pair()), ipywidgets.Tab(pair()), ipywidgets.Accordion(pair())
    data = embed_data(views=boxes, state=dependency_state(boxes, drop_defaults=False), drop_defaults=False)
    state = json.dumps(data["manager_state"]).replace("<", "\\u003c")
    assert state.count('"path": ["file"]') == 1, "the model is there once"
    view = '<div><script type="application/vnd.jupyter.widget-view+json">{}</script></div>'
    views = "".join(view.format(json.dumps(spec)) for spec in data["view_specs"])
    (folder / "index.html").write_text(PAGE.format(views=views, state=state), "utf-8")
    (folder / "empty.html").write_text("<!doctype html><title>empty</title><main></main>", "utf-8")
    shutil.copytree(ROOT / "book/static/vendor", folder / "vendor")
    shutil.copy(ROOT / "book/static/widgets.js", folder)
    shutil.copy(ROOT / "vaecourse/explorer/explorer.js", folder)
    shutil.copy(ROOT / "vaecourse/weights/strokes-2d-page.safetensors", folder / "weights")
    return folder


@pytest.fixture(scope="module")
def visit(folder, browser):
    with served(folder) as address:

        def open_page(name, width=1280):
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.set_default_timeout(30_000)
            page.problems = []
            page.on("pageerror", lambda e: page.problems.append(str(e)))
            page.goto(f"{address}/{name}")
            return page

        yield open_page


@pytest.mark.parametrize("width", [1280, 390])
def test_in_boxes_tabs_and_accordions_explorers_have_room_and_know_where_the_point_is(visit, width):
    page = visit("index.html", width)
    page.locator(".lx-handle").nth(5).wait_for(state="attached")
    side_by_side = page.locator(".widget-hbox .latent-explorer").evaluate_all("all => all.map(e => e.offsetWidth)")
    assert side_by_side[0] == side_by_side[1] >= (600 if width == 1280 else 280)
    page.locator(".widget-tab .lm-TabBar-tab").nth(1).click()
    page.locator(".jupyter-widget-Collapse-header").nth(1).click()
    for place in (".widget-tab", ".widget-accordion"):
        explorer = page.locator(f"{place} .latent-explorer").nth(1)
        explorer.locator(".lx-field").wait_for()
        page.wait_for_timeout(300)  # the frame after the one in which it got its size
        assert explorer.bounding_box()["width"] >= min(width - 80, 800)
        field, handle = (explorer.locator(part).bounding_box() for part in (".lx-field", ".lx-handle"))
        right, up = handle["x"] + 22 - field["x"], field["y"] + field["height"] - handle["y"] - 22
        assert np.allclose([right / field["width"], up / field["height"]], [5 / 8, 6 / 8], atol=0.01), "z = (1, 2)"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth") and page.problems == []


def test_arrow_keys_among_the_choices_of_one_explorer_leave_the_other_alone(visit):
    page = visit("index.html")
    first, second = (page.locator(".widget-hbox .latent-explorer").nth(i) for i in range(2))
    second.locator(".lx-handle").wait_for()
    second.get_by_role("radio", name="drawings").check()
    first.get_by_role("radio", name="drawings").focus()
    page.keyboard.press("ArrowRight")
    assert first.get_by_role("radio", name="nothing").is_checked()
    assert second.get_by_role("radio", name="drawings").is_checked()
    ids = page.locator("[id^=latent-explorer]").evaluate_all("all => all.map(e => e.id)")
    assert len(ids) == len(set(ids)) > 0


HOST = """async ({gives, knowsOff, weights}) => {
    const file = await (await fetch("weights")).arrayBuffer();
    const state = {z1: 0, z2: 0, t: 0, ends: [], background: "nothing", codes: null, labels: null, heat: null,
        path: null, images: null, weights: weights === "bytes" ? new DataView(file) : "IPY_MODEL_abc",
        spec: {extent: 4, names: [], draw: false, path: false, caption: "", heat: null, pictures: []}};
    const gone = new AbortController();
    window.calls = [];
    const model = {
        get: (name) => state[name], set: (name, value) => (state[name] = value), save_changes() {},
        on: (event, then) => calls.push(then),
        widget_manager: {get_model: (id) => id === "abc" && weights === "shared"
            ? Promise.resolve({get: () => new DataView(file)}) : Promise.reject(new Error("model not found"))},
    };
    if (knowsOff) model.off = (event, then) => calls.splice(calls.indexOf(then), 1);
    const {default: {render}} = await import("./explorer.js");
    const end = render({model, el: document.querySelector("main"), ...(gives === "signal" && {signal: gone.signal})});
    window.end = () => (gives === "signal" ? gone.abort() : end());
}"""


@pytest.mark.parametrize("gives", ["signal", "cleanup"])
@pytest.mark.parametrize("knows_off", [True, False])
def test_a_host_old_or_new_can_take_the_explorer_away_again(visit, gives, knows_off):
    page = visit("empty.html")
    page.evaluate(HOST, {"gives": gives, "knowsOff": knows_off, "weights": "shared"})
    page.locator(".lx-handle").wait_for(state="attached")
    page.evaluate("() => { end(); for (const then of calls) then(); }")
    assert page.locator("main").inner_html() == "" and page.problems == []
    assert page.evaluate("calls.length") == (0 if knows_off else 5)


@pytest.mark.parametrize(("weights", "sees"), [("bytes", ".lx-handle"), ("none", ".lx-error")])
def test_weights_may_come_with_it_and_where_they_are_gone_a_sentence_says_what_to_do(visit, weights, sees):
    page = visit("empty.html")
    page.evaluate(HOST, {"gives": "signal", "knowsOff": True, "weights": weights})
    page.locator(sees).wait_for(state="attached")
    assert ("Run the cell again." in page.inner_text("main")) == (weights == "none")
    assert page.problems == []
